/// Active customers in numbers: a whole system of actors with the real rules and journeys, whose
/// log and store keep nothing, so that what is left is what actors and rules cost. Its log can be
/// appended to, as that of a service: then it counts, and passes on at once.
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

struct CrowdSettings {
    journeys::Duration idle_after = std::chrono::hours{24};     ///< Then a customer sleeps.
    journeys::Duration timer_window = std::chrono::minutes{10}; ///< As that of a partition.
};

class Crowd : private actors::EventLog,
              private actors::Store,
              private actors::Pacer,
              private actors::Observer {
public:
    /// Journeys of `config`. Throws where they have mistakes.
    Crowd(const std::filesystem::path& config, std::uint32_t customers,
          const CrowdSettings& settings = {});
    ~Crowd() override;

    /// Every customer comes with one message, then fills a cart: a run is open, and waits.
    void gather() { gather(0, customers_); }
    /// The same of some of them.
    void gather(std::uint32_t first, std::uint32_t end);
    /// Until everybody sleeps. Throws where that takes too long.
    void wait_until_asleep();
    /// The log's clock goes on by so much, and nothing happens but what is due by then; returns how
    /// many customers have been woken, or waits until they are `expected`.
    std::uint64_t pass(journeys::Duration span, std::uint64_t expected);
    /// `events` of customers at random, and everything that they led to, snapshots included.
    void visit(std::uint64_t events);

    /// What a listener needs.
    actors::EventLog& log() { return *this; }
    const actors::Credit& credit() const { return system_->credit(); }
    /// Until all that was given is applied, each once, and in snapshots. Throws where it is not.
    void wait_until_done();
    std::uint64_t given() const { return given_; }
    /// Of a snapshot, on the average.
    double block_bytes() const { return static_cast<double>(bytes_) / static_cast<double>(rows_); }
    /// How many customers have a timer by their newest snapshot; of those due before that instant.
    std::uint64_t with_timer(journeys::Timestamp before = journeys::when_published) const;

private:
    void publish();
    void take(const std::string& frame);
    void give();

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
    void customers(actors::Partition partition, std::uint64_t active, std::uint64_t) override;
    void timers(actors::Partition, std::uint64_t woken, journeys::Duration) override;

    const std::uint32_t customers_;
    runtime::Publications publications_;
    Load load_;
    schema::MessageDecoder decoder_;
    actors::Ports ports_;
    std::mutex mutex_;
    std::vector<caf::actor> readers_;    ///< Guarded by `mutex_` until all are there.
    std::vector<std::uint64_t> offsets_; ///< Of whoever gives: this thread, or who appends.
    journeys::Timestamp accepted_at_{};  ///< Of what was appended last.
    std::vector<std::vector<journeys::RecordPtr>> batches_; ///< By partition, not yet sent.
    std::size_t gathered_ = 0;
    std::atomic<std::uint64_t> given_ = 0, applied_ = 0, twice_ = 0, rows_ = 0, bytes_ = 0,
                               woken_ = 0;
    std::vector<std::atomic<std::uint64_t>> watermarks_, active_;
    /// By number; each is written by its partition's thread alone.
    std::vector<journeys::Timestamp> wakes_;
    std::unique_ptr<actors::System> system_;
};

} // namespace bench
