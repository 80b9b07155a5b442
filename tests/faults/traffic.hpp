/// Seeded shop traffic: numbered messages of some customers, and how often what happens.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace faults {

struct Message {
    std::string id; ///< `messageId`: the customer and a number that rises with each.
    std::string json;
};

struct Mix {
    int customers = 200;
    double duplicates = 0; ///< Share of messages that come a second time, some time later.
    double other_payloads =
        0; ///< Of the duplicates: share that says something else the second time.
    std::size_t reordered_within = 0;       ///< Messages leave in random order within so many.
    double late = 0;                        ///< Share of messages that happened earlier.
    double hot = 0;                         ///< Share of messages that are of the first customer.
    std::function<std::string()> earlier{}; ///< When what is late happened, by the service's time.
    bool links = false;                     ///< Whether some browse as guests, and are known later.
    double nameless = 0; ///< Share of messages that say whose they are by no id: they are refused.
};

/// What one producer sends; customers are not shared between producers. Not for several threads.
class Traffic {
public:
    /// `lane` tells the customers of several producers apart.
    Traffic(std::uint64_t seed, int lane, Mix mix);
    Message next();
    /// A text that must never stand in a log.
    static constexpr const char* personal = "secret.person";

private:
    struct Customer {
        int number = 0; ///< Of messages.
        int cart = 0, guest = 0;
        bool is_guest = false;
    };
    Message make();
    double chance();
    std::size_t below(std::size_t bound);

    std::mt19937_64 random_;
    int lane_;
    Mix mix_;
    std::vector<Customer> customers_;
    int nameless_ = 0; ///< Of messages.
    std::deque<Message> again_, shuffled_;
};

/// The messages of so many producers, each of the lane behind the one before. Not for several
/// threads.
std::function<Message(int producer)> traffic_of(std::uint64_t seed, const Mix& mix, int producers,
                                                int first_lane);

} // namespace faults
