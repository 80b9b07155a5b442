/// Which customers may be interested in a product: for whom a product's event is copied.
#pragma once

#include "journeys/copies.hpp"
#include "journeys/ids.hpp"
#include "journeys/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace journeys {

/// Names too many rather than too few, for the customer's own state decides. Of a customer the
/// newest `products_of_interest` are kept; where there would be more than `pairs_max` in all, the
/// older half is forgotten, a few customers with each word that comes, so that no word takes long.
/// Of customers and products without a pair nothing is kept. Not for sharing between threads.
class InterestIndex {
public:
    explicit InterestIndex(std::size_t pairs_max = 20'000'000) : pairs_max_(pairs_max) {}

    /// The customer did something with the product; a word on what is older changes nothing.
    void note(const CustomerId& customer, std::string_view product, Timestamp at);
    /// In the order of their ids.
    std::vector<CustomerId> interested_in(std::string_view product) const;
    void forget(const CustomerId& customer);
    void clear();
    std::size_t pairs() const { return pairs_; }
    std::size_t customers() const { return customer_numbers_.size(); }
    std::size_t products() const { return product_numbers_.size(); }

    /// Of how many customers one word lets go what is old.
    static constexpr std::size_t aged_at_once = 256;

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    /// Numbers are given anew once nothing has them any more.
    using Number = std::uint32_t;
    struct Pair {
        Number product = 0;
        std::int32_t minute = 0; ///< Since 1970; of the newest word.
        std::uint32_t place = 0; ///< In the product's list.
    };
    struct Customer {
        const CustomerId* id = nullptr; ///< Null: nobody has the number.
        std::vector<Pair> pairs;        ///< In no order; empty where nobody has it.
    };
    struct Product {
        const std::string* id = nullptr; ///< As above.
        std::vector<Number> customers;
    };
    Number number_of(const CustomerId& customer);
    Number number_of(std::string_view product);
    void add(Number customer, Number product, std::int32_t minute);
    void remove(Number customer, std::size_t pair);
    void free_if_unused(Number customer);
    void age_some();
    std::int32_t middle_minute() const;

    std::size_t pairs_max_, pairs_ = 0;
    std::unordered_map<CustomerId, Number> customer_numbers_;
    std::unordered_map<std::string, Number, TextHash, std::equal_to<>> product_numbers_;
    std::deque<Customer> customers_; ///< By number, as are products.
    std::deque<Product> products_;
    std::vector<Number> free_customers_, free_products_;
    std::optional<std::size_t> aging_; ///< The number whose turn it is; nothing: no need.
    std::int32_t old_ = 0;             ///< While that goes on: pairs up to this minute go.
};

} // namespace journeys
