/// Looks after the journeys that say what is expected of them (`watch:`): counts of the last 24
/// hours, alarms that outlive a restart.
#pragma once

#include "actors/ports.hpp"
#include "journeys/watching.hpp"
#include "runtime/log.hpp"
#include "runtime/periodic.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// What a journey did in 24 hours, in pieces of ten minutes that fall off one by one: at most ten
/// minutes too much is counted. Not for sharing between threads.
class RollingDay {
public:
    static constexpr auto piece = std::chrono::minutes{10};

    /// What is older than a day before the newest is left out.
    void add(journeys::Timestamp at, const journeys::DayOfSends& more);
    journeys::DayOfSends sum(journeys::Timestamp now);

private:
    static constexpr std::size_t pieces = 145; // The one under way, and a day.
    void go_on_to(std::int64_t number);

    std::array<journeys::DayOfSends, pieces> counts_{};
    std::int64_t newest_ = 0; ///< Number of the piece since 1970.
};

/// A watched journey as of now.
struct WatchState {
    std::string journey;
    journeys::Watch watch;
    journeys::DayOfSends day;
    journeys::Alarm alarm = journeys::Alarm::none;
    journeys::Timestamp since{}; ///< Of the alarm; else since when it is live and watched.
};

/// `cart-abandon: 3 sent in 24 hours, at least 50 are expected (since Mon 14:00)`
std::string told(const WatchState& state, std::string_view zone, journeys::Timestamp now);

struct WatchKeeperParts {
    std::string conninfo;
    std::function<journeys::Timestamp()> now;
    std::function<journeys::CatalogPtr()> catalog;
    std::function<void(const WatchState& state)> show; ///< For metrics.
    Log& log;
};

/// Any thread.
class WatchKeeper {
public:
    explicit WatchKeeper(WatchKeeperParts parts) : parts_(std::move(parts)) {}

    /// This process works: reads what the last day was, and looks every `looked_at_every`.
    journeys::Result<void> begin();
    void flushed(const actors::FlushRequest& request);
    /// Judges all watched journeys. Blocking where something has changed.
    void look();
    std::vector<WatchState> states() const;
    void stop() { looking_.reset(); }

    static constexpr std::chrono::seconds looked_at_every{10};

private:
    struct Known {
        journeys::Timestamp since{};
        journeys::Alarm alarm = journeys::Alarm::none;
        journeys::Timestamp alarm_since{};
    };
    void judge(const journeys::Journey& journey, journeys::Timestamp now,
               std::vector<WatchState>& states);
    void store(const std::string& journey, const Known& known);
    void forget(const std::string& journey);

    WatchKeeperParts parts_;
    mutable std::mutex mutex_;
    std::map<std::string, RollingDay, std::less<>> days_; ///< Guarded by `mutex_`.
    std::vector<WatchState> states_;                      ///< Likewise.
    std::mutex looking_mutex_;                            ///< One look at a time.
    std::map<std::string, Known> known_;                  ///< Guarded by `looking_mutex_`.
    std::optional<Periodic> looking_;                     ///< Last: it uses all the others.
};

} // namespace runtime
