/// Every type that travels between actors and ports, and nothing else. In-process only: none is
/// serialised.
#pragma once

#include "actors/observer.hpp"
#include "actors/ports.hpp"
#include "actors/rules.hpp"

#include <caf/all.hpp>

#include <functional>
#include <variant>

namespace actors {

// From the log.
struct LogBatch {
    Partition partition = 0;
    std::vector<journeys::RecordPtr> records; ///< Offsets dense and rising.
    journeys::Timestamp closed{}; ///< No record with `accepted_at <= closed` is still to come.
    bool live = true;             ///< False while the stored tail is being replayed.
};
struct LogClosed {
    Partition partition = 0;
    journeys::Timestamp closed{};
};
struct SeenBefore {
    std::uint64_t tag = 0;
    std::vector<std::uint64_t> hashes;
    std::vector<std::uint64_t> offsets; ///< Beside `hashes`: the first offset of each.
    bool failed = false;                ///< Storage was not reachable; ask again.
};

// From the store.
struct TakenOver {
    Partition partition = 0;
    std::uint64_t epoch = 0;
    std::uint64_t watermark = 0;   ///< Replay begins behind it.
    std::uint64_t last_offset = 0; ///< Of the log at take-over.
    std::uint64_t flush_sequence = 0;
    std::uint64_t publication = 0; ///< The one in force at the watermark; 0: none yet.
    ErasPtr eras;                  ///< Those before it, as the last flush stored them.
    std::uint64_t swept = 0;
    std::vector<journeys::CustomerId>
        to_release; ///< Whom an operator has released while nobody served.
};
struct TakeOverFailed {
    Partition partition = 0;
    journeys::Error error;
};
struct Loaded {
    struct Entry {
        journeys::CustomerId customer;
        Block block;              ///< Null: unknown customer.
        std::string quarantined;  ///< Why their records are parked; empty: they are not.
        std::uint32_t parked = 0; ///< How many.
    };
    Partition partition = 0;
    std::vector<Entry> entries;
    bool failed = false; ///< Storage was not reachable; ask again.
};
struct LoadedParked {
    journeys::CustomerId customer;
    Block block;                              ///< Null: unknown.
    std::vector<journeys::RecordPtr> records; ///< By offset.
    bool failed = false;                      ///< Storage was not reachable; ask again.
};
struct Flushed {
    Partition partition = 0;
    std::uint64_t sequence = 0;
    journeys::Result<void> result;
};
struct Due {
    struct Entry {
        journeys::CustomerId customer;
        journeys::Timestamp wake_at{};
    };
    Partition partition = 0;
    std::vector<Entry> entries;
    journeys::Timestamp next = journeys::no_time; ///< The oldest that was left out.
    bool failed = false;
};
struct Waiting {
    Partition partition = 0;
    std::uint64_t tag = 0;
    std::vector<WaitingCursor> entries;
    bool failed = false;
};
struct OpenIntents {
    Partition partition = 0;
    std::vector<OutboxRow> rows;
    bool failed = false;
};
struct PendingIntents {
    Partition partition = 0;
    std::string channel;
    std::vector<OutboxRow> rows;
    bool is_more = false; ///< The limit was reached.
    bool failed = false;
};

struct OpenWalks {
    std::vector<Walk> walks;
    bool failed = false;
};
struct WalkPage {
    std::uint64_t walk = 0;
    std::vector<journeys::CustomerId> customers; ///< In the walk's order.
    std::string through;                         ///< How far was looked.
    bool is_last = false, failed = false;
};

// From a channel's adapter.
struct ProviderAnswered {
    journeys::IntentId intent;
    ProviderOutcome outcome;
};

// From the clock of CAF to the one who asked: time to look around.
struct Tick {};

/// A customer's place in their partition's table; the generation tells re-used places apart.
struct Slot {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    bool operator==(const Slot&) const = default;
};

// From a partition to a customer, in the order in which they are to happen.
struct Batch {
    std::vector<journeys::RecordPtr> records;
    journeys::Timestamp closed =
        journeys::timestamp_min; ///< Timers due by then fire after the records.
};
struct Wake {
    journeys::Timestamp closed{};
    bool hint_was_stored = false; ///< Then it must be corrected even where nothing was due.
    bool is_sweep = false;        ///< Not by time: by a publication.
};
struct AskHandOver {
    journeys::IntentId intent;
    journeys::CustomerId customer;
    caf::actor channel;
    journeys::Timestamp now{};      ///< Filled in by the partition.
    journeys::CustomerId came_from; ///< Whose the intent was, where it was told to have moved.
};
struct AskStanding {
    journeys::IntentId intent;
    journeys::CustomerId customer;
    caf::actor channel;
    bool prove = false; ///< The answer must follow a flush: only that shows that this process still
                        ///< owns the customer.
    journeys::CustomerId came_from; ///< As above.
};
struct OfferAgain { ///< From a channel to a partition: what is pending in the outbox.
    std::string channel;
    std::size_t limit = 0;
};
struct AskUpToDate { ///< From a walk: may it begin? Or from who looks for a customer.
    std::uint64_t walk = 0;
    bool written = false; ///< All that is acknowledged by now must be in the snapshots; else it
                          ///< must have been received.
    caf::actor asker;
};
struct Query {
    journeys::CustomerId customer;
    caf::actor asker; ///< Is told `CustomerState`.
};
struct Replay { ///< The customer is to be tried again with what was parked.
    std::vector<journeys::RecordPtr> records;
    std::function<void(std::string)> done; ///< Called with why it did not help; empty: it did.
};
struct ToCustomer {
    std::variant<Batch, Wake, AskHandOver, AskStanding, Query, Replay> what;
    RulebookPtr rulebook;
    /// Of a batch or a wake behind which the customer has applied all that is acknowledged: what it
    /// opens may be handed over at once, at this instant. `no_time`: only when its channel asks.
    journeys::Timestamp hand_over_at = journeys::no_time;
};

// From a customer to the flush, by way of their `Scratch`: what one message led to.
struct Commit {
    Slot slot;
    bool answers =
        true; ///< The message is done with; false where the rest of it waits for the log's answer.
    std::uint32_t records = 0;
    std::uint64_t through = 0; ///< Offset of the last record of the message; 0: it held none.
    bool changed = false;      ///< Else there is nothing to write.
    bool by_time = false;      ///< A timer was over: written at once, behind what is urgent.
    bool quarantined = false;
    journeys::Timestamp closed = journeys::timestamp_min; ///< Up to where timers have fired.
    AppliedCounts counts;
    CustomerWrite write;
    std::vector<ParkedRecord> parked;
    bool released = false; ///< What was parked up to `through` has been applied.
    std::vector<AskStanding> prove;
};

// From the flush to its partition.
struct Progressed {
    struct Entry {
        Slot slot;
        std::uint32_t records = 0;
        std::uint64_t through = 0, revision = 0;
        journeys::Timestamp wake_at = journeys::no_time;
        bool answers = true, changed = false, quarantined = false;
    };
    std::vector<Entry> entries;
    AppliedCounts counts;
};
struct Persisted {
    struct Entry {
        Slot slot;
        std::uint64_t revision = 0, through = 0;
    };
    std::vector<Entry> entries;
    std::uint64_t watermark = 0; ///< That the flush stored.
};
struct Fenced {
    journeys::Error error;
};
struct Drained {};

// From a partition to its flush.
struct Watermark {
    std::uint64_t offset = 0, publication = 0; ///< The one in force there.
    ErasPtr eras;
    std::uint64_t swept = 0;
};
struct FlushStart {
    std::uint64_t epoch = 0, sequence = 0;
    Watermark watermark;
};
struct Drain {}; ///< Write all there is; answer `Drained`.
struct Work {};  ///< There are commits.

// From a channel, by way of the partition, to its flush.
struct NoteAttempt {
    AttemptNote note;
    caf::actor channel; ///< Is told `AttemptNoted` once it is committed.
};

// To the walks.
struct UpToDate { ///< The answer of a partition.
    std::uint64_t walk = 0;
};
struct CopiesAppended {
    std::uint64_t walk = 0;
    std::size_t copies = 0;
    bool failed = false, fenced = false;
};

// To a channel.
struct Offered { ///< A committed row of the outbox.
    Partition partition = 0;
    caf::actor owner;
    journeys::CustomerId customer;
    journeys::IntentOpened intent;
    bool was_claimed =
        false; ///< By a process that is gone; then with the bytes that it had frozen.
    std::string address, payload;
    /// In the flush that opened it; a permit of the channel comes with it.
    bool is_granted = false;
    int attempts = 0;    ///< Of that process.
    bool failed = false; ///< The last of them came to nothing, for certain.
};
struct LeftOut { ///< There are more rows in the outbox, which the channel has to ask for.
    Partition partition = 0;
    caf::actor owner;
};
struct Granted { ///< The grant is committed.
    journeys::IntentGranted grant;
};
struct Recalled { ///< The recall is committed.
    journeys::IntentId intent;
};
struct HandOverAnswered { ///< Anything but a grant.
    journeys::IntentId intent;
    journeys::HandOver verdict;
};
struct Standing {
    journeys::IntentId intent;
    bool granted = false;
    bool awaited = false; ///< A run waits for the outcome, whatever it is.
};
struct Moved { ///< The run belongs to `to` now, or soon will: ask there, later.
    journeys::IntentId intent;
    journeys::CustomerId to;
    journeys::Duration later = std::chrono::milliseconds{200};
};
struct Owners { ///< The partitions' actors, by number.
    std::vector<caf::actor> partitions;
};
struct SettleAppended {
    journeys::IntentId intent;
    bool failed = false;
};
struct AttemptNoted {
    journeys::IntentId intent;
    bool failed = false;
};
struct PartitionGone { ///< Its customers belong to another process.
    Partition partition = 0;
};
enum class ChannelCommand : std::uint8_t {
    pause,
    resume,     ///< Ends pause and drain.
    drain,      ///< Begins nothing more; what is under way ends.
    retry_dead, ///< What was given up for now is tried again.
    look,       ///< Changes nothing.
};
struct ChannelControl {
    ChannelCommand command = ChannelCommand::pause;
    std::function<void()> drained; ///< Of `drain`: called once nothing is under way.
    std::function<void(const ChannelCounts&)> told = nullptr; ///< How it stands after the command.
};

// From outside.
struct Release { ///< Ends a customer's quarantine, if it can be ended.
    journeys::CustomerId customer;
    std::function<void(std::string)> done; ///< Called once, with why it did not help, or nothing.
};
struct StopPartition {
    std::function<void()> stopped; ///< Called once, when everything is written.
};
struct CustomerState {
    journeys::CustomerId customer;
    Block block; ///< Null: unknown.
    std::string quarantined;
};

} // namespace actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LogBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LogClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::SeenBefore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::TakenOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::TakeOverFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Flushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Waiting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::OpenIntents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::OpenWalks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::WalkPage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::AskUpToDate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::UpToDate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::CopiesAppended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::ProviderAnswered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::ToCustomer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Progressed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Fenced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::FlushStart)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Watermark)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Offered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Granted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Recalled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::NoteAttempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::AttemptNoted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::HandOverAnswered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Standing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::PendingIntents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LeftOut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::OfferAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LoadedParked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Release)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Owners)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::SettleAppended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::PartitionGone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::ChannelControl)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::StopPartition)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::CustomerState)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::AskHandOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::AskStanding)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Query)
