/// What operators have told channels that must outlive a process: pause and drain, until they
/// resume.
#pragma once

#include "actors/system.hpp"
#include "journeys/result.hpp"
#include "runtime/log.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace runtime {

/// All of it outlives the orders.
struct ChannelOrderParts {
    std::string conninfo;
    actors::System& system;
    std::function<journeys::Timestamp()> now;
    Log& log;
};

/// Blocking; any thread.
class ChannelOrders {
public:
    explicit ChannelOrders(ChannelOrderParts parts) : parts_(std::move(parts)) {}

    /// Tells the channels what was said to them before, by whichever process. Before the system
    /// starts, so that they begin nothing in between.
    journeys::Result<void> begin();
    /// Tells the channel and keeps it: `told` is called with how it stands after both, from an
    /// actor's thread. A stop holds at once, even where it cannot be stored, which is the error;
    /// a channel goes on only once that is stored. Precondition: there is the channel.
    journeys::Result<void> give(const std::string& channel, actors::ChannelCommand command,
                                std::function<void(const actors::ChannelCounts&)> told);

private:
    journeys::Result<void> keep(const std::string& channel, actors::ChannelCommand command);
    void tell(const std::string& channel, actors::ChannelCommand command) const;

    const ChannelOrderParts parts_;
    std::mutex mutex_; ///< What is kept comes in the order in which channels hear of it.
};

} // namespace runtime
