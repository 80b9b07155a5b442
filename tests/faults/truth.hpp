/// What the log holds, and what a sequential reference run makes of it: with this the proof
/// compares what the service has made of the same log.
#pragma once

#include "journeys/customer.hpp"
#include "tests/faults/findings.hpp"
#include "tests/faults/world.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace faults {

/// Some customers, where there are too many for a proof of all: none that was ever linked.
struct Sample {
    /// SQL, of rows that have a column `customer`. Empty: everybody.
    std::string customers{};
    /// Whether a message, by its id, is of one of them. Empty: all are.
    std::function<bool(const std::string& id)> has{};

    std::string and_them() const { return customers.empty() ? "" : " AND (" + customers + ')'; }
    bool takes(const std::string& id) const { return !has || has(id); }
};

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
Truth truth_of(World& world, const Sample& sample, Findings& findings);

} // namespace faults
