/// What nobody can avoid who takes events over WebSocket: a frame, its JSON parsed, an ack. What
/// becomes of the messages is for others to say.
#pragma once

#include "tests/bench/bare_parse.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace bench {

class BareDoor {
public:
    /// Frames of a connection that are done with, and the messages in them.
    struct Done {
        std::uint64_t connection = 0, frames = 0, messages = 0;
    };
    /// Gets each frame, on the door's thread; the messages are valid during the call only.
    using Take =
        std::function<void(std::uint64_t connection, std::span<const BareMessage> messages)>;

    /// At any path and with any key, on a port of its own. Throws where it cannot listen.
    explicit BareDoor(Take take);
    ~BareDoor();

    std::uint16_t port() const;
    /// Acks them, in the order in which they came; from any thread.
    void ack(std::vector<Done> done);
    /// The same of one frame, on the door's thread.
    void ack_at_once(const Done& done);

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace bench
