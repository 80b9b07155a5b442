#include "runtime/commands/commands.hpp"

#include "journeys/environment.hpp"

#include <CLI/Validators.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace runtime {

void add_help(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("help", "References: `help cel` for expressions");
    const auto topic = std::make_shared<std::string>();
    command->add_option("topic", *topic, "cel: what expressions may name, as Markdown")
        ->required()
        ->check(CLI::IsMember({"cel"}));
    command->callback([topic, &exit_code] {
        std::fputs(journeys::expressions_reference().c_str(), stdout);
        exit_code = exit_done;
    });
}

} // namespace runtime
