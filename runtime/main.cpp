#include "runtime/commands/commands.hpp"
#include "runtime/failpoint.hpp"
#include "runtime/printable.hpp"
#include "schema/mistakes.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

/// Whether the first word is a command; says so where it is none.
bool knows_command(const CLI::App& app, const std::string& word) {
    if (word.starts_with('-')) return true; // An option, or a mistake that the parser tells.
    std::vector<std::string> known;
    for (const auto* command : app.get_subcommands({})) known.push_back(command->get_name());
    if (std::ranges::find(known, word) != known.end()) return true;
    auto hint = schema::did_you_mean(word, known);
    if (hint.empty()) hint = " `sojourn --help` lists them.";
    std::fprintf(stderr, "sojourn: there is no command \"%s\".%s\n",
                 runtime::printable(word.substr(0, 100)).c_str(), hint.c_str());
    return false;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Sojourn, the runtime for real-time customer journeys"};
    app.name("sojourn");
    app.set_version_flag("--version", "sojourn " SOJOURN_VERSION);
    app.require_subcommand(1);
    int exit_code = runtime::exit_done;
    runtime::add_serve(app, exit_code);
    runtime::add_check(app, exit_code);
    runtime::add_simulate(app, exit_code);
    runtime::add_try(app, exit_code);
    runtime::add_send(app, exit_code);
    runtime::add_customer(app, exit_code);
    runtime::add_import(app, exit_code);
    runtime::add_coupons(app, exit_code);
    runtime::add_privacy(app, exit_code);
    runtime::add_rejects(app, exit_code);
    runtime::add_channel(app, exit_code);
    runtime::add_report(app, exit_code);
    runtime::add_enter(app, exit_code);
    runtime::add_walks(app, exit_code);
    runtime::add_erase(app, exit_code);
    runtime::add_audit(app, exit_code);
    runtime::add_parked(app, exit_code);
    runtime::add_eval(app, exit_code);
    runtime::add_events(app, exit_code);
    runtime::add_export(app, exit_code);
    runtime::add_convert(app, exit_code);
    runtime::add_fit(app, exit_code);
    runtime::add_evaluate(app, exit_code);
    runtime::add_downgrade(app, exit_code);
    runtime::add_help(app, exit_code);
    runtime::add_bench(app, exit_code);
    if (const auto armed = runtime::arm_faults_by_environment(); !armed) {
        std::fprintf(stderr, "sojourn: %s\n", armed.error().detail.c_str());
        return runtime::exit_usage;
    }
    if (argc > 1 && !knows_command(app, argv[1])) return runtime::exit_usage;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : runtime::exit_usage;
    } catch (
        const std::exception& error) { // The last border: what nobody expected ends with one line.
        std::fprintf(stderr, "sojourn: %s\n", error.what());
        return runtime::exit_environment;
    }
    return exit_code;
}
