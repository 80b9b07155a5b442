/// Producers over HTTP: each asks once at a time, with one message or with a batch, and sends again
/// what was refused for now. Every answer is looked at.
#pragma once

#include "tests/faults/loop.hpp"
#include "tests/faults/senders.hpp"
#include "tests/faults/world.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace faults {

class HttpProducers final : public Senders {
public:
    struct Options {
        std::uint16_t port = 0;
        std::string key = "test-key";
        int connections = 8;
        double rate = 400;                   ///< Messages a second over all connections, at most.
        std::size_t messages_per_batch = 20; ///< Of every second request; the others: one.
        std::chrono::milliseconds patience{10'000}; ///< For an answer; then the request hangs.
    };
    struct Totals {
        std::uint64_t singles = 0, batches = 0; ///< Requests that were answered 200.
        std::uint64_t refused = 0;            ///< Answers 429 and 503 that say when to come again.
        std::chrono::milliseconds slowest{0}; ///< Answer of any kind.
    };
    /// `next(connection)` gives the messages, on the loop's thread.
    using Next = std::function<Message(int connection)>;

    HttpProducers(Loop& loop, Options options, Next next);
    ~HttpProducers() override; ///< Ends at once.
    HttpProducers(const HttpProducers&) = delete;

    /// No new messages; whether all were taken in the end, within the patience.
    bool finish(std::chrono::milliseconds patience);
    Totals totals() const;
    /// What no request may come to, the first few: to be cut off, to hang, and any answer but a yes
    /// and a refusal that says when to come again.
    std::vector<std::string> wrong() const;
    std::set<std::string> acked() const override;
    Counts counts() const override;

    struct Shared;

private:
    Loop& loop_;
    std::shared_ptr<Shared> shared_;
};

/// As `start_traffic`, over HTTP.
std::unique_ptr<HttpProducers> start_http_traffic(World& world, const Mix& mix,
                                                  HttpProducers::Options options, int first_lane);

} // namespace faults
