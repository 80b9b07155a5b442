#include "schema/journey_reader.hpp"

namespace schema {

using namespace journeys;

namespace {

constexpr std::chrono::days offset_max{366};

} // namespace

void JourneyReader::read_date_entry(const MapReader& enter) {
    const auto* date = enter.find("date");
    for (const auto* key : {"weekdays", "time", "pace"})
        if (const auto* found = enter.find(key); found && !enter.has("audience"))
            mistakes_.add(found->at, quoted(key) + " has a meaning only beside audience");
    if (date == nullptr) {
        if (enter.has("audience")) {
            for (const auto* key : {"every", "offset"})
                if (const auto* found = enter.find(key))
                    mistakes_.add(found->at, quoted(key) + " has a meaning only beside date");
            return;
        }
        for (const auto* key : {"every", "offset", "at", "timezone"})
            if (const auto* found = enter.find(key))
                mistakes_.add(found->at,
                              quoted(key) + (std::string_view{key} == "at" ||
                                                     std::string_view{key} == "timezone"
                                                 ? " has a meaning only beside date or audience"
                                                 : " has a meaning only beside date"));
        return;
    }
    DateEntry made;
    if (auto found = expression(*date, Scope::step, cel::Expect::any)) {
        check_date_of_customer(*date, *found->program);
        made.date = std::move(*found);
    }
    using Every = DateEntry::Every;
    if (const auto* every = enter.require("every", "how often it comes: once, year or month"))
        made.every =
            values_
                .one_of<Every>(
                    *every, {{"once", Every::once}, {"year", Every::year}, {"month", Every::month}})
                .value_or(Every::once);
    if (const auto* at = enter.require("at", "the time of the day at which runs begin: \"09:00\""))
        made.time = values_.time_of_day(*at).value_or(std::chrono::minutes{});
    if (const auto* offset = enter.find("offset"))
        if (const auto span = values_.duration(*offset, true)) {
            made.offset = std::chrono::floor<std::chrono::days>(*span);
            if (made.offset != *span)
                mistakes_.add(offset->at,
                              "an offset is in whole days, such as -14d; at says the time of day");
            else if (made.offset > offset_max || made.offset < -offset_max)
                mistakes_.add(offset->at, "an offset is at most 366d, before or after");
        }
    made.zone = read_zone(enter.find("timezone"));
    journey_->enter.date = std::move(made);
}

/// It is looked at when something happened to the customer, and no event and no run are at hand.
void JourneyReader::check_date_of_customer(const YamlNode& node, const cel::Program& program) {
    for (const auto& path : program.paths()) {
        if (path.segments[0] == "now")
            mistakes_.add(document_.place_in(node, path.offset),
                          "a date that moves on with now never comes");
        if (path.segments[0] == "run")
            mistakes_.add(document_.place_in(node, path.offset),
                          "there is no run yet where a journey is entered");
    }
    const auto& type = program.type();
    if (!type.is_dyn() && !type.is(cel::Kind::timestamp) && !type.is(cel::Kind::string))
        mistakes_.add(node.at, "a date is a timestamp, or a text such as 1990-05-17 or 05-17; "
                               "this is " +
                                   type.text());
}

} // namespace schema
