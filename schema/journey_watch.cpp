#include "schema/journey_reader.hpp"

#include <limits>

namespace schema {

using namespace journeys;

namespace {

constexpr std::int64_t sends_max = std::numeric_limits<std::int32_t>::max();

} // namespace

void JourneyReader::read_watch(const YamlNode& node) {
    const auto watch = section(node, "watch");
    if (!watch.is_map()) return;
    auto& made = journey_->watch.emplace();
    const auto* sends = watch.find("sends_per_day");
    const auto* share = watch.find("suppressed_below");
    if (sends == nullptr && share == nullptr)
        mistakes_.add(node.at, "watch needs sends_per_day, suppressed_below or both");
    if (sends != nullptr) read_sends_per_day(*sends, made);
    if (share == nullptr) return;
    made.suppressed_below = values_.share(*share);
    if (made.suppressed_below == 0.0)
        mistakes_.add(share->at, "suppressed_below: 0% would always be passed");
}

/// A number is the least.
void JourneyReader::read_sends_per_day(const YamlNode& node, Watch& watch) {
    if (!node.is_map()) {
        watch.sends_min = values_.integer(node, 1, sends_max);
        return;
    }
    const auto sends = section(node, "sends per day");
    const auto* least = sends.find("at_least");
    const auto* most = sends.find("at_most");
    if (least == nullptr && most == nullptr)
        mistakes_.add(node.at, "sends_per_day needs at_least, at_most or both");
    if (least != nullptr) watch.sends_min = values_.integer(*least, 1, sends_max);
    if (most != nullptr) watch.sends_max = values_.integer(*most, 0, sends_max);
    if (watch.sends_min && watch.sends_max && *watch.sends_max < *watch.sends_min)
        mistakes_.add(most->at, "at_most is less than at_least");
}

} // namespace schema
