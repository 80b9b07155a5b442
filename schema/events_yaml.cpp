#include "schema/events_yaml.hpp"

#include "schema/yaml_values.hpp"

namespace schema {
namespace {

const Section file_section{"events file", "a file of events", {"events"}};
const Section event_section{"event", "the declaration of an event", {"description", "properties"}};

} // namespace

std::set<std::string, std::less<>> EventsFile::names() const {
    std::set<std::string, std::less<>> all;
    for (const auto& [name, declaration] : events) all.insert(name);
    return all;
}

EventsFile load_events(const std::string& file, std::string_view text) {
    EventsFile loaded;
    Mistakes mistakes{file};
    ValueReader values{mistakes};
    const auto document = YamlDocument::parse(text, mistakes);
    if (!document.root().is_empty()) {
        const MapReader reader{document.root(), file_section, mistakes};
        const auto* events = reader.find("events");
        if (events != nullptr && !events->is_map() && !events->is_empty())
            mistakes.add(
                events->at,
                "events is a map from each event's name to its description and properties");
        if (events != nullptr)
            for (const auto& [name, body] : events->entries) {
                auto& declaration = loaded.events[name.text];
                if (body.is_empty()) continue;
                const MapReader event{body, event_section, mistakes};
                if (const auto* node = event.find("description"))
                    declaration.description = values.text(*node, "a sentence").value_or("");
                const auto* properties = event.find("properties");
                if (properties == nullptr || properties->is_empty()) continue;
                if (!properties->is_map()) {
                    mistakes.add(properties->at, "properties is a map from name to type");
                    continue;
                }
                for (const auto& [property, type] : properties->entries) {
                    auto& made = declaration.properties[property.text]; // There, of any type.
                    if (const auto known =
                            values.one_of<std::string_view>(type, {{"string", "string"},
                                                                   {"number", "number"},
                                                                   {"boolean", "boolean"},
                                                                   {"list", "list"},
                                                                   {"map", "map"},
                                                                   {"time", "time"},
                                                                   {"any", "any"}}))
                        made = *known;
                }
            }
    }
    loaded.is_read = !mistakes.has_errors() || !document.root().is_empty();
    loaded.mistakes = mistakes.take();
    return loaded;
}

} // namespace schema
