/// A load over one WebSocket or many: as fast as acks come, or by a clock, whether or not the other
/// side keeps up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace bench {

struct Producing {
    std::size_t connections = 1, frame_messages = 100;
    std::size_t in_flight = 64; ///< Frames of a connection that are not acked yet.
    double seconds = 4;
    /// Of all connections; bounds the disk, whatever the speed.
    std::size_t frames_max = std::numeric_limits<std::size_t>::max();
    /// Messages a second over all connections, by a clock; `in_flight` does not count then. 0: as
    /// fast as acks come.
    double rate = 0;
    /// What is not sent when `seconds` are over never is; else whatever was due is sent, however
    /// late.
    bool drops_late = false;
};

struct Produced {
    std::uint64_t sent = 0, accepted = 0, rejected = 0; ///< Messages.
    std::uint64_t accepted_in_time = 0;                 ///< Acked before `seconds` were over.
    double took = 0, cpu = 0; ///< Seconds until the last ack; of the producer's thread.
    /// By frame, in the order of acks: seconds from when it was to be sent (or, without a rate, was
    /// sent) to its ack.
    std::vector<double> waits;
};

/// A frame of so many messages.
using MakeFrame = std::function<std::string(std::size_t messages)>;

/// From a thread of its own, with the demo key; returns when all that was sent is acked. Throws
/// where nothing listens, a connection ends, or no ack comes for a minute.
Produced produce(std::uint16_t port, const Producing& producing, const MakeFrame& make);

} // namespace bench
