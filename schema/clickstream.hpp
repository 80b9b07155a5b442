/// Recorded clickstreams as Segment messages: real traffic for trials, golden cases and the
/// demonstration.
///
/// The sets hold no prices, names or addresses. A product's price follows from the hash of its id
/// (4.99 to 199.99 EUR, always the same), and everyone is identified at their first event with an
/// address at example.com, a time zone and consent, so that journeys can send.
#pragma once

#include "journeys/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace schema {

/// The price of a product that has none, in cents.
std::int64_t made_up_price_cents(std::string_view product_id);

/// Takes one line of JSON, without its end.
using LineSink = std::function<void(std::string_view line)>;

/// One line of OTTO's sessions (`{"session":…,"events":[{"aid":…,"ts":…,"type":"clicks"},…]}`):
/// clicks are `Product Viewed`, carts `Product Added`; orders at one instant are one `Order
/// Completed`.
journeys::Result<void> convert_otto(std::string_view line, const LineSink& sink);

/// Taobao's user behaviour (`user,item,category,pv|cart|fav|buy,seconds`), line by line: remembers
/// who was seen.
class TaobaoConverter {
public:
    journeys::Result<void> convert(std::string_view line, const LineSink& sink);

private:
    std::unordered_set<std::string> seen_;
};

} // namespace schema
