#include "runtime/commands/ask.hpp"
#include "runtime/database.hpp"
#include "runtime/walk_list.hpp"

#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml";
    bool json = false;
};

int show_from_database(const Options& options) {
    const auto fail = [](const journeys::Error& error) {
        std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
        return error.code == journeys::ErrorCode::invalid_argument ? exit_input : exit_environment;
    };
    const auto database = open_database(options.config);
    if (!database) return fail(database.error());
    const auto stands = WalkBook{database->conninfo}.stands();
    if (!stands) return fail(stands.error());
    const auto text = options.json ? walks_json(*stands) + '\n' : walks_text(*stands);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

} // namespace

void add_walks(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("walks", "Audiences and products' events on their way to many "
                                    "customers, and the newest that are over");
    const auto options = std::make_shared<Options>();
    command->add_flag("--json", options->json, "For programs");
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] {
        exit_code = ask_and_print(options->config, "GET",
                                  std::string{"/admin/walks"} + (options->json ? "?json=1" : ""),
                                  "path", [options] { return show_from_database(*options); });
    });
}

} // namespace runtime
