/// The shop's own events, learned from what was sent: names that no standard has, and the types of
/// their properties. What `sojourn events --learn` writes is `config/events.yaml`.
#pragma once

#include "journeys/event.hpp"
#include "schema/events_yaml.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace schema {

class EventLearner {
public:
    /// The bounds; what comes beyond them is counted and left out.
    static constexpr std::size_t events_max = 500, properties_max = 100;

    void see(const journeys::Event& event);
    /// A file with everything that `declared` says, and what was seen beside it.
    std::string yaml(const EventsFile& declared) const;

    std::uint64_t seen() const { return seen_; }         ///< Events of any name.
    std::uint64_t left_out() const { return left_out_; } ///< Events and properties past a bound.

private:
    struct Seen {
        std::uint64_t count = 0;
        std::map<std::string, std::string> properties; ///< Name -> type; empty where they differ.
    };
    std::map<std::string, Seen> events_;
    std::uint64_t seen_ = 0, left_out_ = 0;
};

} // namespace schema
