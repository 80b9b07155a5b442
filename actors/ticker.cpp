#include "actors/ticker.hpp"

#include <utility>

namespace actors {

namespace {

/// So many ticks in a row without anything to do, and so much slower it goes from then on.
struct Pace {
    int idle_ticks;
    int slower;
};
constexpr Pace slow{10, 5}, slowest{20, 25};

int pace_after(int idle_ticks) {
    if (idle_ticks >= slowest.idle_ticks) return slowest.slower;
    return idle_ticks >= slow.idle_ticks ? slow.slower : 1;
}

} // namespace

Ticker::Ticker(caf::actor_config& config, std::chrono::milliseconds span,
               std::vector<caf::actor> told, std::shared_ptr<Pulse> pulse)
    : event_based_actor(config), span_(span), told_(std::move(told)), pulse_(std::move(pulse)) {}

caf::behavior Ticker::make_behavior() {
    delayed_send(this, span_, Tick{});
    return {[this](Tick) {
        idle_ticks_ = std::exchange(pulse_->is_busy, false) ? 0 : idle_ticks_ + 1;
        delayed_send(this, pace_after(idle_ticks_) * span_, Tick{});
        for (const auto& actor : told_) send(actor, Tick{});
    }};
}

} // namespace actors
