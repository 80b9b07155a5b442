/// Which walks there are and whom they concern: what the actor that walks asks of the world.
///
///   product's change ──► ProductCatalogue ──┐ (one transaction with the product)
///   instant of an audience ──► plan ────────┤
///   sojourn enter ──► enter ────────────────┴─► WalkBook ──► WalkActor
///   snapshots and audiences, InterestDesk ──► next_page ──► WalkActor
#pragma once

#include "actors/ports.hpp"
#include "journeys/catalog.hpp"
#include "journeys/result.hpp"
#include "runtime/interest_desk.hpp"
#include "runtime/log.hpp"
#include "runtime/walk_book.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace actors {
struct WalkPage;
}

namespace runtime {

class SnapshotPages;

struct WalkDeskParts {
    std::string conninfo;
    InterestDesk& interests;
    Log& log;
    std::function<journeys::CatalogPtr()> catalog; ///< The newest.
    std::function<journeys::Timestamp()> now;
};

class WalkDesk final : public actors::Walks {
public:
    explicit WalkDesk(WalkDeskParts parts);
    ~WalkDesk() override;
    /// Answers nothing any more. When the actors have ended, before the database goes.
    void stop();

    void open_walks(caf::actor asker) override;
    /// While the journey of an audience lets nobody in.
    bool is_held(const actors::Walk& walk) const override;
    void next_page(actors::Walk walk, std::size_t limit, caf::actor asker) override;
    void finish(actors::WalkProgress progress) override;

    /// Lets an audience in by hand, or only counts it.
    struct Entering {
        std::string journey;
        std::string audience; ///< Empty: the journey's own.
        std::optional<std::uint64_t> limit;
        bool is_dry = false;
    };
    struct Entered {
        std::string audience;
        std::uint64_t inside = 0, customers = 0; ///< By the snapshots; of a dry run only.
    };
    /// Blocks, a dry run for as long as it takes to look at everybody. `not_found`: no such
    /// journey; `invalid_argument`: it is not entered by audience, or there is no such audience.
    journeys::Result<Entered> enter(const Entering& asked);

    /// How far all have come, those that are over too; see `WalkBook::stands`. Blocks.
    journeys::Result<std::vector<WalkStand>> stands() { return book_.stands(); }

private:
    journeys::Result<void> plan();
    journeys::Result<void> plan(const journeys::Journey& journey, journeys::Timestamp now);
    void tell_what_is_over(const std::vector<actors::Walk>& open);
    actors::WalkPage page(const actors::Walk& walk, std::size_t limit);
    actors::WalkPage interested_page(const actors::Walk& walk, std::size_t limit);

    const WalkDeskParts parts_;
    WalkBook book_;
    std::unique_ptr<SnapshotPages> pages_;
    // Of the worker alone:
    std::optional<std::map<std::string, AudienceMark>> marks_;     ///< Nothing: not read yet.
    std::set<std::uint64_t> told_;                                 ///< Walks that are under way.
    std::map<std::uint64_t, std::vector<std::string>> interested_; ///< By walk.

    boost::asio::thread_pool worker_{1}; ///< Last: it uses all the others.
};

} // namespace runtime
