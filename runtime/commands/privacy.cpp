// `sojourn privacy`: what people have asked of their data through a shop, and until when.

#include "runtime/commands/commands.hpp"

#include "runtime/commands/installation.hpp"
#include "runtime/database.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/privacy_requests.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml", shop;
    std::int64_t done = 0, exported = 0, erased_shop = 0;
    bool all = false, json = false;
};

int fail(const journeys::Error& error) {
    std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
    return error.code == journeys::ErrorCode::not_found ||
                   error.code == journeys::ErrorCode::invalid_argument
               ? exit_input
               : exit_environment;
}

journeys::Result<std::string> read_database(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return database.error();
    PrivacyRequests requests{database->conninfo};
    return privacy_text(requests, options.all, options.json);
}

int privacy(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    const auto ask = [&](std::string_view method, const std::string& target) {
        return ask_service(found->socket(), method, "/admin/privacy" + target, {},
                           std::chrono::seconds{90});
    };
    const auto number = [](std::int64_t value) { return '/' + std::to_string(value); };
    if (options.done != 0 || options.erased_shop != 0) {
        const auto answer = options.done != 0
                                ? ask("POST", number(options.done) + "/done")
                                : ask("POST", number(options.erased_shop) +
                                                  "/erase-shop?shop=" + url_encode(options.shop));
        return answer ? exit_done : fail(answer.error());
    }
    auto text = options.exported != 0
                    ? ask("GET", number(options.exported) + "/export")
                    : ask("GET", std::string{"?"} + (options.all ? "all=1&" : "") +
                                     (options.json ? "json=1" : ""));
    if (!text && options.exported == 0 && text.error().code == journeys::ErrorCode::unavailable)
        text = read_database(options); // None is running.
    if (!text) return fail(text.error());
    std::fwrite(text->data(), 1, text->size(), stdout);
    if (options.exported != 0) std::fputc('\n', stdout);
    return exit_done;
}

} // namespace

void add_privacy(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const command = app.add_subcommand(
        "privacy",
        "Requests of people about their data, as shops pass them on: whose, and until when. An "
        "erasure is carried out by itself; one of a whole shop once it is confirmed");
    command->add_flag("--all", options->all, "Those that are done, too");
    auto* const exported = command->add_option(
        "--export", options->exported, "All that is stored of those whom this request names");
    auto* const done = command->add_option("--done", options->done, "This request was carried out")
                           ->excludes(exported);
    auto* const erased =
        command
            ->add_option("--erase-shop", options->erased_shop,
                         "Erase everybody whom the shop of this request has named, for good")
            ->excludes(exported)
            ->excludes(done);
    command->add_option("--shop", options->shop, "The shop's domain, to confirm it")->needs(erased);
    command->add_flag("--json", options->json, "For programs: one object a line");
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] { exit_code = privacy(*options); });
}

} // namespace runtime
