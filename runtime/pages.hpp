/// The page of `GET /`: live counts, the journeys, the last triggers with their reasons. Plain HTML
/// that reloads itself; no script, nothing from elsewhere.
#pragma once

#include "journeys/catalog.hpp"
#include "runtime/archive.hpp"

#include <string>
#include <vector>

namespace runtime {

struct Overview {
    journeys::Timestamp now{};
    double clock_speed = 1;
    std::string not_ready; ///< Empty: all is well.
    struct Journey {
        std::string id, title, status, version;
        std::uint64_t entered = 0, sent = 0, held_back = 0, ended = 0;
    };
    std::vector<Journey> journeys;
    std::uint64_t events = 0, active = 0;
    std::vector<TimelineRow> triggers; ///< Newest first.
    std::string zone = "UTC";
};

std::string overview_html(const Overview& overview);
/// `GET /v1/journeys`.
std::string journeys_json(const Overview& overview);

} // namespace runtime
