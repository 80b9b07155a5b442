/// What `/metrics` shows: counts and durations of the whole service, with the prefix `sojourn_`.
///
/// Actors and listener report per batch, so nothing here is on the path of one event. A label takes
/// its values from closed sets or from the configuration; past `labels_max` of one metric the rest
/// is `other`.
#pragma once

#include "actors/observer.hpp"
#include "runtime/listener/listener.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace runtime {

/// Every call may be made from any thread.
class Metrics : public actors::Observer, public ListenerObserver {
public:
    static constexpr std::size_t labels_max = 500; ///< Series of one metric.

    /// Events are counted as accepted by the listener; the lag is that of these partitions.
    explicit Metrics(actors::Partition partitions);
    ~Metrics() override;

    /// In the text format of Prometheus, version 0.0.4.
    std::string text() const;

    // Of the actors.
    void records(actors::Partition, const actors::AppliedCounts& counts) override;
    void refused(actors::Partition, const std::vector<actors::RefusalCount>& counts) override;
    void flushed(const actors::FlushRequest& request, journeys::Duration took) override;
    void flush_failed(actors::Partition, const journeys::Error&) override;
    void write_refused(actors::Partition, const journeys::CustomerId&,
                       const journeys::Error&) override;
    void customers(actors::Partition, std::uint64_t active, std::uint64_t loading) override;
    void timers(actors::Partition, std::uint64_t woken, journeys::Duration latest) override;
    void position(actors::Partition, std::uint64_t received, std::uint64_t watermark) override;
    void channel(std::string_view name, const actors::ChannelCounts& counts) override;
    void called(std::string_view channel, const actors::ProviderOutcome& outcome,
                journeys::Duration since_opened) override;
    void walks(std::uint64_t open) override;
    void copied(const actors::Walk& walk, std::uint64_t copies) override;

    /// One that was answered at once, and that the log then refused.
    void decision_lost();
    /// Codes that a pool still has.
    void coupons_left(const std::string& pool, std::int64_t left);
    /// Of a watched journey, over the last 24 hours; `alarm`: which, empty where all is well.
    void watched(const std::string& journey, std::uint64_t sent, double share_not_sent,
                 std::string_view alarm);

    // Of the listener.
    void accepted(std::size_t messages) override;
    void rejected(schema::RejectReason reason, std::size_t messages) override;
    void failed(int status) override;
    void acked(std::size_t frames, std::chrono::nanoseconds slowest) override;
    void connections(std::int64_t open) override;
    void took(const Taken& taken) override;

private:
    struct Series;
    std::unique_ptr<Series> series_;
};

} // namespace runtime
