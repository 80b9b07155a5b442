/// Which customers may be interested in a product: for whom a product's event is copied.
#pragma once

#include "journeys/copies.hpp"
#include "journeys/ids.hpp"
#include "journeys/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace journeys {

/// Names too many rather than too few, for the customer's own state decides. Of a customer the
/// newest `products_of_interest` are kept; where there would be more than `pairs_max` in all, the
/// older half is forgotten. Not for sharing between threads.
class InterestIndex {
public:
    explicit InterestIndex(std::size_t pairs_max = 20'000'000) : pairs_max_(pairs_max) {}

    /// The customer did something with the product; a word on what is older changes nothing.
    void note(const CustomerId& customer, std::string_view product, Timestamp at);
    /// In the order of their ids.
    std::vector<CustomerId> interested_in(std::string_view product);
    void forget(const CustomerId& customer);
    void clear();
    std::size_t pairs() const { return pairs_; }

private:
    struct Pair {
        std::uint32_t product = 0;
        std::int32_t minute = 0; ///< Since 1970; of the newest word.
    };
    struct Product {
        std::vector<std::uint32_t> customers; ///< Some of them twice, some no more.
        std::size_t tidy_at = 64;             ///< The size at which that is put right.
    };
    bool holds(std::uint32_t customer, std::uint32_t product) const;
    void tidy(std::uint32_t product);
    void forget_the_older_half();

    std::size_t pairs_max_, pairs_ = 0;
    std::unordered_map<CustomerId, std::uint32_t> customer_numbers_;
    std::vector<const CustomerId*> customer_ids_; ///< Null: forgotten.
    std::vector<std::vector<Pair>> of_customer_;
    std::unordered_map<std::string, std::uint32_t> product_numbers_;
    std::vector<Product> products_;
};

} // namespace journeys
