#include "schema/clickstream.hpp"

#include "journeys/ids.hpp"
#include "journeys/packed.hpp"
#include "schema/packed_json.hpp"
#include "schema/timestamp_text.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace schema {
namespace {

using namespace journeys;

constexpr std::array<std::string_view, 4> zones{"Europe/Berlin", "Europe/London", "Europe/Madrid",
                                                "Europe/Helsinki"};
/// The year 2100: later times are mistakes.
constexpr std::int64_t seconds_max = 4'102'444'800;

Error bad_line(std::string_view what) {
    return {ErrorCode::invalid_argument, "not a line of the set: " + std::string{what}};
}

std::string cents_text(std::int64_t cents) {
    auto text = std::to_string(cents / 100) + '.';
    if (cents % 100 < 10) text += '0';
    return text + std::to_string(cents % 100);
}

std::string head(std::string_view type, std::string_view message_id, std::string_view user,
                 Timestamp at) {
    std::string line;
    line.append("{\"type\":\"").append(type).append("\",\"messageId\":\"").append(message_id);
    line.append("\",\"userId\":\"").append(user).append("\",\"timestamp\":\"");
    line.append(timestamp_text(at)).append("\"");
    return line;
}

/// The members of a product, without braces.
std::string product(std::string_view id, std::string_view category) {
    std::string out;
    out.append("\"product_id\":\"")
        .append(id)
        .append("\",\"name\":\"Product ")
        .append(id)
        .append("\"");
    if (!category.empty()) out.append(",\"category\":\"").append(category).append("\"");
    out.append(",\"price\":").append(cents_text(made_up_price_cents(id)));
    out.append(",\"quantity\":1,\"currency\":\"EUR\"");
    return out;
}

/// The first word of someone: who they are, where, and that they may be written to.
std::string identify(std::string_view set, std::string_view user, Timestamp at) {
    const auto zone = zones[hash(user) % zones.size()];
    auto line = head("identify", std::string{user} + "-hello", user, at);
    line.append(",\"traits\":{\"email\":\"").append(user).append("@example.com\",\"source\":\"");
    line.append(set).append("\",\"marketing_consent\":{\"email\":true,\"source\":\"clickstream\",");
    line.append("\"updated_at\":\"").append(timestamp_text(at)).append("\"}},");
    line.append("\"context\":{\"timezone\":\"").append(zone).append("\"}}");
    return line;
}

std::string track(std::string_view message_id, std::string_view user, Timestamp at,
                  std::string_view event, std::string_view properties) {
    auto line = head("track", message_id, user, at);
    line.append(",\"event\":\"").append(event).append("\",\"properties\":{").append(properties);
    return line.append("}}");
}

std::string order(std::string_view order_id, const std::vector<std::string>& products,
                  std::string_view category) {
    std::int64_t total = 0;
    std::string list;
    for (const auto& id : products) {
        total += made_up_price_cents(id);
        list.append(list.empty() ? "{" : ",{").append(product(id, category)).append("}");
    }
    std::string out;
    out.append("\"order_id\":\"")
        .append(order_id)
        .append("\",\"total\":")
        .append(cents_text(total));
    out.append(",\"revenue\":")
        .append(cents_text(total))
        .append(",\"currency\":\"EUR\",\"products\":[");
    return out.append(list).append("]");
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

} // namespace

std::int64_t made_up_price_cents(std::string_view product_id) {
    constexpr std::int64_t lowest = 499, steps = 391, step = 50; // 4.99, 5.49, … 199.99
    return lowest + static_cast<std::int64_t>(hash(product_id) % steps) * step;
}

Result<void> convert_otto(std::string_view line, const LineSink& sink) {
    const auto packed = packed_from_json(line, {.bytes_max = 64 * 1024 * 1024});
    if (!packed) return bad_line(packed.error().detail);
    const PackedView session{*packed};
    const auto number_of = session.find("session");
    if (number_of.kind() != PackedKind::integer) return bad_line("no session");
    const auto user = "otto-" + std::to_string(number_of.as_int());

    struct Step {
        std::string product;
        std::int64_t millis;
        std::string_view type;
    };
    std::vector<Step> steps;
    for (const auto& [key, item] : session.find("events").entries()) {
        const auto aid = item.find("aid"), ts = item.find("ts");
        const auto type = item.string_at("type");
        if (aid.kind() != PackedKind::integer || ts.kind() != PackedKind::integer ||
            ts.as_int() < 0 || ts.as_int() > seconds_max * 1000)
            return bad_line("an event without aid or ts");
        if (type != "clicks" && type != "carts" && type != "orders")
            return bad_line("an unknown type");
        steps.push_back({std::to_string(aid.as_int()), ts.as_int(), type});
    }
    if (steps.empty()) return {};

    sink(identify("otto", user, from_millis(steps.front().millis)));
    for (std::size_t i = 0; i < steps.size();) {
        const auto& step = steps[i];
        const auto at = from_millis(step.millis);
        const auto message_id = user + '-' + std::to_string(i);
        if (step.type != "orders") {
            sink(track(message_id, user, at,
                       step.type == "clicks" ? "Product Viewed" : "Product Added",
                       product(step.product, {})));
            ++i;
            continue;
        }
        std::vector<std::string> products;
        for (; i < steps.size() && steps[i].type == "orders" && from_millis(steps[i].millis) == at;
             ++i)
            products.push_back(steps[i].product);
        sink(track(message_id, user, at, "Order Completed", order(message_id, products, {})));
    }
    return {};
}

Result<void> TaobaoConverter::convert(std::string_view line, const LineSink& sink) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::array<std::string_view, 5> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto comma = line.find(',');
        if ((comma == line.npos) != (i + 1 == fields.size()))
            return bad_line("five fields are due");
        fields[i] = line.substr(0, comma);
        if (comma != line.npos) line.remove_prefix(comma + 1);
    }
    const auto [user_text, item, category, behaviour, seconds_text] = fields;
    const auto seconds = number(seconds_text);
    if (!number(user_text) || !number(item) || !number(category) || !seconds ||
        *seconds > seconds_max)
        return bad_line("a field is no number");
    const auto event = behaviour == "pv"     ? "Product Viewed"
                       : behaviour == "cart" ? "Product Added"
                       : behaviour == "fav"  ? "Product Added to Wishlist"
                       : behaviour == "buy"  ? "Order Completed"
                                             : "";
    if (*event == '\0') return bad_line("an unknown behaviour");

    const auto user = "taobao-" + std::string{user_text};
    const auto at = from_millis(*seconds * 1000);
    if (seen_.insert(user).second) sink(identify("taobao", user, at));
    // The set names nothing: an event is its own name, so that a file read twice is not counted
    // twice.
    auto message_id = user + '-' + std::string{seconds_text} + '-' + std::string{behaviour} + '-' +
                      std::string{item};
    sink(track(message_id, user, at, event,
               behaviour == "buy" ? order(message_id, {std::string{item}}, category)
                                  : product(item, category)));
    return {};
}

} // namespace schema
