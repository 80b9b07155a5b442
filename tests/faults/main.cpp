/// Faults, injected into the real service on a real PostgreSQL: `faults [TEST] [--seed N]
/// [--full] [--cycles N] [--minutes N] [--keep]`; `--list-tests` names them, `--help` their sizes.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "tests/faults/options.hpp"
#include "tests/faults/sizes.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    auto& options = faults::options();
    Catch::Session session;
    using Catch::clara::Opt;
    session.cli(session.cli() | Opt(options.seed, "number")["--seed"]("repeats a run") |
                Opt(options.full)["--full"]("every fault as large as the promise; hours") |
                Opt(options.cycles, "count")["--cycles"](
                    "how often a fault is repeated, or how many customers or connections; 0: as "
                    "many as each says") |
                Opt(options.minutes, "minutes")["--minutes"](
                    "how long those that last take; 0: as long as each says") |
                Opt(options.binary, "file")["--binary"]("the service under test") |
                Opt(options.keep)["--keep"]("leaves the folders of failed runs"));
    if (const int mistake = session.applyCommandLine(argc, argv); mistake != 0) return mistake;
    if (session.configData().showHelp) faults::print_sizes();
    const auto& asked = session.configData();
    const bool only_lists =
        asked.listTests || asked.listTestNamesOnly || asked.listTags || asked.listReporters;
    if (options.cycles < 0 || options.minutes < 0) {
        std::fprintf(stderr, "--cycles and --minutes are 0 or more\n");
        return EXIT_FAILURE;
    }
    if (!only_lists && ::access(options.binary.c_str(), X_OK) != 0) {
        std::fprintf(stderr, "%s: %s\n", options.binary.c_str(), std::strerror(errno));
        return EXIT_FAILURE;
    }
    // Who mistypes a name is not to believe that it passed.
    session.configData().warnings = static_cast<Catch::WarnAbout::What>(
        session.configData().warnings | Catch::WarnAbout::NoTests);
    if (options.seed == 0) options.seed = std::random_device{}();
    const int failed = session.run();
    // What lists the tests answers how many there are.
    if (failed != 0 && !only_lists)
        std::fprintf(stderr, "--seed %llu repeats this run\n",
                     static_cast<unsigned long long>(options.seed));
    return failed;
}
