#include "runtime/database.hpp"

#include "journeys/ids.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace runtime {
namespace {

/// Whether a folder above `path` keeps out users other than its owner. Not where `path` cannot be,
/// since something on the way to it is no folder: another place would only hide that.
bool is_closed_to_others(const std::filesystem::path& path) {
    bool is_closed = false;
    for (auto folder = path; folder != folder.parent_path(); folder = folder.parent_path()) {
        struct stat status {};
        if (::stat(folder.c_str(), &status) != 0) continue;
        if (!S_ISDIR(status.st_mode)) return false;
        if (folder != path && (status.st_mode & S_IXOTH) == 0) is_closed = true;
    }
    return is_closed;
}

} // namespace

std::filesystem::path data_folder(const std::filesystem::path& config,
                                  const schema::Config& settings) {
    const auto place = std::filesystem::absolute(config.parent_path() / settings.storage.data_dir)
                           .lexically_normal();
    if (::geteuid() != 0 || !is_closed_to_others(place)) return place;
    return std::filesystem::path{"/var/lib/sojourn"} /
           journeys::to_hex(0, journeys::hash(place.string())).substr(16);
}

journeys::Result<Database> open_database(const std::filesystem::path& config) {
    using journeys::Error;
    using journeys::ErrorCode;
    Database database;
    auto files = read_files(config, std::nullopt);
    if (!files) return files.error();
    database.files = std::move(*files);
    CompileOptions options;
    options.directory = config.parent_path();
    auto compiled = compile(database.files, options);
    if (!compiled.config) {
        return Error{ErrorCode::invalid_argument, compiled.mistakes.empty()
                                                      ? config.string() + ": cannot be used"
                                                      : schema::to_text(compiled.mistakes.front())};
    }
    database.config = std::move(*compiled.config);
    database.conninfo = database.config.storage.url.reveal();
    if (!database.conninfo.empty()) return database;

    database.data_dir = data_folder(config, database.config);
    if (!std::filesystem::exists(database.data_dir))
        return Error{ErrorCode::not_found, "there is no data in " + database.data_dir.string()};
    auto started = EmbeddedPostgres::start(database.data_dir);
    if (!started) return started.error();
    database.conninfo = started->conninfo();
    // One that was running belongs to a service, which stops it.
    if (started->was_adopted()) started->leave_running();
    database.embedded.emplace(std::move(*started));
    return database;
}

} // namespace runtime
