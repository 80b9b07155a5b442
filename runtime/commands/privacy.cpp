// `sojourn privacy`: what people have asked of their data through a shop, and until when.

#include "runtime/commands/commands.hpp"

#include "runtime/commands/installation.hpp"
#include "runtime/database.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/privacy_requests.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml", done;
    bool all = false, json = false;
};

int fail(const journeys::Error& error) {
    std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
    return error.code == journeys::ErrorCode::not_found ? exit_input : exit_environment;
}

journeys::Result<std::string> read_database(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return database.error();
    PrivacyRequests requests{database->conninfo};
    if (options.done.empty()) return privacy_text(requests, options.all, options.json);
    const auto done = requests.finish(
        options.done, std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now()));
    if (!done) return done.error();
    if (!*done)
        return journeys::Error{journeys::ErrorCode::not_found, "no open request has this number"};
    return std::string{};
}

int privacy(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    auto text = options.done.empty()
                    ? ask_service(found->socket(), "GET",
                                  std::string{"/admin/privacy?"} + (options.all ? "all=1&" : "") +
                                      (options.json ? "json=1" : ""))
                    : ask_service(found->socket(), "POST",
                                  "/admin/privacy/" + url_encode(options.done) + "/done");
    if (!text && text.error().code == journeys::ErrorCode::unavailable)
        text = read_database(options); // None is running.
    if (!text) return fail(text.error());
    if (options.done.empty()) std::fwrite(text->data(), 1, text->size(), stdout);
    return exit_done;
}

} // namespace

void add_privacy(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const command = app.add_subcommand(
        "privacy",
        "Requests of people about their data, as shops pass them on: whose, and until when");
    command->add_flag("--all", options->all, "Those that are done, too");
    command->add_option("--done", options->done, "The number of a request that was carried out");
    command->add_flag("--json", options->json, "For programs: one object a line");
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] { exit_code = privacy(*options); });
}

} // namespace runtime
