/// The walks in the database: what is begun, what is under way, and when audiences were let in.
#pragma once

#include "actors/ports.hpp"
#include "journeys/copies.hpp"
#include "journeys/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// `pace` of a product's event: 50,000 within 8 s. At 20,000 a second, which two cores can, a
/// single frame beside it waited 3.4 times as long (p99 of `bench --only interested`).
inline constexpr double product_pace = 7'000;

/// One SQL statement that begins the walk, or does nothing where it was begun before. Its texts are
/// quoted by `quote`.
std::string begin_walk_sql(const actors::Walk& walk,
                           const std::function<std::string(const std::string&)>& quote);
/// The walk of a product's event.
actors::Walk walk_of(journeys::CopiedEvent event, std::string product);

/// Up to when a journey's audience has been let in, by which version.
struct AudienceMark {
    std::uint64_t version = 0;
    journeys::Timestamp until{};
};

/// How far one event has come to the many customers whom it concerns.
struct WalkStand {
    std::string event;             ///< Its name.
    std::string product;           ///< Empty: it is an audience's.
    std::string journey, audience; ///< Of an audience's.
    journeys::Timestamp at{};      ///< When it happened.
    std::uint64_t copied = 0;
    std::optional<std::uint64_t> copies_max; ///< Nothing: as many as it concerns.
    double pace = 0;                         ///< Copies a second, at most.
    std::optional<journeys::Timestamp> over_at;
};

/// Any thread, one call at a time.
class WalkBook {
public:
    explicit WalkBook(std::string conninfo);
    ~WalkBook();

    /// Those that are not over, the oldest first; `walks_at_once` at most.
    journeys::Result<std::vector<actors::Walk>> open();
    journeys::Result<void> begin(const actors::Walk& walk);
    journeys::Result<void> move(const actors::WalkProgress& progress);
    /// How many copies a walk has made; and whether it is over.
    struct Standing {
        std::uint64_t copied = 0;
        bool is_over = false;
    };
    journeys::Result<std::optional<Standing>> find(std::uint64_t walk);

    /// Those under way, and behind them those that are over; of each the newest first, of all
    /// `stands_max` at most.
    journeys::Result<std::vector<WalkStand>> stands();

    journeys::Result<std::map<std::string, AudienceMark>> marks();
    /// The mark of `journey`, and the walks up to it, at once.
    journeys::Result<void> mark(const std::string& journey, const AudienceMark& mark,
                                const std::vector<actors::Walk>& walks);

    static constexpr int walks_at_once = 64, stands_max = 100;

private:
    class Session;
    std::unique_ptr<Session> session_;
};

} // namespace runtime
