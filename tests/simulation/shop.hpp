/// The producers of the simulated shop: people who look, buy, come back under another name; sent
/// again until the door says that it is durable.
#pragma once

#include "journeys/identity.hpp"
#include "schema/message_json.hpp"
#include "tests/simulation/process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace simulation {

class Shop {
public:
    explicit Shop(World& world) : world_(world) {}

    /// One thing that somebody does, by chance; sent to `door`.
    void act(Process& door);
    /// Sends a message that some process has got before, or one of the same id with other contents.
    void repeat(Process& door);
    /// Sends everything again that nobody has acknowledged: after a refusal, or to another process.
    void send_unacked(Process& door);
    void published(Process& door, std::uint64_t publication);
    bool has_unacked() const;

private:
    struct Message {
        std::string text;
        std::uint64_t hash = 0;
        bool is_acked = false, is_under_way = false;
        const Process* at = nullptr;
    };
    void send(Process& door, std::shared_ptr<Message> message);
    void track(Process& door, const std::string& who, const std::string& event,
               const std::string& properties, Timestamp at);
    void say(Process& door, std::string members, Timestamp at);

    World& world_;
    std::vector<std::shared_ptr<Message>> messages_;
    std::map<const Process*, journeys::IdentityCache> identities_;
    schema::MessageDecoder decoder_;
    int said_ = 0, orders_ = 0;
};

} // namespace simulation
