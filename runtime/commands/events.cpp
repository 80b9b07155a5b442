#include "runtime/commands/commands.hpp"

#include "runtime/event_files.hpp"
#include "schema/event_learning.hpp"

#include <cstdio>
#include <fstream>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::vector<std::string> learn;
    std::string declared = "config/events.yaml", out;
    bool log = false;
};

int events(const Options& options) {
    schema::EventsFile declared;
    if (const auto text = read_file(options.declared)) {
        declared = schema::load_events(options.declared, *text);
        for (const auto& mistake : declared.mistakes)
            std::fprintf(stderr, "%s\n", schema::to_text(mistake).c_str());
        if (!declared.mistakes.empty()) return exit_input;
    }
    const std::vector<std::filesystem::path> files{options.learn.begin(), options.learn.end()};
    const auto recorded = options.log ? read_log(files) : read_events(files);
    if (!recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().detail.c_str());
        return exit_environment;
    }
    schema::EventLearner learner;
    for (const auto& record : recorded->records)
        if (const auto* event = record.event()) learner.see(*event);
    const auto text = learner.yaml(declared);
    const auto doubtful = learner.doubtful(declared);
    for (const auto& [name, why] : doubtful)
        std::fprintf(stderr, "left out %s: %s\n", schema::quoted(name).c_str(), why.c_str());
    std::fprintf(stderr,
                 "%llu events read, %llu lines refused, %llu names and properties left out\n",
                 static_cast<unsigned long long>(learner.seen()),
                 static_cast<unsigned long long>(recorded->refused_count),
                 static_cast<unsigned long long>(learner.left_out() + doubtful.size()));
    if (options.out.empty()) {
        std::fputs(text.c_str(), stdout);
        return exit_done;
    }
    std::ofstream out{options.out, std::ios::binary | std::ios::trunc};
    out << text;
    out.close();
    if (out) return exit_done;
    std::fprintf(stderr, "%s: cannot be written\n", options.out.c_str());
    return exit_environment;
}

} // namespace

void add_events(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "events", "The shop's own events: learn names and properties from what was sent");
    const auto options = std::make_shared<Options>();
    command->add_option("--learn", options->learn, "Recorded events")->required();
    command->add_flag("--log", options->log, "They are of `sojourn export --log`");
    command
        ->add_option("--declared", options->declared,
                     "What is declared already, and is kept (its comments are not)")
        ->capture_default_str();
    command->add_option("--out", options->out, "Written here, else printed");
    command->callback([options, &exit_code] { exit_code = events(*options); });
}

} // namespace runtime
