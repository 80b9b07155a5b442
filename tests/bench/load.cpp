#include "tests/bench/load.hpp"

#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace bench {
namespace {

constexpr std::size_t message_digits = 20, customer_digits = 7, template_count = 2'000;
constexpr std::string_view message_gap = "<message>", customer_gap = "<customer>",
                           time_gap = "<time>";

/// Digits from the right, zeros before them.
void put_digits(char* at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

constexpr std::array<std::string_view, 12> words{
    "Trail Running Shoe", "Merino Base Layer", "Gefütterte Jacke", "Running Cap",
    "Head Lamp",          "Wool Socks",        "Rain Shell",       "Compass",
    "Camping Stove",      "Tarp 3 x 3",        "Insulated Bottle", "Trekking Pole"};
constexpr std::array<std::string_view, 5> categories{"Footwear/Running", "Apparel/Layers",
                                                     "Apparel/Outerwear", "Accessories/Light",
                                                     "Outdoor/Cooking"};
constexpr std::array<std::string_view, 4> places{
    R"("locale":"de-DE","timezone":"Europe/Berlin")",
    R"("locale":"en-GB","timezone":"Europe/London")",
    R"("locale":"fr-FR","timezone":"Europe/Paris")",
    R"("locale":"en-US","timezone":"America/New_York")"};

} // namespace

std::string user_of(std::uint32_t customer) {
    std::string text(1 + customer_digits, 'u');
    put_digits(text.data() + 1, customer_digits, customer);
    return text;
}

journeys::Timestamp wall_now() {
    return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
}

Load::Load(std::uint32_t customers, std::uint64_t seed)
    : customers_(customers), seed_(seed), random_(seed) {
    const auto pick = [&](const auto& from) { return std::string{from[random_() % from.size()]}; };
    for (std::size_t i = 0; i < template_count; ++i) {
        const auto product = std::to_string(1000 + random_() % 1000);
        const auto euros = 5 + random_() % 200;
        const auto price = std::to_string(euros) + "." + std::to_string(10 + random_() % 90);
        const auto item =
            R"("product_id":"p_)" + product + R"(","sku":"SKU-)" + product + R"(","category":")" +
            pick(categories) + R"(","name":")" + pick(words) + R"(","price":)" + price +
            R"(,"quantity":)" + std::to_string(1 + random_() % 3) +
            R"(,"currency":"EUR","url":"https://shop.example.com/p/sku-)" + product + '"';
        const auto order = R"("order_id":"o-<message>","total":)" + price +
                           R"(,"currency":"EUR","products":[{)" + item + "}]";
        const auto share = random_() % 100;
        if (share >= 55 && share < 72 && euros >= 20) additions_.push_back(i);
        std::string what;
        if (share < 55)
            what = R"("type":"track","event":"Product Viewed","properties":{)" + item + '}';
        else if (share < 72)
            what =
                R"("type":"track","event":"Product Added","properties":{"cart_id":"c<customer>",)" +
                item + '}';
        else if (share < 76)
            what =
                R"("type":"track","event":"Product Removed","properties":{"cart_id":"c<customer>",)" +
                item + '}';
        else if (share < 86)
            what = R"("type":"page","name":"Home","category":"Shop","properties":{"path":"/c/)" +
                   pick(categories) + R"(","title":")" + pick(words) +
                   R"(","search":"?utm_source=newsletter&utm_medium=email&utm_campaign=autumn"})";
        else if (share < 91)
            what = R"("type":"track","event":"Checkout Started","properties":{)" + order + '}';
        else if (share < 95)
            what = R"("type":"track","event":"Order Completed","properties":{)" + order + '}';
        else
            what =
                R"("type":"identify","traits":{"email":"u<customer>@example.com","firstName":"Ada",)"
                R"("country":"AT","orders_before":)" +
                std::to_string(random_() % 9) + R"(,"interest":")" + pick(categories) + R"("})";
        templates_.push_back(make_template(
            '{' + what +
            R"(,"messageId":"m<message>","userId":"u<customer>","timestamp":"<time>","context":{)" +
            pick(places) +
            R"(,"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/)" +
            std::to_string(100 + random_() % 40) +
            R"(.0","library":{"name":"analytics.js","version":"npm:next-1.84.3"}}})"));
    }
}

Load::Template Load::make_template(const std::string& text) {
    using Kind = Template::Gap::Kind;
    Template made;
    for (std::string_view rest = text; !rest.empty();) {
        const auto gap = [&](std::string_view mark, Kind kind, std::size_t width) {
            if (!rest.starts_with(mark)) return false;
            made.gaps.push_back({made.text.size(), kind});
            made.text.append(width, '0');
            rest.remove_prefix(mark.size());
            return true;
        };
        if (gap(message_gap, Kind::message, message_digits) ||
            gap(customer_gap, Kind::customer, customer_digits) || gap(time_gap, Kind::time, 24))
            continue;
        made.text.push_back(rest.front());
        rest.remove_prefix(1);
    }
    return made;
}

void Load::append(std::string& out, journeys::Timestamp now) {
    append(out, now, static_cast<std::uint32_t>(random_() % customers_));
}

void Load::append(std::string& out, journeys::Timestamp now, std::uint32_t customer) {
    append(out, templates_[random_() % templates_.size()], now, customer);
}

void Load::append_to_cart(std::string& out, journeys::Timestamp now, std::uint32_t customer) {
    append(out, templates_[additions_[random_() % additions_.size()]], now, customer);
}

void Load::append(std::string& out, const Template& chosen, journeys::Timestamp now,
                  std::uint32_t customer) {
    if (now != time_) {
        time_ = now;
        time_text_ = schema::timestamp_text(now);
    }
    const auto begin = out.size();
    out += chosen.text;
    const auto message = seed_ % 1'000 * 10'000'000'000 + sent_++;
    for (const auto& gap : chosen.gaps) {
        char* const at = out.data() + begin + gap.at;
        switch (gap.kind) {
        case Template::Gap::Kind::message: put_digits(at, message_digits, message); break;
        case Template::Gap::Kind::customer: put_digits(at, customer_digits, customer); break;
        case Template::Gap::Kind::time: std::copy_n(time_text_.data(), 24, at); break;
        }
    }
}

std::string Load::frame(std::size_t messages, journeys::Timestamp now) {
    std::string text;
    text.reserve(messages * 640);
    text += '[';
    for (std::size_t i = 0; i < messages; ++i) {
        if (i > 0) text += ',';
        append(text, now);
    }
    text += ']';
    return text;
}

std::string Load::frame_of_carts(std::size_t messages, journeys::Timestamp now,
                                 std::uint32_t first) {
    std::string text{"["};
    for (std::size_t i = 0; i < messages; ++i) {
        if (i > 0) text += ',';
        append_to_cart(text, now, first++);
    }
    return text + ']';
}

} // namespace bench
