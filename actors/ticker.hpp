/// Tells the actors of a shard that it is time to look around.
#pragma once

#include "actors/messages.hpp"

#include <chrono>
#include <vector>

namespace actors {

/// One entry of CAF's clock for all of them: every entry costs a wake-up of the clock's thread and
/// one of the shard's, and a shard has dozens of actors that look around.
class Ticker : public caf::event_based_actor {
public:
    /// Sends each of `told` a `Tick` every `span`, of the scheduler's time.
    Ticker(caf::actor_config& config, std::chrono::milliseconds span, std::vector<caf::actor> told);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override { told_.clear(); }

private:
    std::chrono::milliseconds span_;
    std::vector<caf::actor> told_;
};

} // namespace actors
