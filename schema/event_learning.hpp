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

    std::uint64_t seen() const { return seen_; } ///< Events of any name.
    /// Events and properties past a bound, or with a name that no file can hold.
    std::uint64_t left_out() const { return left_out_; }
    /// Names that are most likely another's, each with why it is left out: of another system, or
    /// one that is declared or seen more often in another spelling. Declared, they would hide the
    /// mistake of whoever writes them.
    std::map<std::string, std::string> doubtful(const EventsFile& declared) const;

private:
    struct Seen {
        std::uint64_t count = 0;
        std::map<std::string, std::string> properties; ///< Name -> type; empty: only null came.
        bool is_cut = false;                           ///< It had more properties than are kept.
    };
    std::map<std::string, Seen> events_;
    std::uint64_t seen_ = 0, left_out_ = 0;
};

} // namespace schema
