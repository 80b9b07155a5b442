/// Faults, injected into the real service on a real PostgreSQL: `faults [TEST] [--seed N]
/// [--cycles N] [--minutes N] [--keep]`; `--list-tests` names them.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "tests/faults/options.hpp"

#include <csignal>
#include <random>

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    auto& options = faults::options();
    Catch::Session session;
    using Catch::clara::Opt;
    session.cli(session.cli() | Opt(options.seed, "number")["--seed"]("repeats a run") |
                Opt(options.cycles, "count")["--cycles"]("how often a fault is repeated") |
                Opt(options.minutes, "minutes")["--minutes"]("how long the long ones take") |
                Opt(options.binary, "file")["--binary"]("the service under test") |
                Opt(options.keep)["--keep"]("leaves the folders of failed runs"));
    if (const int mistake = session.applyCommandLine(argc, argv); mistake != 0) return mistake;
    if (options.seed == 0) options.seed = std::random_device{}();
    return session.run();
}
