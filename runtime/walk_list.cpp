#include "runtime/walk_list.hpp"

#include "schema/timestamp_text.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string_view>

namespace runtime {
namespace {

/// To the second.
std::string instant(journeys::Timestamp at) {
    return schema::timestamp_text(at).substr(0, std::string_view{"2026-11-27T08:00:00"}.size()) +
           'Z';
}

std::string what_of(const WalkStand& stand) {
    if (!stand.product.empty()) return stand.event + ", " + stand.product;
    return stand.audience + " into " + stand.journey;
}

/// What bounds one that is under way. A product's event takes what producers leave.
std::string bounds_of(const WalkStand& stand) {
    std::string text;
    if (stand.copies_max) text += ", at most " + std::to_string(*stand.copies_max);
    if (!stand.product.empty()) return text;
    char pace[32];
    std::snprintf(pace, sizeof pace, ", %g/s", stand.pace);
    return text + pace;
}

} // namespace

std::string walks_text(const std::vector<WalkStand>& stands) {
    if (stands.empty()) return "no audience was let in yet, and no product's event went to many\n";
    std::string text = "begun                    copied  over                  what\n";
    for (const auto& stand : stands) {
        char line[96];
        std::snprintf(line, sizeof line, "%-20s  %9llu  %-20s  ", instant(stand.at).c_str(),
                      static_cast<unsigned long long>(stand.copied),
                      stand.over_at ? instant(*stand.over_at).c_str() : "under way");
        text += line + what_of(stand) + (stand.over_at ? "" : bounds_of(stand)) + '\n';
    }
    return text;
}

std::string walks_json(const std::vector<WalkStand>& stands) {
    using nlohmann::ordered_json;
    ordered_json json{{"walks", ordered_json::array()}};
    for (const auto& stand : stands) {
        ordered_json one{{"event", stand.event}};
        if (!stand.product.empty()) one["product"] = stand.product;
        if (!stand.journey.empty()) one["journey"] = stand.journey;
        if (!stand.audience.empty()) one["audience"] = stand.audience;
        one["begun_at"] = schema::timestamp_text(stand.at);
        one["copied"] = stand.copied;
        if (stand.copies_max) one["at_most"] = *stand.copies_max;
        if (stand.product.empty()) one["pace"] = stand.pace;
        if (stand.over_at) one["over_at"] = schema::timestamp_text(*stand.over_at);
        json["walks"].push_back(std::move(one));
    }
    return json.dump();
}

} // namespace runtime
