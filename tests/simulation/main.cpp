/// The simulation by hand, for nights:
/// `simulation [--seeds N] [--seed S] [--mutant NAME] [--story yes]`.
///
/// Ends at the first seed that breaks an invariant, with exit code 1, and says which; the same seed
/// breaks it again. With a mutant it is the other way round: 1 where none of the seeds saw it.
#include "tests/simulation/scenario.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

/// States and payloads are bytes.
std::string printable(std::string text) {
    for (char& byte : text)
        if (byte < ' ' || byte > '~') byte = '.';
    return text;
}

} // namespace

int main(int argc, char** argv) {
    using simulation::Mutant;
    std::uint64_t first = 1, count = 1000;
    Mutant mutant = Mutant::none;
    std::function<void(const std::string&)> teller;
    std::string_view name = std::getenv("SOJOURN_MUTANT") ? std::getenv("SOJOURN_MUTANT") : "";
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view key = argv[i];
        if (key == "--seeds")
            count = std::strtoull(argv[i + 1], nullptr, 10);
        else if (key == "--seed")
            first = std::strtoull(argv[i + 1], nullptr, 10);
        else if (key == "--mutant")
            name = argv[i + 1];
        else if (key == "--story")
            teller = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
        else
            argc = 0;
    }
    const auto known = simulation::mutant_called(name);
    if (argc == 0 || argc % 2 == 0 || (!name.empty() && !known)) {
        std::fputs("usage: simulation [--seeds N] [--seed S] [--mutant NAME] [--story yes]\n"
                   "mutants:",
                   stderr);
        for (const auto& [text, which] : simulation::mutant_names)
            std::fprintf(stderr, " %s", std::string{text}.c_str());
        std::fputs("\n", stderr);
        return 2;
    }
    if (known) mutant = *known;
    const auto began = std::chrono::steady_clock::now();
    simulation::Result sum;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const auto result = simulation::run(seed, mutant, teller);
        if (!result.violation.empty()) {
            std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                        printable(result.violation).c_str());
            return mutant == Mutant::none ? 1 : 0;
        }
        sum.digest = sum.digest * 31 + result.digest;
        sum.steps += result.steps;
        sum.records += result.records;
        sum.intents += result.intents;
        sum.crashes += result.crashes;
        sum.zombies += result.zombies;
        sum.publications += result.publications;
        sum.transfers += result.transfers;
        sum.parked += result.parked;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf(
        "%llu seeds from %llu in %.1f s (%.1f a second): %llu steps, %zu records, %zu "
        "intents, %zu crashes, %zu zombies, %zu publications, %zu transfers, %zu parked; digest "
        "%016llx\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(first),
        took.count(), static_cast<double>(count) / took.count(),
        static_cast<unsigned long long>(sum.steps), sum.records, sum.intents, sum.crashes,
        sum.zombies, sum.publications, sum.transfers, sum.parked,
        static_cast<unsigned long long>(sum.digest));
    return mutant == Mutant::none ? 0 : 1;
}
