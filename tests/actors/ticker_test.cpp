/// How often actors are told to look around, in CAF's virtual time.
#include "actors/ticker.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

namespace {

/// Counts, and says whether it is busy.
class Told : public caf::event_based_actor {
public:
    Told(caf::actor_config& config, actors::Pulse& pulse, int& ticks, const bool& is_busy)
        : event_based_actor(config), pulse_(pulse), ticks_(ticks), is_busy_(is_busy) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](actors::Tick) {
            ++ticks_;
            if (is_busy_) pulse_.is_busy = true;
        }};
    }

private:
    actors::Pulse& pulse_;
    int& ticks_;
    const bool& is_busy_;
};

} // namespace

TEST_CASE("whoever has nothing to do is told of time less often, until they have",
          "[actors][ticker]") {
    caf::actor_system_config config;
    config.set("scheduler.policy", caf::atom("testing"));
    caf::actor_system system{config};
    auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
    const auto pulse = std::make_shared<actors::Pulse>();
    int ticks = 0;
    bool is_busy = true;
    const auto told = system.spawn<Told>(std::ref(*pulse), std::ref(ticks), std::cref(is_busy));
    const auto ticker = system.spawn<actors::Ticker>(20ms, std::vector<caf::actor>{told}, pulse);
    const auto ticks_in = [&](std::chrono::milliseconds span) {
        const int before = ticks;
        for (auto passed = 0ms; passed < span; passed += 20ms) {
            scheduler.advance_time(caf::timespan{20ms});
            scheduler.run();
        }
        return ticks - before;
    };
    scheduler.run();
    CHECK(ticks_in(1s) == 50);
    is_busy = false;
    ticks_in(400ms); // Not at once.
    CHECK(ticks_in(500ms) == 5);
    ticks_in(1s);
    CHECK(ticks_in(2s) == 4);
    is_busy = true;
    ticks_in(1s); // It notices at the next tick, and goes on faster from the one behind it.
    CHECK(ticks_in(1s) == 50);
    caf::anon_send_exit(ticker, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(told, caf::exit_reason::user_shutdown);
    scheduler.run();
}
