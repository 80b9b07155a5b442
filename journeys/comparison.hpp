/// Two runs over the same events, side by side: what the second would send more, less, or at
/// another time.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace journeys {

/// What one run did, kept only as far as a comparison needs it.
class RunRecord {
public:
    void note(const CustomerId& customer, const TimelineEntry& entry);

    /// The n-th message of one step of one run.
    struct Key {
        std::string customer, journey, key, step;
        auto operator<=>(const Key&) const = default;
    };
    struct Ended {
        Timestamp at{};
        std::string what; ///< In words: `when line 7`, `exited: purchased`, `suppressed: capped`.
    };
    std::map<Key, std::vector<Timestamp>> sends;
    std::map<std::pair<std::string, std::string>, std::vector<Ended>>
        misses; ///< By (customer, journey): why an event opened no run.
    /// By run, with an empty `step`.
    std::map<Key, std::vector<Timestamp>> entered;
    std::map<Key, std::vector<Ended>> ended; ///< The same: by which end it left out what followed.
    std::map<Key, std::string> suppressed;
    std::set<std::pair<std::string, std::string>> steps_seen; ///< (journey, step)
    std::uint64_t capped = 0;
    /// The most messages that any customer got within seven days.
    std::int64_t most_in_seven_days() const;
};

struct StepComparison {
    std::string journey, step;
    std::uint64_t before = 0, after = 0, no_longer = 0, added = 0, moved = 0;
    Duration median_shift{}; ///< Of those at another time; positive: later.
};

struct Comparison {
    std::vector<StepComparison> steps; ///< By journey and step.
    std::map<std::pair<std::string, std::string>, std::map<std::string, std::uint64_t>>
        why_no_longer; ///< By step.
    std::uint64_t customers_with_more = 0, customers_with_fewer = 0;
    std::int64_t most_before = 0, most_after = 0;
    std::uint64_t capped_before = 0, capped_after = 0;
    struct Example {
        std::string customer, what;
    };
    std::vector<Example> examples; ///< At most five.
};

/// The messages that a journey can send, by the names of their steps, with what tells whether a
/// step of another name is the same one.
struct SendSteps {
    std::map<std::string, std::map<std::string, std::string>> journeys;
};
SendSteps send_steps_of(const Catalog& catalog);

/// `old_steps` and `new_steps`, where given: a message is missing too because its step or journey
/// is gone, and that is said before anything that happened to a customer.
Comparison compare(const RunRecord& before, const RunRecord& after, const SendSteps& old_steps = {},
                   const SendSteps& new_steps = {});

} // namespace journeys
