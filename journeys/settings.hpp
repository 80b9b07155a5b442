/// What an operator decides for all journeys: when and how often people may be written to.
#pragma once

#include "journeys/lifecycle.hpp"
#include "journeys/time.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace journeys {

/// What the law of some countries asks for; what is not said is as everywhere else.
struct ConsentOfCountries {
    std::vector<std::string> countries; ///< As customers' messages name them: `DE`.
    std::optional<bool> needs_opt_in, needs_confirmation;
};

/// What a channel needs of the customer, and what it is, as far as rules go. How it is called is
/// the adapter's.
struct ChannelRules {
    std::string name;
    std::string type; ///< `sandbox`, `webhook`, …
    std::string
        address; ///< The trait that must hold an address: `email`, `phone`; empty: none needed.
    bool needs_opt_in =
        true; ///< True: only `subscribed` may be written to. False: `never` may be, too.
    bool needs_confirmation = false; ///< Double opt-in: `subscribed` counts once it is confirmed.
    std::vector<ConsentOfCountries> by_country; ///< The first that names the customer's counts.
    bool deduplicates = false;                  ///< The provider honours our idempotency key.
    bool renders = false; ///< Templates of config/templates are rendered here for it.
    std::map<std::string, std::string>
        templates; ///< Ours -> the provider's id; empty: names as they are.
};

/// No messages between `from` and `to` of the customer's own local day, of whatever purpose, but
/// for sends that ignore them; `from` > `to` spans midnight.
struct QuietHours {
    std::vector<std::string> channels; ///< Empty: all.
    std::chrono::minutes from{}, to{}; ///< Of the day, 0 to 1439.
    /// What they hold back leaves spread over so long behind their end, 0 to 2 h. 0: all at once.
    Duration jitter = std::chrono::minutes{15};
};
inline constexpr Duration quiet_jitter_max = std::chrono::hours{2};

/// At most `messages` within any window of `per`, counted over the named channel and topic (empty:
/// all).
struct Cap {
    std::string channel, topic;
    std::int64_t messages = 0;
    Duration per{};
    /// Journeys of a higher priority than this are counted and not held back.
    std::optional<int> above{};
};

struct Settings {
    std::uint64_t seed = 0;       ///< Of the workspace: ids, holdouts and splits hang on it.
    std::string timezone = "UTC"; ///< Of customers whose own is unknown. IANA.
    /// What values, costs, margins and models reckon in. ISO 4217; empty: whatever money comes.
    std::string currency;
    Duration session_idle = std::chrono::minutes{30};
    Duration max_lateness = std::chrono::hours{24};
    Duration dedup_window = std::chrono::hours{72};
    double holdout = 0; ///< Global share that gets nothing, 0 to 1; sticky by customer.
    std::vector<ChannelRules> channels;
    std::vector<std::string> topics;
    std::vector<QuietHours> quiet_hours;
    std::vector<Cap> caps;
    /// How active people are by the hour of their own day, midnight first: what `at: best_hour`
    /// knows of those who have shown nothing yet. Empty: it sends them at once.
    std::vector<double> active_hours;
    double active_hours_weight = 12; ///< As many opens of a person's own count as much as that.
    StagePolicy stages;
    std::vector<std::string> testers; ///< Customer ids that `test` journeys let in.
    bool assume_permission = false; ///< `simulate` without a configuration: consent, address, quiet
                                    ///< hours, caps as granted.
    bool all_live = false;          ///< `simulate`: every journey counts as live.

    const ChannelRules* channel(std::string_view name) const {
        for (const auto& rules : channels)
            if (rules.name == name) return &rules;
        return nullptr;
    }
};

} // namespace journeys
