#include "schema/audiences_yaml.hpp"

#include "schema/journey_reader.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

AudiencesFile load_audiences(const std::string& file, std::string_view text,
                             const LoadContext& context) {
    return JourneyReader{file, text, context}.read_audiences();
}

AudiencesFile JourneyReader::read_audiences() {
    AudiencesFile loaded;
    is_audiences_ = true;
    loaded.is_read = !mistakes_.has_errors() || !document_.root().is_empty();
    const auto& root = document_.root();
    if (!root.is_map() && !root.is_empty())
        mistakes_.add(root.at, "a file of audiences is a map from names to conditions, such as "
                               "loyal: customer.orders >= 3");
    if (root.entries.size() > audiences_max)
        mistakes_.add(root.at, "more than " + std::to_string(audiences_max) + " audiences");
    for (const auto& [name, body] : root.entries) {
        const auto is_allowed = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        };
        if (name.text.empty() || name.text.size() > 64 ||
            !std::ranges::all_of(name.text, is_allowed)) {
            mistakes_.add(name.at,
                          quoted(name.text) + " is no audience's name: a-z, 0-9 and -, at most 64");
            loaded.broken.insert(name.text);
            continue;
        }
        auto made = condition(body, Scope::audience);
        if (!made) {
            loaded.broken.insert(name.text);
            continue;
        }
        for (const auto& call : made->program->calls())
            if (call.function == "audience")
                mistakes_.add(document_.place_in(body, call.offset),
                              "an audience cannot name another; write its condition here");
        loaded.audiences.emplace(name.text, std::move(*made));
    }
    loaded.mistakes = mistakes_.take();
    return loaded;
}

} // namespace schema
