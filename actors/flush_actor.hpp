/// Writes what customers have become: one transaction at a time, each holding everything or
/// nothing.
#pragma once

#include "actors/checkpoint_pace.hpp"
#include "actors/flush_contents.hpp"
#include "actors/messages.hpp"
#include "actors/pending_writes.hpp"
#include "actors/shard.hpp"

#include <memory>
#include <vector>

namespace actors {

/// One per partition. Commits of one customer coalesce until they are taken; a customer who wants
/// something of the world goes at once (behind what is in the mailbox, and behind the flush under
/// way), others at checkpoints. A failed flush is repeated as it was, with its sequence number,
/// until it is answered. One that the storage refuses for what it holds is cut in halves, until the
/// customer at fault is alone: that one waits and is tried again from time to time, with all that
/// comes for it meanwhile, and the others go on. Replay begins before what it waits with.
///
/// What a flush holds for channels is told to them after its commit, never before.
class FlushActor : public caf::event_based_actor {
public:
    FlushActor(caf::actor_config& config, const Shard& shard, caf::actor partition);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override { partition_ = nullptr; }

private:
    void keep_all();
    void keep(Commit& commit);
    void relay();
    void tick();
    void flush_if_due();
    void send_flush();
    void flushed(const Flushed& answer);
    /// The storage refuses what the flush in flight holds: smaller ones are to show whose it is.
    void divide(const journeys::Error& refusal);
    void tell_channels(const CustomerWrite& write);
    void tick_checkpoint(journeys::Timestamp now);
    void begin_position();
    bool is_empty() const { return pending_.is_empty() && notes_.empty() && !request_; }

    const Shard& shard_;
    caf::actor partition_;
    bool started_ = false, stopped_ = false, draining_ = false;
    bool position_due_ = false;
    std::uint64_t epoch_ = 0, sequence_ = 0;
    Watermark watermark_, stored_;
    journeys::Timestamp closed_ = journeys::timestamp_min; ///< Up to where timers have fired.

    PendingWrites pending_;
    bool calm_passed_over_ = false; ///< By the flush before.
    bool has_calm_ = false;         ///< `request_` has changes that nobody waits for.
    Progressed progressed_;

    std::shared_ptr<const FlushRequest> request_; ///< In flight, or waiting to be repeated.
    FlushContents contents_;                      ///< Of `request_`.
    std::size_t customers_max_; ///< Of the next flush: few while it is not known who is at fault.
    std::vector<NoteAttempt> notes_; ///< For the next flush.
    std::vector<NoteAttempt> noted_; ///< Answered by the commit of the one in flight.
    journeys::Timestamp sent_at_{}, repeat_at_ = journeys::no_time;
    journeys::Duration retry_{};
    CheckpointPace pace_;
    std::int64_t slice_ = 0; ///< The newest one seen.
    journeys::Timestamp position_begun_at_{};
};

} // namespace actors
