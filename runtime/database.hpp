/// The database of a configuration, for commands that read it beside a service or without one.
#pragma once

#include "journeys/result.hpp"
#include "runtime/postgres/embedded.hpp"
#include "runtime/publication.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace runtime {

/// Where the private PostgreSQL's data is: `storage.data_dir` beside the configuration. As root the
/// server runs as another user; where that one could not enter the folder (a checkout under /root)
/// it is
/// `/var/lib/sojourn`, with the folder's path for a name.
std::filesystem::path data_folder(const std::filesystem::path& config,
                                  const schema::Config& settings);

struct Database {
    Files files;
    schema::Config config;
    std::filesystem::path data_dir; ///< Empty where a url is configured.
    std::string conninfo;
    std::optional<EmbeddedPostgres> embedded; ///< Started for this command; stops with it.
};

/// Starts the private PostgreSQL where it does not run already, and leaves a running one alone.
journeys::Result<Database> open_database(const std::filesystem::path& config);

} // namespace runtime
