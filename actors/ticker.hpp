/// Tells the actors of a shard that it is time to look around.
#pragma once

#include "actors/messages.hpp"

#include "actors/pulse.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace actors {

/// One entry of CAF's clock for all of them: every entry costs a wake-up of the clock's thread and
/// one of the shard's, and a shard has dozens of actors that look around. Where none of them has
/// had anything to do for a while it goes slower: of an idle service ticks are most of what it
/// costs.
class Ticker : public caf::event_based_actor {
public:
    /// Sends each of `told` a `Tick` every `span`, of the scheduler's time; while none of them says
    /// by `pulse` that it is busy every five spans, and after a while every twenty-five.
    Ticker(caf::actor_config& config, std::chrono::milliseconds span, std::vector<caf::actor> told,
           std::shared_ptr<Pulse> pulse);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override { told_.clear(); }

private:
    std::chrono::milliseconds span_;
    std::vector<caf::actor> told_;
    std::shared_ptr<Pulse> pulse_;
    int idle_ticks_ = 0; ///< In a row.
};

} // namespace actors
