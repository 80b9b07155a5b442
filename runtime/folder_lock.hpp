/// Keeps two services from sharing a data folder.
#pragma once

#include "journeys/result.hpp"

#include <string>
#include <utility>

namespace runtime {

/// Held until it goes; the kernel lets it go however the process ends.
class FolderLock {
public:
    /// Makes the folder where it is missing. Fails with `unavailable` where another process holds
    /// it.
    static journeys::Result<FolderLock> take(const std::string& folder);

    FolderLock() = default;
    FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FolderLock& operator=(FolderLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~FolderLock() { let_go(); }
    void let_go();

private:
    int descriptor_ = -1;
};

} // namespace runtime
