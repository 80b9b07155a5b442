/// What to recommend to a customer: learned from the sessions of all of them as they end, bounded
/// in memory, within rules that no recommendation passes.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/models/recommender.hpp"
#include "journeys/offers.hpp"
#include "journeys/products.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace journeys {

/// What is known of a product. From the lines of carts and orders, unless a catalogue says it.
struct ProductFacts {
    std::string id, name, category, url, image_url;
    std::optional<double> price;
    std::optional<bool> in_stock; ///< Nothing: nobody says.
};

/// The shop's catalogue, where there is one; nothing of a product that it does not hold. What it
/// says takes the place of what was seen.
using ProductLookup = std::function<std::optional<ProductFacts>(std::string_view id)>;

/// Of the shop's products. In stock is what can be bought, or of what there is any.
ProductLookup lookup_in(std::shared_ptr<const Products> products);

struct Recommendation {
    ProductFacts product;
    enum class Why : std::uint8_t {
        related, ///< Sessions like this one, and what goes with its last product.
        viewed,  ///< The customer has looked at it.
        popular, ///< Most people look at it.
    } why = Why::popular;
};
std::string_view to_text(Recommendation::Why why);

/// Not for sharing between threads.
class Recommendations {
public:
    struct Bounds {
        std::size_t products = 200'000;
        std::size_t open_sessions = 100'000;
        std::size_t sessions = 100'000; ///< Ended ones that are compared.
    };
    explicit Recommendations(Bounds bounds);
    Recommendations() : Recommendations(Bounds{}) {}

    /// What a customer is doing. A session that gave way to another one, or has been idle for
    /// `session_idle` by the newest instant seen, is over and learned from, once; the oldest is cut
    /// short where more are open than the bound. `is_history`: it may be over already, and was not
    /// seen while it went on.
    void see(const Customer& customer, Duration session_idle, bool is_history = false);

    /// The best `n` at most, none twice: what is related, what they looked at, what is popular.
    /// Never what is out of stock, what they bought (as far as their orders are remembered), or
    /// what lies in their cart; `rules` are asked in the order of rank, of `ranked_max` at most.
    /// Without a customer the popular ones.
    std::vector<Recommendation> recommend(const Customer* customer, std::size_t n, Timestamp now,
                                          const Catalog& catalog,
                                          const ProductLookup& lookup = {}) const;
    std::size_t sessions() const { return ended_; }
    std::size_t products() const { return products_.size(); }

    static constexpr std::size_t ranked_max = 500;

private:
    struct Open {
        std::uint64_t session = 0;
        std::vector<models::ItemId> items; ///< Oldest first.
        Timestamp last_at{};
    };
    void learn_products(const Customer& customer);
    ProductFacts* fact_of(const std::string& id);
    void end(const Open& open);
    void end_idle_ones(Duration session_idle);

    Bounds bounds_;
    models::Recommender recommender_;
    std::unordered_map<models::ItemId, ProductFacts> products_;
    std::deque<models::ItemId> product_ages_;              ///< Known longest first.
    std::unordered_map<std::uint64_t, Open> open_;         ///< By the hash of the customer.
    std::deque<std::pair<std::uint64_t, Timestamp>> seen_; ///< Who, when; later ones supersede.
    Timestamp newest_{};
    std::size_t ended_ = 0;
};

/// Who is asked while a message is written. For any thread; answers at once.
class RecommendationSource {
public:
    virtual ~RecommendationSource() = default;
    /// `customer` may be null.
    virtual std::vector<Recommendation> recommend(const Customer* customer, std::size_t n,
                                                  Timestamp now, const Catalog& catalog) const = 0;
};

/// The most that may be asked for at once.
inline constexpr std::size_t recommendations_max = 50;

} // namespace journeys
