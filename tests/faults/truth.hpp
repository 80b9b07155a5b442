/// What the log holds, and what a sequential reference run makes of it: with this the proof
/// compares what the service has made of the same log.
#pragma once

#include "journeys/customer.hpp"
#include "tests/faults/findings.hpp"
#include "tests/faults/world.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace faults {

struct Truth {
    struct Opened {
        std::string customer, journey, channel;
        journeys::Timestamp at{};
    };
    std::map<std::string, int> messages; ///< How often each id is in the log.
    std::unordered_map<journeys::CustomerId, journeys::Customer> customers;
    std::map<std::string, Opened> opened; ///< Intents, by id.
    std::multiset<std::string> entered;   ///< As `entered_text` has them.
};

std::string entered_text(const std::string& customer, const std::string& journey,
                         const std::string& key, journeys::Timestamp at);

/// What is wrong with the log itself goes to the findings.
Truth truth_of(World& world, Findings& findings);

} // namespace faults
