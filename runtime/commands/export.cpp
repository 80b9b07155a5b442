#include "runtime/commands/ask.hpp"

#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/decision_log.hpp"
#include "runtime/publication.hpp"
#include "schema/log_json.hpp"

#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string id, config = "config/sojourn.yaml";
    bool log = false, decisions = false, rewards = false;
};

int export_log(const Options& options) {
    auto database = open_database(options.config);
    if (!database) {
        std::fprintf(stderr, "sojourn: %s\n", database.error().detail.c_str());
        return exit_environment;
    }
    Archive archive{database->conninfo};
    const auto read = archive.read_log([](const schema::StoredRecord& record) {
        const auto line = schema::to_log_line(record);
        std::fwrite(line.data(), 1, line.size(), stdout);
        std::fputc('\n', stdout);
    });
    if (read) return exit_done;
    std::fprintf(stderr, "sojourn: %s\n", read.error().detail.c_str());
    return exit_environment;
}

int export_decisions(const Options& options) {
    auto database = open_database(options.config);
    const auto fail = [](const std::string& why) {
        std::fprintf(stderr, "sojourn: %s\n", why.c_str());
        return exit_environment;
    };
    if (!database) return fail(database.error().detail);
    // As far as the service's clock has come, whatever clock that is.
    const auto now = Archive{database->conninfo}.newest_instant();
    if (!now) return fail(now.error().detail);
    const auto written = write_decisions(database->conninfo, *now, [](const std::string& line) {
        std::fwrite(line.data(), 1, line.size(), stdout);
        std::fputc('\n', stdout);
    });
    if (!written) return fail(written.error().detail);
    std::fprintf(stderr,
                 "%zu decisions; left out: %zu whose reward may still come, %zu of customers "
                 "held out, %zu that were not waited for to the end (too many of one customer)\n",
                 written->written, written->still_open, written->held_out, written->forgotten);
    return exit_done;
}

int export_rewards(const Options& options) {
    auto database = open_database(options.config);
    const auto fail = [](const std::string& why) {
        std::fprintf(stderr, "sojourn: %s\n", why.c_str());
        return exit_environment;
    };
    if (!database) return fail(database.error().detail);
    const auto stored = Archive{database->conninfo}.publications();
    if (!stored) return fail(stored.error().detail);
    const auto newest = newest_rewards(*stored);
    if (!newest) {
        std::fprintf(stderr, "nothing was learned yet\n");
        return exit_input;
    }
    std::fwrite(newest->data(), 1, newest->size(), stdout);
    return exit_done;
}

} // namespace

void add_export(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "export",
        "All that is stored of a customer, as JSON; or, with --log, the recorded log, one "
        "JSON object a line, for simulate --log; or, with --decisions, the decisions as CSV, for "
        "evaluate --log");
    const auto options = std::make_shared<Options>();
    auto* const id = command->add_option("id", options->id, "Any of the customer's ids");
    command->add_flag("--log", options->log, "All records, by the time of their acceptance")
        ->excludes(id);
    command
        ->add_flag("--decisions", options->decisions,
                   "All decisions, what came of them, and with which chance each was chosen")
        ->excludes(id);
    command
        ->add_flag("--rewards", options->rewards,
                   "What was learned of actions, as JSON, for simulate --rewards")
        ->excludes(id);
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] {
        if (options->id.empty() && !options->log && !options->decisions && !options->rewards)
            throw CLI::RequiredError{"A customer's id, or --log, --decisions or --rewards,"};
        exit_code = options->decisions ? export_decisions(*options)
                    : options->rewards ? export_rewards(*options)
                    : options->log
                        ? export_log(*options)
                        : ask_and_print(options->config, "GET",
                                        "/v1/customers/" + url_encode(options->id) + "/export",
                                        "customer: " + options->id);
    });
}

} // namespace runtime
