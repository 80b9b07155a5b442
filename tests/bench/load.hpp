/// A shop's traffic, made up: messages of about 500 bytes that differ from each other, of customers
/// that come at random.
#pragma once

#include "journeys/time.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bench {

/// The customer's user id is `u` and seven digits.
std::string user_of(std::uint32_t customer);

/// By the wall clock, as producers have it.
journeys::Timestamp wall_now();

class Load {
public:
    /// Message ids are unique among loads with different seeds.
    Load(std::uint32_t customers, std::uint64_t seed);

    /// One message, appended to `out`.
    void append(std::string& out, journeys::Timestamp now);
    /// The same, of that customer.
    void append(std::string& out, journeys::Timestamp now, std::uint32_t customer);
    /// Something for 20 and more put into that customer's cart.
    void append_to_cart(std::string& out, journeys::Timestamp now, std::uint32_t customer);
    /// An array of `messages`, as producers send it.
    std::string frame(std::size_t messages, journeys::Timestamp now);
    /// The same of additions to the carts of the customers from `first` on, one each.
    std::string frame_of_carts(std::size_t messages, journeys::Timestamp now, std::uint32_t first);

private:
    /// A text with gaps of a fixed width.
    struct Template {
        struct Gap {
            std::size_t at;
            enum class Kind : std::uint8_t { message, customer, time } kind;
        };
        std::string text;
        std::vector<Gap> gaps;
    };
    static Template make_template(const std::string& text);
    void append(std::string& out, const Template& chosen, journeys::Timestamp now,
                std::uint32_t customer);

    std::uint32_t customers_;
    std::uint64_t seed_, sent_ = 0;
    std::mt19937_64 random_;
    std::vector<Template> templates_;
    std::vector<std::size_t> additions_; ///< Of `templates_`: what fills a cart.
    journeys::Timestamp time_{};
    std::string time_text_;
};

} // namespace bench
