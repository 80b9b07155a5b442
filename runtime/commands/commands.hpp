/// The subcommands of `sojourn`, each in a file of its own. A command writes results to stdout,
/// everything else to stderr, and says how it ended by the exit code: 0 done, 1 the input is at
/// fault, 2 usage, 3 the environment.
#pragma once

#include <CLI/App.hpp>

namespace runtime {

inline constexpr int exit_done = 0, exit_input = 1, exit_usage = 2, exit_environment = 3;

// Each adds one subcommand whose callback sets `exit_code`.
void add_audit(CLI::App& app, int& exit_code);
void add_channel(CLI::App& app, int& exit_code);
void add_enter(CLI::App& app, int& exit_code);
void add_erase(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_coupons(CLI::App& app, int& exit_code); ///< After `add_import`, which it adds to.
void add_convert(CLI::App& app, int& exit_code);
void add_customer(CLI::App& app, int& exit_code);
void add_downgrade(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_evaluate(CLI::App& app, int& exit_code);
void add_events(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_fit(CLI::App& app, int& exit_code);
void add_help(CLI::App& app, int& exit_code);
void add_parked(CLI::App& app, int& exit_code);
void add_import(CLI::App& app, int& exit_code);
void add_privacy(CLI::App& app, int& exit_code);
void add_rejects(CLI::App& app, int& exit_code);
void add_send(CLI::App& app, int& exit_code);
void add_try(CLI::App& app, int& exit_code);
void add_serve(CLI::App& app, int& exit_code);
void add_walks(CLI::App& app, int& exit_code);
void add_simulate(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);

} // namespace runtime
