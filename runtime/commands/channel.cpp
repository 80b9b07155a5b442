#include "runtime/commands/ask.hpp"

#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string name, command, config = "config/sojourn.yaml";
};

} // namespace

void add_channel(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "channel", "Where a channel stands; pause, resume or drain it, or try again what it has "
                   "set aside");
    const auto options = std::make_shared<Options>();
    command->add_option("name", options->name, "A channel of the configuration")->required();
    command->add_option("command", options->command, "Without one it only shows")
        ->check(CLI::IsMember({"pause", "resume", "drain", "retry-dead"}));
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] {
        auto target = "/admin/channels/" + url_encode(options->name);
        if (!options->command.empty()) target += '/' + options->command;
        exit_code = ask_and_print(options->config, options->command.empty() ? "GET" : "POST",
                                  target, "channel: " + options->name);
    });
}

} // namespace runtime
