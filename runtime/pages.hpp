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
    std::string not_ready;             ///< Empty: all is well.
    std::vector<std::string> warnings; ///< Journeys that are not as expected, pools that run low.
    struct Journey {
        std::string id, title, status, version;
        std::uint64_t entered = 0, sent = 0, held_back = 0, ended = 0;
        /// An expression and what became of it, over all customers since the service started.
        struct Expression {
            std::string role, place, text; ///< `enter.when`, `cart.yaml:7`, `cart.value > 20`.
            std::uint64_t evaluated = 0, met = 0, failed = 0;
            bool is_condition = true; ///< Else a value, which is never met.
        };
        std::vector<Expression> expressions;
        std::uint64_t failed() const; ///< Of all of them.
        std::string watch{},
            alarm{}; ///< What it does of what is expected; `silent`, …; empty: none.
    };
    std::vector<Journey> journeys;
    std::uint64_t events = 0, active = 0;
    std::vector<TimelineRow> triggers; ///< Newest first.
    std::string zone = "UTC";
};

/// For `Overview::Journey::expressions`, as of now.
std::vector<Overview::Journey::Expression>
overview_of_expressions(const journeys::Journey& journey);

std::string overview_html(const Overview& overview);
/// `GET /v1/journeys`.
std::string journeys_json(const Overview& overview);

} // namespace runtime
