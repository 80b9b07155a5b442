/// What actors need of the world, each a small interface that `runtime/` implements.
///
/// Ports are asynchronous: a request now, a message (see messages.hpp) to the asker later. Every
/// call may be made from any thread, returns at once, and never throws. Adapters own whatever
/// threads block.
#pragma once

#include "actors/block.hpp"
#include "journeys/catalog.hpp"
#include "journeys/copies.hpp"
#include "journeys/effect.hpp"
#include "journeys/record.hpp"
#include "journeys/result.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace actors {

using Partition = std::uint16_t;

/// Which partition owns a customer. Stored positions hang on it: the count of partitions is fixed
/// when a data folder is made.
inline Partition partition_of(const journeys::CustomerId& customer, Partition partitions) {
    return static_cast<Partition>(journeys::hash(customer) % partitions);
}

/// A record on its way into the log: everything but the offset and `accepted_at`, which the log
/// gives.
struct Draft {
    journeys::CustomerId customer;
    journeys::RecordKind kind = journeys::RecordKind::event;
    std::uint64_t message_hash = 0; ///< Stored beside the record for the look-up of old duplicates.
    std::string bytes;              ///< The encoded body, as `schema/record_codec.hpp` makes it.
    std::shared_ptr<journeys::Record>
        record; ///< The same, decoded; the log fills in offset and `accepted_at`.
};

/// One event on its way to many customers, each of whom gets a copy by their own log: through all
/// whom it concerns, in the order of their ids as text, at a pace.
struct Walk {
    std::uint64_t id = 0; ///< The event's hash: what is walked for once is not begun again.
    journeys::CopiedEvent event;
    std::string product;  ///< The one that it is about; empty: it is of an audience.
    std::string audience; ///< Whoever is in it gets a copy.
    double pace = 1;      ///< Copies a second, of the pacer's time.
    std::string after;    ///< The customer who got the last one; empty: nobody did yet.
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max(); ///< Copies that may be made.
    bool is_held = false;                                           ///< It stands still for now.
};

/// How far a walk has come with some copies.
struct WalkProgress {
    std::uint64_t walk = 0;
    std::string before, after; ///< Where it stood, and where it stands then.
    std::uint64_t copies = 0;
    bool is_over = false;
    journeys::Timestamp at{};
};

/// The durable, partitioned log. It also is the clock: see rule 2 of the architecture.
class EventLog {
public:
    virtual ~EventLog() = default;

    /// Appends all of `drafts` (of any partitions) in one transaction, in order. `done` is called
    /// once from a thread of the log, after the commit and before the partitions see the records,
    /// or with `storage_unavailable` / `fenced`; then none is in the log.
    virtual void append(std::vector<Draft> drafts,
                        std::function<void(journeys::Result<void>)> done) = 0;

    /// The same, and how far their walk has come, in one transaction: a copy that is made again
    /// after a crash is one that was never made.
    virtual void append_copies(std::vector<Draft>, WalkProgress,
                               std::function<void(journeys::Result<void>)> done) {
        done(journeys::Error{journeys::ErrorCode::unavailable, "this log knows no walks"});
    }

    /// Sends `LogBatch` messages to `reader`: first what is stored after `position`, then every
    /// further commit, in order and without gaps; between them `LogClosed` as the clock goes on.
    /// One reader a partition; a later call replaces the earlier.
    virtual void subscribe(Partition partition, std::uint64_t position, caf::actor reader) = 0;

    /// Answers `SeenBefore{tag, hashes, offsets}`: which of `hashes` stand in the closed part of
    /// the log for `customer`, and at which offset first: a record that is replayed must not find
    /// itself.
    virtual void find_duplicates(Partition partition, const journeys::CustomerId& customer,
                                 std::vector<std::uint64_t> hashes, std::uint64_t tag,
                                 caf::actor asker) = 0;

    /// Until the clock has passed `at`, the reader of `partition` need hear of it by `LogClosed`
    /// only now and then; from then on at once. Any log may say more.
    virtual void want_closed(Partition, journeys::Timestamp) {}

    /// Records at or below `watermark` are no longer needed for recovery.
    virtual void advance_watermark(Partition partition, std::uint64_t watermark) = 0;

    /// The newest offset that was acknowledged; from memory. A hand-over is answered only behind
    /// it.
    virtual std::uint64_t last_offset(Partition) const { return 0; }
};

/// One customer's part of a flush.
struct CustomerWrite {
    journeys::CustomerId customer;
    std::uint64_t revision = 0; ///< Guards the upsert: only a higher one replaces.
    std::uint64_t applied = 0;
    journeys::Timestamp wake_at = journeys::no_time;
    Block block;                             ///< Null: no snapshot yet, only effects.
    std::vector<journeys::Effect> effects;   ///< In order; of revisions up to `revision`.
    std::uint64_t first_timeline_number = 0; ///< Timeline rows are keyed (customer, revision, n).
    /// Granted in the transition that opened them, each with a permit of its channel.
    std::vector<journeys::IntentId> granted_at_once;
};

/// A record that could not be applied, kept beside the log until an operator releases its customer:
/// whole, for the log does not wait for it.
struct ParkedRecord {
    journeys::CustomerId customer;
    std::uint64_t offset = 0; ///< 0: a timer or a hand-over failed, no record.
    std::string reason;
    journeys::RecordPtr record; ///< Null for those.
};

/// A customer whose parked records up to `through` have been applied after all.
struct ReleasedCustomer {
    journeys::CustomerId customer;
    std::uint64_t through = 0;
};

/// A publication that is not in force any more, and when the one after it was accepted.
struct PublishedEra {
    std::uint64_t publication = 0;
    journeys::Timestamp until{};
    bool operator==(const PublishedEra&) const = default;
};
using ErasPtr = std::shared_ptr<const std::vector<PublishedEra>>;

/// How often a claimed intent was called, and whether the last call certainly came to nothing: then
/// another process may call again.
struct AttemptNote {
    journeys::IntentId intent;
    int attempts = 0;
    bool failed = false; ///< False: the next one is about to begin.
};

/// One transaction: everything in it or nothing.
struct FlushRequest {
    Partition partition = 0;
    std::uint64_t epoch = 0; ///< Checked FOR SHARE against the owner row first.
    std::uint64_t sequence =
        0; ///< Of this partition's flushes; tells after a lost reply whether it was committed.
    std::uint64_t watermark =
        0; ///< Every record at or below it is in the snapshots: replay begins behind it.
    std::uint64_t publication = 0; ///< The one in force at the watermark; 0: none yet.
    ErasPtr eras;                  ///< Those before it, oldest first; null: none. Bounded.
    bool eras_changed = false;     ///< Since the flush before.
    /// The newest publication that every waiting run has met; 0: none yet.
    std::uint64_t swept = 0;
    /// Timers up to here may be in the snapshots: no later record may be accepted at or before it,
    /// in whatever process, whatever its clock says.
    journeys::Timestamp closed = journeys::timestamp_min;
    std::vector<CustomerWrite> customers;
    std::vector<ReleasedCustomer> released; ///< Before `parked`.
    std::vector<ParkedRecord> parked;       ///< Their customers are woken by no timer.
    std::vector<AttemptNote> attempts;      ///< Of rows that are still claimed.
    bool is_urgent = false; ///< Somebody waits for it: a channel, or who asks it for a proof.
};

/// A place among those who wait.
struct WaitingCursor {
    journeys::Timestamp wake_at = journeys::timestamp_min;
    journeys::CustomerId customer;
    auto operator<=>(const WaitingCursor&) const = default;
};

struct OutboxRow {
    journeys::IntentOpened intent;
    journeys::CustomerId customer;
    journeys::IntentState state = journeys::IntentState::pending;
    std::string address, payload; ///< Once claimed.
    std::uint64_t epoch = 0;      ///< Of the process that claimed it.
    int attempts = 0;             ///< As it was noted last.
    bool failed = false;          ///< The last of them; see `AttemptNote`.
};

/// Snapshots, outbox, timeline and positions.
class Store {
public:
    virtual ~Store() = default;

    /// Ends connections of older epochs, raises the epoch, reads position, flush sequence and
    /// publication. Answers `TakenOver`, or `TakeOverFailed` with the reason, after which it may be
    /// tried again.
    virtual void take_over(Partition partition, caf::actor asker) = 0;
    /// Answers `Loaded` with one entry per id, in order; an empty block for an unknown one.
    virtual void load(Partition partition, std::vector<journeys::CustomerId> customers,
                      caf::actor asker) = 0;
    /// Answers `LoadedParked`: the customer's block, and their parked records by offset.
    virtual void load_parked(Partition partition, journeys::CustomerId customer,
                             caf::actor asker) = 0;
    /// Answers `Flushed{partition, sequence, result}`. After a lost reply the adapter itself finds
    /// out whether the transaction was committed. `storage_unavailable`: try the identical request
    /// again. `fenced`: stop for good.
    virtual void flush(std::shared_ptr<const FlushRequest> request, caf::actor asker) = 0;
    /// Answers `Due`: up to `limit` customers with `wake_at <= before`, oldest first, and the
    /// oldest `wake_at` that was left out (`no_time` where none was).
    virtual void find_due(Partition partition, journeys::Timestamp before, std::size_t limit,
                          caf::actor asker) = 0;
    /// Answers `Waiting{tag}`: up to `limit` customers with any `wake_at`, in the order of
    /// (wake_at, customer), behind `cursor`.
    virtual void find_waiting(Partition partition, WaitingCursor cursor, std::size_t limit,
                              std::uint64_t tag, caf::actor asker) = 0;
    /// Answers `OpenIntents`: the outbox rows of the partition that are claimed. At start only.
    virtual void open_intents(Partition partition, caf::actor asker) = 0;
    /// Answers `PendingIntents`: up to `limit` rows of the channel that are pending, the oldest
    /// first.
    virtual void pending_intents(Partition partition, std::string channel, std::size_t limit,
                                 caf::actor asker) = 0;
};

/// The walks that are under way, and whom they concern.
class Walks {
public:
    virtual ~Walks() = default;
    /// Answers `OpenWalks`: those that have begun and are not over, the oldest first; of many only
    /// some.
    virtual void open_walks(caf::actor asker) = 0;
    /// Whether a copy would be refused by now: none is made, until `OpenWalks` tells of the walk as
    /// one that is not held. Answers at once.
    virtual bool is_held(const Walk&) const { return false; }
    /// Answers `WalkPage`: the next customers behind `walk.after` whom it concerns, about `limit`.
    virtual void next_page(Walk walk, std::size_t limit, caf::actor asker) = 0;
    /// There is nobody left. Where this is lost, it is found again.
    virtual void finish(WalkProgress progress) = 0;
};

/// What is to be handed to a provider; complete and frozen.
struct ProviderRequest {
    std::string channel;
    journeys::IntentId intent;
    journeys::CustomerId customer;
    std::string address, payload;
    int attempt = 1;
};

/// What came of one attempt.
struct ProviderOutcome {
    enum class Kind : std::uint8_t {
        accepted,
        rejected, ///< For good: the message itself was refused.
        retry,    ///< Certainly not accepted; may be tried again, not before `retry_after`.
        unknown,  ///< Written, and no answer that says which.
    } kind = Kind::unknown;
    std::chrono::milliseconds retry_after{0};
    std::string detail; ///< For logs and timelines: a status and the provider's code, never message
                        ///< contents.
    bool stops_channel = false; ///< Of `retry`: nobody is there any more. The channel pauses until
                                ///< an operator resumes it.
};

/// One provider, called through one channel of sojourn.yaml.
class Channel {
public:
    virtual ~Channel() = default;
    /// Answers `ProviderAnswered{intent, outcome}` to `asker` after at most the channel's time-out.
    virtual void call(ProviderRequest request, caf::actor asker) = 0;
};

/// Where the catalogues of publications are found. Answers at once: whoever appends a `Publish` has
/// compiled it first, and take-over has compiled the one in force.
class CatalogSource {
public:
    virtual ~CatalogSource() = default;
    /// Null where unknown. 0: the catalogue without journeys.
    virtual journeys::CatalogPtr find(std::uint64_t publication) = 0;
};

/// How an actor learns the time and is woken: the log's clock for decisions comes in messages; this
/// one is only for pacing (retries, ticks, idle sweeps) and runs virtually in tests.
class Pacer {
public:
    virtual ~Pacer() = default;
    virtual journeys::Timestamp now() const = 0; ///< Service time, `--clock-speed` included.
};

} // namespace actors
