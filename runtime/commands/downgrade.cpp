#include "runtime/commands/commands.hpp"

#include "runtime/database.hpp"
#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/primacy.hpp"
#include "runtime/postgres/state_version.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

Result<Rewritten> downgrade(const std::string& config) {
    auto database = open_database(config);
    if (!database) return database.error();
    const ConnectionSettings settings{.conninfo = database->conninfo,
                                      .instance = random_instance()};
    Primacy primacy{{.connection = settings}};
    if (!primacy.acquire([] {}, [] { return true; }))
        return Error{ErrorCode::invalid_state,
                     "a service works on this database: stop it first, and its standbys"};
    auto connection = Connection::open(settings, "downgrade");
    if (!connection) return connection.error();
    if (auto migrated = migrate(*connection); !migrated) return migrated.error();
    return write_states_for_release_before(*connection);
}

int run(const std::string& config) {
    const auto done = downgrade(config);
    if (!done) {
        std::fprintf(stderr, "sojourn: %s\n", done.error().detail.c_str());
        return exit_environment;
    }
    std::printf("%llu states written for the release before (version %d)\n",
                static_cast<unsigned long long>(done->states),
                journeys::customer_schema_version_before);
    if (done->rewarded > 0)
        std::printf("%llu customers: an order that is undone will not take its reward back\n",
                    static_cast<unsigned long long>(done->rewarded));
    if (done->unreadable > 0)
        std::printf("%llu states cannot be read, and stay as they are; see `sojourn parked`\n",
                    static_cast<unsigned long long>(done->unreadable));
    return exit_done;
}

} // namespace

void add_downgrade(CLI::App& app, int& exit_code) {
    const auto config = std::make_shared<std::string>("config/sojourn.yaml");
    auto* const command = app.add_subcommand(
        "downgrade", "Before the release before this one is started again: writes every "
                     "customer's state as that reads it. While no service runs");
    command->add_option("--config", *config, "The configuration")->capture_default_str();
    command->callback([config, &exit_code] { exit_code = run(*config); });
}

} // namespace runtime
