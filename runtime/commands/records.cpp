#include "runtime/audit.hpp"
#include "runtime/commands/ask.hpp"
#include "runtime/database.hpp"
#include "runtime/decision_report.hpp"
#include "runtime/journey_report.hpp"

#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string id, config = "config/sojourn.yaml", action, customer, head;
    bool json = false;
};

std::shared_ptr<Options> with_config(CLI::App& command) {
    auto options = std::make_shared<Options>();
    command.add_option("--config", options->config, "The configuration")->capture_default_str();
    return options;
}

int fail(const journeys::Error& error) {
    std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
    return exit_environment;
}

/// With no service running the database is read.
int report_from_database(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return fail(database.error());
    const auto now = std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
    const auto decided = report_decisions(database->conninfo, options.id, now);
    if (!decided) return fail(decided.error());
    std::string text = options.json ? report_json(*decided) + '\n' : report_text(*decided);
    if (!options.id.empty()) {
        const auto report = report_journey(database->conninfo, options.id);
        if (!report) return fail(report.error());
        text = options.json ? report_json(*report, text) + '\n' : report_text(*report) + text;
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

int verify_in_database(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return fail(database.error());
    const auto verdict = Audit{database->conninfo}.verify(options.head);
    if (!verdict) return fail(verdict.error());
    const auto [text, is_good] = Audit::told(*verdict, options.head);
    if (!is_good) {
        std::fprintf(stderr, "sojourn: %s\n", text.c_str());
        return exit_input;
    }
    std::printf("%s\n", text.c_str());
    return exit_done;
}

} // namespace

void add_erase(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "erase", "Forget a customer everywhere; what was suppressed stays so, by a hash");
    const auto options = with_config(*command);
    command->add_option("id", options->id, "Any of the customer's ids")->required();
    command->callback([options, &exit_code] {
        exit_code =
            ask_and_print(options->config, "DELETE", "/v1/customers/" + url_encode(options->id),
                          "customer: " + options->id);
    });
}

void add_audit(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("audit", "Who decided what; verify: whether all of it is unchanged");
    const auto options = with_config(*command);
    command->add_option("action", options->action, "verify")->check(CLI::IsMember({"verify"}));
    command->add_option("--customer", options->customer, "Only what was done to this customer");
    auto* const head =
        command->add_option("--head", options->head,
                            "With verify: a hash that was the newest once, as the service's "
                            "log has it of every start; so that a cut-off end is seen");
    head->check([](const std::string& text) {
        return Audit::is_head(text) ? "" : "a hash, or its first 16 digits at least";
    });
    command->callback([options, &exit_code] {
        if (!options->head.empty() && options->action.empty()) {
            std::fprintf(stderr, "sojourn: --head goes with verify\n");
            exit_code = exit_usage;
            return;
        }
        std::string target = "/admin/audit";
        if (!options->action.empty())
            target += "/verify" + (options->head.empty() ? "" : "?head=" + options->head);
        else if (!options->customer.empty())
            target += "?customer=" + url_encode(options->customer);
        std::function<int()> without;
        if (!options->action.empty()) without = [options] { return verify_in_database(*options); };
        exit_code = ask_and_print(options->config, "GET", target, "entry", without);
    });
}

void add_report(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("report", "What a journey did and decided, and what came of it against "
                                     "the holdout; without a journey: what was decided for the "
                                     "shop's own pages");
    const auto options = with_config(*command);
    command->add_option("journey", options->id, "The journey's id");
    command->add_flag("--json", options->json, "For programs");
    command->callback([options, &exit_code] {
        const auto which = options->id.empty() ? std::string{} : '/' + url_encode(options->id);
        exit_code = ask_and_print(
            options->config, "GET", "/admin/report" + which + (options->json ? "?json=1" : ""),
            "journey: " + options->id, [options] { return report_from_database(*options); });
    });
}

} // namespace runtime
