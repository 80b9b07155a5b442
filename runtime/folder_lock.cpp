#include "runtime/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;

journeys::Result<FolderLock> FolderLock::take(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return Error{ErrorCode::unavailable, "cannot make " + folder + ": " + error.message()};
    const auto file = folder + "/service.lock";
    FolderLock lock;
    lock.descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.descriptor_ < 0)
        return Error{ErrorCode::unavailable, "cannot write " + file + ": " + std::strerror(errno)};
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
        return Error{ErrorCode::unavailable,
                     "another service runs on " + folder + " (a standby needs storage.url)"};
    return lock;
}

void FolderLock::let_go() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

} // namespace runtime
