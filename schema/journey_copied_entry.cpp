#include "journeys/copies.hpp"
#include "journeys/local_time.hpp"
#include "schema/event_properties.hpp"
#include "schema/journey_reader.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <charconv>

namespace schema {

using namespace journeys;

namespace {

constexpr double pace_max = 10'000; ///< Customers a second.

/// `200/s`, `600/m`, `3600/h`, as customers a second.
std::optional<double> parse_pace(std::string_view text) {
    unsigned count = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, count);
    const std::string_view unit{at, static_cast<std::size_t>(end - at)};
    if (error != std::errc{} || count == 0) return std::nullopt;
    const double seconds = unit == "/s" ? 1 : unit == "/m" ? 60 : unit == "/h" ? 3600 : 0;
    if (seconds == 0 || count / seconds > pace_max) return std::nullopt;
    return count / seconds;
}

/// A local date and time of day, without a zone: `2026-11-27T08:00`, or with a blank for `T`.
struct LocalText {
    std::chrono::local_days day;
    std::chrono::minutes time;
};
std::optional<LocalText> parse_local(std::string_view text) {
    if (text.size() != 16 || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
    const auto midnight = parse_timestamp(std::string{text.substr(0, 10)} + "T00:00:00Z");
    const auto time = parse_time_of_day(text.substr(11));
    if (!midnight || !time) return std::nullopt;
    const auto day = std::chrono::floor<std::chrono::days>(*midnight).time_since_epoch();
    return LocalText{std::chrono::local_days{day}, *time};
}

} // namespace

void JourneyReader::check_audience_name(std::string_view name, Place at) {
    if (context_.lookups == nullptr || context_.lookups->audiences.contains(name)) return;
    if (is_audiences_ || context_.broken.audiences || context_.broken.audience_names.contains(name))
        return; // Said where they stand.
    std::vector<std::string> known;
    for (const auto& [other, condition] : context_.lookups->audiences) known.push_back(other);
    mistakes_.add(at, "no audience " + quoted(name) + '.' + did_you_mean(name, known) +
                          " Audiences stand in config/audiences.yaml: " + listed(known));
}

void JourneyReader::read_audience_entry(const MapReader& enter) {
    const auto* audience = enter.find("audience");
    if (audience == nullptr) return;
    AudienceEntry made;
    made.line = audience->at.line;
    if (auto name = values_.text(*audience, "the name of an audience of config/audiences.yaml")) {
        check_audience_name(*name, audience->at);
        made.audience = std::move(*name);
    }
    if (context_.settings != nullptr) made.zone = context_.settings->timezone;
    if (const auto* zone = enter.find("timezone")) {
        const auto chosen = read_zone(zone);
        if (!chosen.of_customer)
            made.zone = chosen.name;
        else
            mistakes_.add(
                zone->at,
                "an audience is let in at one instant, so timezone is a zone such as "
                "Europe/Berlin. For each customer's own hour begin the steps with wait: { "
                "until: { time: \"09:00\", timezone: customer } }");
    }
    const auto* at = enter.find("at");
    const auto* time = enter.find("time");
    if (at && time) mistakes_.add(time->at, "give either at, one instant, or time and weekdays");
    if (at)
        read_instant(*at, made);
    else if (time)
        made.time = values_.time_of_day(*time).value_or(std::chrono::minutes{});
    if (const auto* weekdays = enter.find("weekdays")) {
        if (time == nullptr)
            mistakes_.add(weekdays->at, "weekdays has a meaning only beside time: \"10:00\"");
        made.weekdays = values_.weekdays(*weekdays).value_or(std::uint8_t{0x7f});
    }
    if (const auto* pace = enter.find("pace")) {
        const auto rate = pace->is_text() ? parse_pace(pace->text) : std::nullopt;
        if (!rate)
            mistakes_.add(pace->at, (pace->is_text() ? quoted(pace->text) + " is no pace"
                                                     : std::string{"this is no pace"}) +
                                        ": write how many customers in which time, 200/s, 6000/m "
                                        "or 36000/h, at most 10000/s");
        made.pace = rate.value_or(made.pace);
    }
    journey_->enter.audience = std::move(made);
}

void JourneyReader::read_instant(const YamlNode& node, AudienceEntry& entry) {
    const auto text = node.is_text() ? std::string_view{node.text} : std::string_view{};
    if (const auto local = parse_local(text))
        entry.at = at_local(entry.zone, local->day, local->time);
    else
        entry.at = parse_timestamp(text);
    if (!entry.at) {
        mistakes_.add(node.at,
                      "an audience is let in at an instant: at: 2026-11-27T08:00 (local in "
                      "timezone) or 2026-11-27T08:00:00Z; or again and again: time: "
                      "\"08:00\" with weekdays");
        return;
    }
    if (context_.now && *entry.at <= *context_.now)
        mistakes_.warn(node.at, timestamp_text(*entry.at) +
                                    " is over, so nobody is let in by it: sojourn enter lets an "
                                    "audience in by hand");
}

/// Interest is known by the product that an event names.
std::vector<std::string> JourneyReader::names_of_products(const YamlNode& node) {
    std::vector<std::pair<std::string, Place>> places;
    auto names = event_names(node, &places);
    for (const auto& [name, at] : places) {
        if (!mistake_in_event_name(name, context_.events).empty()) continue; // Said already.
        switch (names_product(name, context_.declared)) {
        case NamesProduct::yes: break;
        case NamesProduct::never:
            refuse(at, quoted(name) + " has no product_id, so it shows no interest in a product");
            break;
        case NamesProduct::perhaps:
            if (is_standard_event(name))
                mistakes_.warn(at, quoted(name) + " is not about one product; only where it "
                                                  "carries a product_id does it show interest");
            break;
        }
    }
    return names;
}

void JourneyReader::read_interested(const MapReader& enter) {
    auto& entry = journey_->enter;
    const auto* interested = enter.find("interested");
    const auto product_event = std::ranges::find_if(entry.on, is_product_event);
    if (interested == nullptr) {
        if (product_event != entry.on.end())
            mistakes_.add(enter.find("on")->at,
                          quoted(*product_event) +
                              " is about a product and nobody's own; interested says who gets a "
                              "copy: interested: { did: [Product Viewed], within: 30d }");
        return;
    }
    if (!std::ranges::all_of(entry.on, is_product_event) || entry.on.empty())
        mistakes_.add(interested->at, "interested stands beside on: " + std::string{price_dropped} +
                                          " or " + std::string{back_in_stock} +
                                          ", and no other event: these are about a product");
    const auto reader = section(*interested, "interested");
    if (!reader.is_map()) return;
    InterestRule rule;
    rule.line = interested->at.line;
    if (const auto* did = reader.require(
            "did", "the events with a product_id that show interest: [Product Viewed]"))
        rule.did = names_of_products(*did);
    if (const auto* within = reader.require("within", "how long ago at most: 30d"))
        rule.within = longer_than_nothing(*within, "nobody would ever be interested");
    entry.interested = std::move(rule);
}

} // namespace schema
