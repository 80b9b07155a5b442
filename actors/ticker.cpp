#include "actors/ticker.hpp"

#include <utility>

namespace actors {

namespace {

constexpr int idle_ticks_min = 10; ///< Before it goes slower.
constexpr int slower = 5;

} // namespace

Ticker::Ticker(caf::actor_config& config, std::chrono::milliseconds span,
               std::vector<caf::actor> told, std::shared_ptr<Pulse> pulse)
    : event_based_actor(config), span_(span), told_(std::move(told)), pulse_(std::move(pulse)) {}

caf::behavior Ticker::make_behavior() {
    delayed_send(this, span_, Tick{});
    return {[this](Tick) {
        idle_ticks_ = std::exchange(pulse_->is_busy, false) ? 0 : idle_ticks_ + 1;
        delayed_send(this, idle_ticks_ < idle_ticks_min ? span_ : slower * span_, Tick{});
        for (const auto& actor : told_) send(actor, Tick{});
    }};
}

} // namespace actors
