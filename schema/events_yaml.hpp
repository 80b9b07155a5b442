/// `config/events.yaml`: the shop's own events.
#pragma once

#include "schema/mistakes.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct EventDeclaration {
    std::string description;
    std::map<std::string, std::string>
        properties; ///< Name -> `string`, `number`, `boolean`, `list`, `map`, `time`, `any`;
                    ///< empty where what is declared is a mistake.
};

struct EventsFile {
    std::map<std::string, EventDeclaration> events;
    std::vector<Mistake> mistakes;
    bool is_read = true; ///< False: the file is no YAML, and what it holds is not known.

    std::set<std::string, std::less<>> names() const;
};

EventsFile load_events(const std::string& file, std::string_view text);

} // namespace schema
