/// The shop's products in the database, and the shelf that hand-overs ask.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "runtime/product_shelf.hpp"
#include "schema/product_json.hpp"
#include "schema/stock_level.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace runtime {

/// Any thread. What `take` has answered is durable, and on the shelf.
class ProductCatalogue {
public:
    /// `is_heard`: whether some journey is for those who are interested in such an event. Then it
    /// is on its way to them as soon as the change that made it is durable, and not otherwise.
    explicit ProductCatalogue(
        std::string conninfo,
        std::function<bool(std::string_view event)> is_heard = [](auto) { return false; });
    ~ProductCatalogue();

    /// Reads all that the database holds. Whoever takes over from another process calls it again.
    journeys::Result<void> load();

    struct Taken {
        std::uint64_t changed = 0;
        std::uint64_t out_of_date = 0; ///< Older than what was said of the product already.
    };
    /// `now`: when it was said, where the shop does not say so itself. `limit_exceeded` where they
    /// would be more than `products_max`; then none is taken.
    journeys::Result<Taken> take(const std::vector<schema::ProductChange>& changes,
                                 journeys::Timestamp now);

    /// What is there of one article at one place. Of an article that no product has, nothing is
    /// taken.
    journeys::Result<Taken> take(const schema::StockLevel& level, journeys::Timestamp now);

    std::shared_ptr<const ProductShelf> shelf() const { return shelf_; }

    static constexpr std::size_t products_max = 500'000;

private:
    journeys::Result<Taken> take_one_batch(const std::vector<schema::ProductChange>& changes,
                                           journeys::Timestamp now);
    void keep(std::string id, std::string packed, journeys::Timestamp said_at);

    class Session;
    std::unique_ptr<Session> session_;
    const std::function<bool(std::string_view event)> is_heard_;
    std::shared_ptr<ProductShelf> shelf_ = std::make_shared<ProductShelf>();
    std::mutex taking_; ///< One batch after the other: each reads what the one before left.
    std::unordered_map<std::string, journeys::Timestamp> said_at_; ///< Guarded by `taking_`.
    std::unordered_map<std::string, std::string> product_of_item_; ///< Guarded by `taking_`.
};

} // namespace runtime
