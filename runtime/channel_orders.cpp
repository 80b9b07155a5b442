#include "runtime/channel_orders.hpp"

#include "actors/messages.hpp"
#include "runtime/database_session.hpp"

#include <utility>
#include <vector>

namespace runtime {

using actors::ChannelCommand;
using journeys::Result;

Result<void> ChannelOrders::begin() {
    struct Kept {
        std::string channel;
        bool is_paused, is_draining;
    };
    DatabaseSession session{parts_.conninfo};
    const auto kept = session.run([](pqxx::work& work) {
        std::vector<Kept> all;
        for (const auto& row :
             work.exec("SELECT channel, paused, draining FROM channels WHERE paused OR draining "
                       "ORDER BY channel"))
            all.push_back({row[0].as<std::string>(), row[1].as<bool>(), row[2].as<bool>()});
        return all;
    });
    if (!kept) return kept.error();
    for (const auto& one : *kept) {
        // One that is in the configuration no more keeps its word for when it is there again.
        if (!parts_.system.find_channel(one.channel)) continue;
        if (one.is_paused) tell(one.channel, ChannelCommand::pause);
        if (one.is_draining) tell(one.channel, ChannelCommand::drain);
        parts_.log.warning(
            "a channel stays as an operator has left it",
            {{"channel", one.channel}, {"state", one.is_paused ? "paused" : "draining"}});
    }
    return {};
}

Result<void> ChannelOrders::give(const std::string& channel, ChannelCommand command,
                                 std::function<void(const actors::ChannelCounts&)> told) {
    const std::scoped_lock lock{mutex_};
    const bool stops = command == ChannelCommand::pause || command == ChannelCommand::drain;
    if (stops) tell(channel, command);
    if (stops || command == ChannelCommand::resume)
        if (auto done = keep(channel, command); !done) return done;
    caf::anon_send(
        parts_.system.channel(channel),
        actors::ChannelControl{stops ? ChannelCommand::look : command, nullptr, std::move(told)});
    return {};
}

Result<void> ChannelOrders::keep(const std::string& channel, ChannelCommand command) {
    DatabaseSession session{parts_.conninfo};
    return session.run([&](pqxx::work& work) {
        if (command == ChannelCommand::resume) {
            work.exec_params("DELETE FROM channels WHERE channel = $1", channel);
            return;
        }
        const bool pauses = command == ChannelCommand::pause;
        work.exec_params("INSERT INTO channels (channel, paused, draining, since) VALUES ($1, $2, "
                         "$3, to_timestamp($4::float8 / 1000)) ON CONFLICT (channel) DO UPDATE SET "
                         "paused = channels.paused OR excluded.paused, draining = "
                         "channels.draining OR excluded.draining, since = excluded.since",
                         channel, pauses, !pauses, journeys::to_millis(parts_.now()));
    });
}

void ChannelOrders::tell(const std::string& channel, ChannelCommand command) const {
    caf::anon_send(parts_.system.channel(channel),
                   actors::ChannelControl{command, nullptr, nullptr});
}

} // namespace runtime
