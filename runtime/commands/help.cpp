#include "runtime/commands/commands.hpp"

#include "journeys/environment.hpp"
#include "journeys/reason_reference.hpp"
#include "runtime/printable.hpp"
#include "runtime/reference_text.hpp"
#include "schema/journey_reference.hpp"

#include <CLI/Validators.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace runtime {
namespace {

struct Options {
    std::string topic, part;
    bool markdown = false;
};

int print_reference(const std::string& markdown, const Options& options) {
    if (options.markdown) {
        std::fputs(markdown.c_str(), stdout);
        return exit_done;
    }
    const auto text = reference_text(markdown, options.part);
    if (text.empty()) {
        std::fprintf(stderr, "nothing here is named \"%s\": see sojourn help %s\n",
                     printable(options.part).c_str(), options.topic.c_str());
        return exit_usage;
    }
    std::fputs(text.c_str(), stdout);
    return exit_done;
}

int help(const Options& options) {
    const auto print = [](const std::string& text) { std::fputs(text.c_str(), stdout); };
    if (options.topic == "cel") return print_reference(journeys::expressions_reference(), options);
    if (options.topic == "reasons") return print_reference(journeys::reasons_reference(), options);
    const auto sections = schema::journey_reference_sections();
    if (options.part == "all") {
        for (const auto& name : sections) print(*schema::journey_reference(name) + '\n');
        return exit_done;
    }
    const auto text = schema::journey_reference(options.part.empty() ? "journey" : options.part);
    if (!text) {
        std::fprintf(stderr, "no part \"%s\" of a journey; there are:", options.part.c_str());
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
        "help",
        "References: `help journey [PART]`, `help cel [WORD]` for expressions, `help reasons`");
    const auto options = std::make_shared<Options>();
    command
        ->add_option(
            "topic", options->topic,
            "journey: the keys of a journey's file; cel: what expressions may name; reasons: "
            "why something did not happen")
        ->required()
        ->check(CLI::IsMember({"journey", "cel", "reasons"}));
    command->add_option("part", options->part,
                        "Of a journey: enter, wait, send, … or all; else the file's own keys. Of "
                        "cel and reasons: only what has this name, such as cart or size");
    command->add_flag("--markdown", options->markdown, "cel and reasons whole, as Markdown");
    command->callback([options, &exit_code] { exit_code = help(*options); });
}

} // namespace runtime
