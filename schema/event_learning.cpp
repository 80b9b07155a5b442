#include "schema/event_learning.hpp"

#include "journeys/lower_case.hpp"
#include "journeys/packed.hpp"
#include "schema/event_names.hpp"
#include "schema/known_events.hpp"
#include "schema/timestamp_text.hpp"
#include "schema/yaml_document.hpp"

#include <algorithm>

namespace schema {
namespace {

constexpr std::size_t name_bytes_max = 128;

/// Nothing for null, which may be of any type.
std::string type_of(journeys::PackedView value) {
    using journeys::PackedKind;
    switch (value.kind()) {
    case PackedKind::null: return {};
    case PackedKind::boolean_false:
    case PackedKind::boolean_true: return "boolean";
    case PackedKind::integer:
    case PackedKind::floating: return "number";
    case PackedKind::string: {
        // A number alone is an id rather than a day.
        const auto text = value.as_string();
        return text.find('-') != text.npos && parse_producer_time(text) ? "time" : "string";
    }
    case PackedKind::list: return "list";
    case PackedKind::map: return "map";
    }
    return {};
}

/// The type of values of both.
std::string common(const std::string& a, const std::string& b) {
    if (a == b || b.empty()) return a;
    if (a.empty()) return b;
    const bool are_texts = (a == "time" || a == "string") && (b == "time" || b == "string");
    return are_texts ? "string" : "any";
}

/// Without what spellings differ in.
std::string spelled_plainly(std::string_view name) {
    std::string plain;
    for (const char c : name) {
        if (c == ' ' || c == '_' || c == '-') continue;
        plain += journeys::to_lower(c);
    }
    return plain;
}

bool may_be_name(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes_max &&
           std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::string as_key(const std::string& name) {
    const bool is_plain = std::ranges::all_of(name,
                                              [](char c) {
                                                  return (c >= 'a' && c <= 'z') ||
                                                         (c >= 'A' && c <= 'Z') || c == '_' ||
                                                         c == ' ';
                                              }) &&
                          name.front() != ' ' && name.back() != ' ';
    static const std::map<std::string, bool> words{{"true", true}, {"false", true}, {"null", true},
                                                   {"yes", true},  {"no", true},    {"on", true},
                                                   {"off", true}};
    return is_plain && !words.contains(name) ? name : yaml_quoted(name);
}

} // namespace

void EventLearner::see(const journeys::Event& event) {
    ++seen_;
    if (event.type != journeys::EventType::track || is_standard_event(event.name) ||
        is_kept_for_us(event.name))
        return;
    if (!may_be_name(event.name)) {
        ++left_out_;
        return;
    }
    auto known = events_.find(event.name);
    if (known == events_.end()) {
        if (events_.size() == events_max) {
            ++left_out_;
            return;
        }
        known = events_.emplace(event.name, Seen{}).first;
    }
    ++known->second.count;
    auto& properties = known->second.properties;
    for (const auto& [name, value] : journeys::PackedView{event.properties}.entries()) {
        const auto type = type_of(value);
        if (!may_be_name(name)) {
            ++left_out_;
            continue;
        }
        const auto before = properties.find(std::string{name});
        if (before != properties.end())
            before->second = common(before->second, type);
        else if (properties.size() < properties_max)
            properties.emplace(name, type);
        else {
            known->second.is_cut = true;
            ++left_out_;
        }
    }
}

std::map<std::string, std::string> EventLearner::doubtful(const EventsFile& declared) const {
    std::map<std::string, std::string> all;
    for (const auto& [name, seen] : events_) {
        if (declared.events.contains(name)) continue;
        if (const auto elsewhere = known_elsewhere(name)) {
            all[name] = "here it is " + yaml_quoted(elsewhere->ours);
            continue;
        }
        const auto plain = spelled_plainly(name);
        const std::string* better = nullptr;
        for (const auto& [other, declaration] : declared.events)
            if (spelled_plainly(other) == plain) better = &other;
        std::uint64_t most = seen.count;
        if (!better)
            for (const auto& [other, theirs] : events_)
                if (other != name && spelled_plainly(other) == plain &&
                    (theirs.count > most || (theirs.count == most && !better && other < name))) {
                    better = &other;
                    most = theirs.count;
                }
        if (better) all[name] = "another spelling of " + yaml_quoted(*better);
    }
    return all;
}

std::string EventLearner::yaml(const EventsFile& declared) const {
    auto all = declared.events;
    const auto left_out = doubtful(declared);
    for (const auto& [name, seen] : events_) {
        if (left_out.contains(name)) continue;
        auto& event = all[name];
        // Half of its properties would make mistakes of the others.
        if (seen.is_cut) continue;
        for (const auto& [property, type] : seen.properties) // The declared one stays.
            event.properties.emplace(property, type.empty() ? "any" : type);
    }
    std::string notes;
    for (const auto& [name, why] : left_out)
        notes += "# left out: " + yaml_quoted(name) +
                 ", seen: " + std::to_string(events_.at(name).count) + "; " + why + '\n';
    std::string out = "# The shop's own events, as they were declared and as they were seen. "
                      "Standard ones and those "
                      "made here\n# need no line.\n";
    if (all.empty()) return out + notes + "events: {}\n";
    out += notes + "events:\n";
    for (const auto& [name, event] : all) {
        out += "  " + as_key(name) + ":";
        const auto seen = events_.find(name);
        if (seen != events_.end()) out += "   # seen: " + std::to_string(seen->second.count);
        out += '\n';
        if (!event.description.empty())
            out += "    description: " + yaml_quoted(event.description) + '\n';
        if (event.properties.empty()) continue;
        out += "    properties:\n";
        for (const auto& [property, type] : event.properties)
            out += "      " + as_key(property) + ": " + type + '\n';
    }
    return out;
}

} // namespace schema
