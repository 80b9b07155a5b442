/// The metrics, and beside them what pages, terminals and the log show: counts by journey, a line
/// per trigger, and providers that fail.
#pragma once

#include "runtime/log.hpp"
#include "runtime/metrics.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace runtime {

/// Counts since the start of this process. For any thread.
class Tally final : public Metrics {
public:
    struct Journey {
        std::uint64_t entered = 0, sent = 0, held_back = 0, ended = 0;
    };
    /// `show`: takes one line for each trigger; may be empty.
    Tally(actors::Partition partitions, Log& log, std::function<void(const std::string&)> show,
          std::string zone)
        : Metrics(partitions), log_(log), show_(std::move(show)), zone_(std::move(zone)),
          active_by_(partitions) {}

    /// `listen` hears of every flush, too. Before the actors start.
    void also(std::function<void(const actors::FlushRequest&)> listen) {
        listen_ = std::move(listen);
    }

    /// `hear` hears of the records that come from the log. Before the actors start.
    void also_of_records(std::function<void(const std::vector<journeys::RecordPtr>&)> hear) {
        hear_ = std::move(hear);
    }

    /// `stop` hears of channels whose provider says that nobody is there any more. It is called
    /// from an actor's thread and returns at once. Before the actors start.
    void also_of_stops(std::function<void(const std::string& channel)> stop) {
        stop_ = std::move(stop);
    }

    Journey of(const std::string& journey) const;
    /// Events that the journey named and that opened no run of it, by why.
    std::map<std::string, std::uint64_t> refused_of(const std::string& journey) const;
    std::uint64_t applied() const { return applied_; }
    std::uint64_t active() const;

    void received(actors::Partition, const std::vector<journeys::RecordPtr>& records) override {
        if (hear_) hear_(records);
    }
    void records(actors::Partition partition, const actors::AppliedCounts& counts) override;
    void refused(actors::Partition partition,
                 const std::vector<actors::RefusalCount>& counts) override;
    void flushed(const actors::FlushRequest& request, journeys::Duration took) override;
    void flush_failed(actors::Partition partition, const journeys::Error& error) override;
    void write_refused(actors::Partition partition, const journeys::CustomerId& customer,
                       const journeys::Error& error) override;
    void parked(actors::Partition partition, const actors::ParkedRecord& record) override;
    void customers(actors::Partition partition, std::uint64_t active,
                   std::uint64_t loading) override;
    void partition_state(actors::Partition partition, std::string_view state,
                         std::string_view why) override;
    void channel(std::string_view name, const actors::ChannelCounts& counts) override;
    void called(std::string_view channel, const actors::ProviderOutcome& outcome,
                journeys::Duration since_opened) override;
    void broke(std::string_view fault) override;

private:
    Log& log_;
    std::function<void(const std::string&)> show_;
    std::function<void(const actors::FlushRequest&)> listen_;
    std::function<void(const std::vector<journeys::RecordPtr>&)> hear_;
    std::function<void(const std::string&)> stop_;
    std::string zone_;
    mutable std::mutex mutex_;
    std::map<std::string, Journey> journeys_; ///< Guarded by `mutex_`, as is `refused_`.
    std::map<std::string, std::map<std::string, std::uint64_t>> refused_;
    struct Channel {
        bool breaker_is_open = false;
        std::uint64_t set_aside = 0;
    };
    std::map<std::string, Channel, std::less<>> channels_; ///< Likewise; as last told.
    std::atomic<std::uint64_t> applied_{0};
    std::vector<std::atomic<std::uint64_t>> active_by_;
};

} // namespace runtime
