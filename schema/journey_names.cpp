// Names inside expressions that no type checker sees: of journeys, and of what events carry.

#include "journeys/cel/checker.hpp"
#include "schema/event_properties.hpp"
#include "schema/journey_reader.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

namespace {

/// Nothing is said of what may be written in several ways.
cel::Type type_named(std::string_view declared) {
    if (declared == "string") return cel::Type::string();
    if (declared == "number") return cel::Type::floating();
    if (declared == "boolean") return cel::Type::boolean();
    if (declared == "list") return cel::Type::list({});
    if (declared == "map") return cel::Type::map(cel::Type::string(), {});
    return {};
}

cel::Type type_of(PackedView value) {
    switch (value.kind()) {
    case PackedKind::null: return {};
    case PackedKind::boolean_false:
    case PackedKind::boolean_true: return cel::Type::boolean();
    case PackedKind::integer: return cel::Type::integer();
    case PackedKind::floating: return cel::Type::floating();
    case PackedKind::string: return cel::Type::string();
    case PackedKind::list: return cel::Type::list({});
    case PackedKind::map: return cel::Type::map(cel::Type::string(), {});
    }
    return {};
}

std::string joined_by_or(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + quoted(names[i]);
    return text;
}

std::string dotted(const std::vector<std::string>& path) {
    std::string text;
    for (const auto& segment : path) text += (text.empty() ? "" : ".") + segment;
    return text;
}

std::size_t behind_event(const std::vector<std::string>& path) {
    if (path[0] == "event") return 1;
    return path.size() > 1 && path[0] == "run" && path[1] == "event" ? 2 : 0;
}

} // namespace

void JourneyReader::check_names(const YamlNode& node, const cel::Program& program) {
    for (const auto& path : program.paths())
        check_property(document_.place_in(node, path.offset), path);
    for (const auto& comparison : program.comparisons())
        check_comparison(document_.place_in(node, comparison.offset), comparison);
}

void JourneyReader::check_journey_name(std::string_view name, Place at) {
    if (!context_.journeys || context_.journeys->contains(std::string{name})) return;
    const std::vector<std::string> known(context_.journeys->begin(), context_.journeys->end());
    refuse(at, "no journey " + quoted(name) + '.' + did_you_mean(name, known) +
                   " Journeys: " + listed(known));
}

std::optional<JourneyReader::PropertyRead>
JourneyReader::property_read(const std::vector<std::string>& path) const {
    const auto behind = path.empty() ? 0 : behind_event(path);
    if (behind == 0 || path.size() < behind + 2 || path[behind] != "properties")
        return std::nullopt;
    const auto* events = behind == 1 ? applied_ : &journey_->enter.on;
    if (events == nullptr || events->empty()) return std::nullopt;
    return PropertyRead{events, path[behind + 1]};
}

/// One that none of the events can carry.
void JourneyReader::check_property(Place at, const cel::Path& path) {
    const auto read = property_read(path.segments);
    if (!read) return;
    std::vector<std::string> known;
    for (const auto& event : *read->events) {
        const auto* properties = properties_of_event(event, context_.declared);
        if (properties == nullptr || properties->contains(std::string{read->name})) return;
        for (const auto& [name, type] : *properties) known.push_back(name);
    }
    std::ranges::sort(known);
    known.erase(std::ranges::unique(known).begin(), known.end());
    const bool is_own = std::ranges::none_of(*read->events, is_standard_event);
    refuse(at, joined_by_or(*read->events) + " has no property " + quoted(read->name) + '.' +
                   did_you_mean(read->name, known) + " It has: " + listed(known) +
                   (is_own ? ". Properties of own events stand in config/events.yaml" : ""));
}

/// What is known beyond the type checker's word; dyn where nothing is.
cel::Type JourneyReader::known_type(const std::vector<std::string>& path) const {
    if (path.size() == 2 && path[0] == "vars") {
        if (vars_)
            if (const auto own = PackedView{*vars_}.find(path[1])) return type_of(own);
        if (!context_.lookups || context_.lookups->vars.empty()) return {};
        const auto common = PackedView{context_.lookups->vars}.find(path[1]);
        return common ? type_of(common) : cel::Type{};
    }
    const auto read = property_read(path);
    if (!read || path.size() != behind_event(path) + 2) return {};
    std::optional<cel::Type> all;
    for (const auto& event : *read->events) {
        const auto* properties = properties_of_event(event, context_.declared);
        if (properties == nullptr) return {};
        const auto found = properties->find(std::string{read->name});
        const auto type = found == properties->end() ? cel::Type{} : type_named(found->second);
        if (all && !(*all == type)) return {};
        all = type;
    }
    return all.value_or(cel::Type{});
}

void JourneyReader::check_comparison(Place at, const cel::Comparison& comparison) {
    const auto told = [&](const cel::Side& side) {
        auto known = side.path.empty() ? cel::Type{} : known_type(side.path);
        return known.is_dyn() ? side.type : known;
    };
    const auto left = told(comparison.left), right = told(comparison.right);
    if (!cel::type_of_operation(comparison.operation, left, right, false)) {
        const auto& side = left == comparison.left.type ? comparison.right : comparison.left;
        refuse(at, dotted(side.path) + " is " + told(side).text() + ": " +
                       cel::mistake_in_operation(comparison.operation, left, right));
        return;
    }
    check_texts(at, comparison.left.path, comparison.right.texts);
    check_texts(at, comparison.right.path, comparison.left.texts);
}

/// Texts that a path is compared with, where only some can ever stand there.
void JourneyReader::check_texts(Place at, const std::vector<std::string>& path,
                                const std::vector<std::string>& texts) {
    if (path.empty() || texts.empty()) return;
    const auto behind = behind_event(path);
    if (behind > 0 && path.size() == behind + 1 && path[behind] == "name")
        for (const auto& text : texts)
            if (auto mistake = mistake_in_event_name(text, context_.events); !mistake.empty())
                refuse(at, std::move(mistake));
    const auto read = property_read(path);
    if (!read || read->name != "journey") return;
    // Of an event that is made here it is a journey's id.
    if (std::ranges::all_of(*read->events, [](const std::string& event) {
            return properties_of_event(event, nullptr) != nullptr;
        }))
        for (const auto& text : texts) check_journey_name(text, at);
}

/// `count(name, window, property, value)`.
void JourneyReader::check_counted_property(Place at, const cel::Call& call) {
    const auto& texts = call.constant_strings;
    if (texts.size() < 3 || !texts[0] || !texts[2]) return;
    const auto* properties = properties_of_event(*texts[0], context_.declared);
    if (properties == nullptr) return;
    const auto found = properties->find(*texts[2]);
    if (found == properties->end()) {
        std::vector<std::string> known;
        for (const auto& [name, type] : *properties) known.push_back(name);
        return refuse(at, quoted(*texts[0]) + " has no property " + quoted(*texts[2]) + '.' +
                              did_you_mean(*texts[2], known) + " It has: " + listed(known));
    }
    if (texts.size() < 4 || !texts[3]) return;
    if (*texts[2] == "journey" && properties_of_event(*texts[0], nullptr) != nullptr)
        return check_journey_name(*texts[3], at);
    const auto type = type_named(found->second);
    if (!type.is_dyn() && !type.is(cel::Kind::string))
        refuse(at, quoted(*texts[2]) + " of " + quoted(*texts[0]) + " is a " + found->second +
                       ", which the text " + quoted(*texts[3]) + " never equals");
}

} // namespace schema
