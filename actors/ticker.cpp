#include "actors/ticker.hpp"

#include <utility>

namespace actors {

Ticker::Ticker(caf::actor_config& config, std::chrono::milliseconds span,
               std::vector<caf::actor> told)
    : event_based_actor(config), span_(span), told_(std::move(told)) {}

caf::behavior Ticker::make_behavior() {
    delayed_send(this, span_, Tick{});
    return {[this](Tick) {
        delayed_send(this, span_, Tick{});
        for (const auto& actor : told_) send(actor, Tick{});
    }};
}

} // namespace actors
