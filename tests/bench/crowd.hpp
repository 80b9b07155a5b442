/// Active customers in numbers: a whole system of actors with the real rules and journeys, whose
/// log and store keep nothing, so that what is left is what actors and rules cost.
#pragma once

#include "actors/system.hpp"
#include "runtime/publications.hpp"
#include "schema/message_json.hpp"
#include "tests/bench/load.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace bench {

class Crowd : private actors::EventLog,
              private actors::Store,
              private actors::Pacer,
              private actors::Observer {
public:
    /// Journeys of `config`. Throws where they have mistakes.
    Crowd(const std::filesystem::path& config, std::uint32_t customers);
    ~Crowd() override;

    /// Every customer comes with one message, then fills a cart: a run is open, and waits.
    void gather();
    /// `events` of customers at random, and everything that they led to, snapshots included.
    void visit(std::uint64_t events);

    /// Of a snapshot, on the average.
    double block_bytes() const { return static_cast<double>(bytes_) / static_cast<double>(rows_); }
    /// Of the customers whose snapshot is written last: how many have a timer.
    std::uint64_t with_timer() const { return with_timer_; }

private:
    void publish();
    void take(const std::string& frame);
    void give();
    void wait_until_done();

    void append(std::vector<actors::Draft>,
                std::function<void(journeys::Result<void>)> done) override;
    void subscribe(actors::Partition partition, std::uint64_t, caf::actor reader) override;
    void find_duplicates(actors::Partition, const journeys::CustomerId&, std::vector<std::uint64_t>,
                         std::uint64_t tag, caf::actor asker) override;
    void advance_watermark(actors::Partition, std::uint64_t) override {}
    void take_over(actors::Partition partition, caf::actor asker) override;
    void load(actors::Partition partition, std::vector<journeys::CustomerId> customers,
              caf::actor asker) override;
    void load_parked(actors::Partition, journeys::CustomerId, caf::actor) override {}
    void flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) override;
    void find_due(actors::Partition partition, journeys::Timestamp, std::size_t,
                  caf::actor asker) override;
    void find_waiting(actors::Partition partition, actors::WaitingCursor, std::size_t,
                      std::uint64_t tag, caf::actor asker) override;
    void open_intents(actors::Partition partition, caf::actor asker) override;
    void pending_intents(actors::Partition, std::string, std::size_t, caf::actor) override {}
    journeys::Timestamp now() const override;
    void records(actors::Partition, const actors::AppliedCounts& counts) override;

    const std::uint32_t customers_;
    runtime::Publications publications_;
    Load load_;
    schema::MessageDecoder decoder_;
    actors::Ports ports_;
    std::mutex mutex_;
    std::vector<caf::actor> readers_; ///< Guarded by `mutex_` until all are there.
    std::vector<std::uint64_t> offsets_;
    std::vector<std::vector<journeys::RecordPtr>> batches_; ///< By partition, not yet sent.
    std::size_t gathered_ = 0;
    std::uint64_t given_ = 0;
    std::atomic<std::uint64_t> applied_ = 0, rows_ = 0, bytes_ = 0, with_timer_ = 0;
    std::vector<std::atomic<std::uint64_t>> watermarks_;
    std::unique_ptr<actors::System> system_;
};

} // namespace bench
