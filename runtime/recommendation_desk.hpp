/// The recommendations of a service: learned from what is flushed, on a thread of their own, and
/// asked by `POST /v1/recommend`.
#pragma once

#include "actors/ports.hpp"
#include "actors/system.hpp"
#include "journeys/recommending.hpp"
#include "runtime/batch_writer.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/log.hpp"
#include "runtime/publications.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace runtime {

class RecommendationDesk final : public journeys::RecommendationSource {
public:
    /// `lookup`: the shop's catalogue, from any thread; empty: what was seen in carts and orders
    /// counts.
    RecommendationDesk(journeys::Duration session_idle, journeys::ProductLookup lookup, Log& log);
    ~RecommendationDesk() override;
    /// Learns nothing any more. Before the database goes.
    void stop();

    /// Learns from customers that the database holds, `customers_at_start` at most, before anything
    /// that is flushed from now on. Returns at once.
    void remember(std::string conninfo);
    /// From the threads of actors; returns at once. Where more than `waiting_max` customers wait to
    /// be looked at, the rest of the flush is not learned from.
    void flushed(const actors::FlushRequest& request);
    std::vector<journeys::Recommendation>
    recommend(const journeys::Customer* customer, std::size_t n, journeys::Timestamp now,
              const journeys::Catalog& catalog) const override;

    static constexpr std::size_t waiting_max = 20'000;
    static constexpr int customers_at_start = 200'000;

private:
    void see(const std::vector<actors::Block>& blocks);
    void read_snapshots(const std::string& conninfo);

    const journeys::Duration session_idle_;
    const journeys::ProductLookup lookup_;
    Log& log_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    journeys::Recommendations learned_; ///< Guarded by `mutex_`.
    boost::asio::thread_pool worker_{1};
    BatchWriter<actors::Block> waiting_{worker_, waiting_max,
                                        [this](std::vector<actors::Block> blocks) { see(blocks); }};
};

struct RecommendRouteParts {
    actors::System& system;
    const Publications& publications;
    std::shared_ptr<const RecommendationDesk> desk;
    std::function<journeys::Timestamp()> now;
};

/// `{"customer": id, "n": 5}` → `{"products": [{"product_id", "name", "category", "price", "url",
/// "image_url", "in_stock", "why"}]}`, the best first, what is not known left out. Without a
/// customer what most people look at. `n` is 1 to 50, 5 where it is missing.
Handlers make_recommend_route(const RecommendRouteParts& parts);

} // namespace runtime
