#include "runtime/commands/commands.hpp"

#include "journeys/environment.hpp"
#include "journeys/reason_reference.hpp"
#include "schema/journey_reference.hpp"

#include <CLI/Validators.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace runtime {
namespace {

struct Options {
    std::string topic, section;
};

int help(const Options& options) {
    const auto print = [](const std::string& text) { std::fputs(text.c_str(), stdout); };
    if (options.topic == "cel") {
        print(journeys::expressions_reference());
        return exit_done;
    }
    if (options.topic == "reasons") {
        print(journeys::reasons_reference());
        return exit_done;
    }
    const auto sections = schema::journey_reference_sections();
    if (options.section == "all") {
        for (const auto& name : sections) print(*schema::journey_reference(name) + '\n');
        return exit_done;
    }
    const auto text =
        schema::journey_reference(options.section.empty() ? "journey" : options.section);
    if (!text) {
        std::fprintf(stderr, "no part \"%s\" of a journey; there are:", options.section.c_str());
        for (const auto& name : sections) std::fprintf(stderr, " \"%s\"", name.c_str());
        std::fprintf(stderr, " all\n");
        return exit_usage;
    }
    print(*text);
    return exit_done;
}

} // namespace

void add_help(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "help", "References: `help journey [PART]`, `help cel` for expressions, `help reasons`");
    const auto options = std::make_shared<Options>();
    command
        ->add_option("topic", options->topic,
                     "journey: the keys of a journey's file; cel: what expressions may name, as "
                     "Markdown; reasons: why something did not happen, as Markdown")
        ->required()
        ->check(CLI::IsMember({"journey", "cel", "reasons"}));
    command->add_option("part", options->section,
                        "Of a journey: enter, wait, send, … or all; else the file's own keys");
    command->callback([options, &exit_code] { exit_code = help(*options); });
}

} // namespace runtime
