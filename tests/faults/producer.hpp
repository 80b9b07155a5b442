/// Producers over WebSocket that send at their own pace, whatever the service does: numbered
/// messages, sent again until they are acked.
#pragma once

#include "tests/faults/loop.hpp"
#include "tests/faults/senders.hpp"
#include "tests/faults/traffic.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace faults {

class Producers final : public Senders {
public:
    struct Options {
        std::uint16_t port = 0;
        std::string key = "test-key";
        int connections = 2;
        double rate = 500; ///< Messages a second over all connections; 0: as fast as they go.
        std::size_t messages_per_frame = 5;
        std::size_t frames_in_flight = 1000; ///< Of each connection; then it waits, and is late.
        bool resends = true; ///< False: what is not acked when a connection ends is given up.
        /// Ids that are kept of what was acked; empty: all. Others count as never repeated.
        std::function<bool(const std::string& id)> keeps{};
    };
    struct Totals {
        std::uint64_t sent = 0, acked = 0, refused = 0;
        std::uint64_t given_up = 0; ///< Sent, never acked, not sent again.
        std::uint64_t connections = 0;
        std::chrono::milliseconds slowest_ack{0}; ///< From when a frame was due.
    };
    /// `next(connection)` gives the messages, on the loop's thread.
    using Next = std::function<Message(int connection)>;

    Producers(Loop& loop, Options options, Next next);
    ~Producers() override; ///< Ends at once.
    Producers(const Producers&) = delete;

    void stop(); ///< No new messages; what is unacked is still sent again.
    /// After `stop`: whether everything is acked or given up, within the patience.
    bool finish(std::chrono::milliseconds patience);
    Totals totals() const;
    std::set<std::string> acked() const override;
    Counts counts() const override;

    struct Shared;

private:
    Loop& loop_;
    std::shared_ptr<Shared> shared_;
};

} // namespace faults
