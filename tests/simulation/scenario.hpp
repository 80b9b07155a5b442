/// A life of the service by chance, from one seed: people, processes, faults; then calm, and the
/// account.
#pragma once

#include "tests/simulation/mutants.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace simulation {

struct Result {
    std::string violation; ///< The first thing that must not be; empty: all was well.
    std::uint64_t digest = 0, steps = 0;
    std::size_t records = 0, intents = 0, crashes = 0, zombies = 0, publications = 0, transfers = 0,
                parked = 0;
    std::size_t walks = 0;                      ///< That were begun.
    std::map<std::string, std::size_t> entered; ///< Runs, by journey.
};

/// The same seed gives the same result, to the last bit of `digest`. `teller` gets the story, line
/// by line.
Result run(std::uint64_t seed, Mutant mutant = Mutant::none,
           std::function<void(const std::string&)> teller = {});

} // namespace simulation
