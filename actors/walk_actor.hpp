/// Takes one event to many customers: the one way in which anything is copied to whoever it
/// concerns, an audience's entry and a product's event alike.
#pragma once

#include "actors/messages.hpp"
#include "actors/shard.hpp"

#include <caf/all.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace actors {

/// One per process; only the owner of all partitions gets anywhere.
///
///   Walks ──OpenWalks──► WalkActor ──AskUpToDate──► partitions ──UpToDate──► WalkActor
///         ◄──next_page──           ──append_copies(copies, how far)──► EventLog ──► partitions
///
/// A walk begins when all that was acknowledged before is known to whoever finds its customers.
/// Copies and how far it has come are one transaction of the log, so it goes on after a crash where
/// it was: nobody is left out, nobody reached twice. It keeps to its pace, and gives way to
/// producers. One that is held stands still where it is.
class WalkActor : public caf::event_based_actor {
public:
    WalkActor(caf::actor_config& config, const Ports& ports, WalkSettings settings,
              const Credit& credit, std::vector<caf::actor> partitions,
              std::shared_ptr<Pulse> pulse);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override;

private:
    struct Moving {
        Walk walk;                         ///< `after`: up to there was looked.
        std::string stored;                ///< Up to there by the log.
        std::string next;                  ///< What the append that is under way stores.
        std::size_t partitions_behind = 0; ///< That have not said that they are up to date.
        /// The question whose answer says where it stands: the first behind that. Until then the
        /// process before us may have moved it. 0: answered.
        std::uint64_t look = 0;
        std::deque<journeys::CustomerId> page;
        std::string through; ///< How far the page goes.
        bool is_last = false, asking = false, appending = false;
        double allowance = 0; ///< Copies that its pace allows by now.
        journeys::Timestamp filled_at{};
        journeys::Timestamp not_before{}; ///< After a failure.
    };

    void tick();
    void opened(OpenWalks& answer);
    /// Lets one go that stood still, from where it is stored that it stands: those who were found
    /// for it before are looked for again.
    void release(Moving& moving);
    void begin(Walk walk);
    void up_to_date(const UpToDate& answer);
    void page(WalkPage& answer);
    void pump(Moving& moving);
    /// How many copies may be made now.
    std::size_t allowed(Moving& moving);
    void copy(Moving& moving, std::size_t count);
    void appended(const CopiesAppended& answer);
    void end(std::uint64_t walk);
    void retry_later(Moving& moving);

    const Ports& ports_;
    const WalkSettings settings_;
    const Credit& credit_;
    std::vector<caf::actor> partitions_;
    std::shared_ptr<Pulse> pulse_;
    std::map<std::uint64_t, Moving> moving_;
    std::set<std::uint64_t> over_; ///< An answer that was under way may still tell of them.
    journeys::Timestamp look_at_ = journeys::timestamp_min; ///< By the pacer's clock.
    std::uint64_t looks_ = 0; ///< Questions for open walks, one at a time.
    bool asking_ = false;
};

} // namespace actors
