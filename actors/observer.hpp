/// What actors tell of their work: counts and durations, gathered per batch. Implemented with
/// metrics by `runtime/`; the base class listens to nothing.
#pragma once

#include "actors/ports.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actors {

/// What became of records.
struct AppliedCounts {
    std::uint32_t applied = 0, duplicate = 0, late = 0, forwarded = 0, parked = 0;
    void add(const AppliedCounts& other) {
        applied += other.applied;
        duplicate += other.duplicate;
        late += other.late;
        forwarded += other.forwarded;
        parked += other.parked;
    }
};

/// How many events opened no run of a journey that named them.
struct RefusalCount {
    std::string journey, reason;
    std::uint64_t count = 0;
};

/// Where a channel stands.
struct ChannelCounts {
    std::uint64_t queued = 0, calling = 0, backing_off = 0, settling = 0;
    std::uint64_t dead = 0; ///< Given up for now: they wait for `retry-dead`, or expire.
    std::uint64_t accepted = 0, rejected = 0, unknown = 0, retried = 0, not_granted = 0,
                  revoked = 0;
    bool breaker_open = false, paused = false, draining = false;
    journeys::Timestamp held_until{}; ///< By the provider's word; in the past: it is not.
    std::string last_failure; ///< The provider's word, in codes; of the newest call that failed.
};

/// Called from the threads of the actors; returns at once.
class Observer {
public:
    virtual ~Observer() = default;
    /// Records came from the log, and their customers have not got them yet. Some may come again.
    virtual void received(Partition, const std::vector<journeys::RecordPtr>&) {}
    virtual void records(Partition, const AppliedCounts&) {}
    virtual void refused(Partition, const std::vector<RefusalCount>&) {}
    /// A flush was committed. Its effects are what happened, each once: timelines, intents,
    /// reasons.
    virtual void flushed(const FlushRequest&, journeys::Duration /*took*/) {}
    virtual void flush_failed(Partition, const journeys::Error&) {}
    /// What a customer has become cannot be stored, whoever else is with them: they are tried again
    /// once a minute, and replay begins before them.
    virtual void write_refused(Partition, const journeys::CustomerId&, const journeys::Error&) {}
    virtual void parked(Partition, const ParkedRecord&) {}
    virtual void customers(Partition, std::uint64_t /*active*/, std::uint64_t /*loading*/) {}
    virtual void timers(Partition, std::uint64_t /*woken*/, journeys::Duration /*latest*/) {}
    /// Offsets received and flushed: their difference is the lag.
    virtual void position(Partition, std::uint64_t /*received*/, std::uint64_t /*watermark*/) {}
    virtual void partition_state(Partition, std::string_view /*state*/, std::string_view /*why*/) {}
    virtual void channel(std::string_view /*name*/, const ChannelCounts&) {}
    /// Events on their way to many customers; of a great many only some are counted.
    virtual void walks(std::uint64_t /*open*/) {}
    /// So many customers got a copy each: durable, and not applied yet.
    virtual void copied(const Walk&, std::uint64_t /*copies*/) {}
    /// A provider answered: how long after the intent was opened the request was written.
    virtual void called(std::string_view /*channel*/, const ProviderOutcome&,
                        journeys::Duration /*since_opened*/) {}
};

} // namespace actors
