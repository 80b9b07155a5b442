#include "journeys/cel/functions.hpp"

#include "journeys/cel/pattern.hpp"
#include "journeys/cel/time_text.hpp"

#include <algorithm>
#include <unordered_map>

namespace journeys::cel {
namespace {

struct Library {
    std::vector<BuiltIn> forms;
    std::unordered_map<std::string_view, std::span<const BuiltIn>> by_name;

    Library() {
        for (const auto part :
             {string_functions(), byte_functions(), list_functions(), math_functions(),
              time_functions(), conversions(), optional_functions()}) {
            forms.insert(forms.end(), part.begin(), part.end());
        }
        std::stable_sort(forms.begin(), forms.end(),
                         [](const BuiltIn& a, const BuiltIn& b) { return a.name < b.name; });
        for (auto first = forms.begin(); first != forms.end();) {
            const auto last = std::find_if(
                first, forms.end(), [&](const BuiltIn& form) { return form.name != first->name; });
            by_name.emplace(first->name, std::span<const BuiltIn>{first, last});
            first = last;
        }
    }
};

const Library& library() {
    static const Library made;
    return made;
}

constexpr KindSet numbers =
    set_of(Kind::integer) | set_of(Kind::unsigned_integer) | set_of(Kind::floating);
constexpr KindSet anything = ~set_of(Kind::error);

} // namespace

KindSet kinds_of(char letter, bool is_strict) {
    const auto type = type_of(letter);
    return kinds_of(type, is_strict);
}

KindSet kinds_of(const Type& type, bool is_strict) {
    if (type.is_dyn()) return anything;
    KindSet set = set_of(type.kind());
    if (type.is(Kind::floating) && !is_strict) set = numbers;
    if (type.is_nullable()) set |= set_of(Kind::null);
    return set;
}

Type type_of(char letter) {
    switch (letter) {
    case 'b': return Type::boolean();
    case 'i': return Type::integer();
    case 'u': return Type::unsigned_integer();
    case 'd': return Type::floating();
    case 's': return Type::string();
    case 'y': return Type::bytes();
    case 'l': return Type::list({});
    case 'S': return Type::list(Type::string());
    case 'm': return Type::map({}, {});
    case 't': return Type::timestamp();
    case 'D': return Type::duration();
    case 'o': return Type::optional({});
    case 'T': return Type::type();
    case '0': return Type::null();
    default: return {};
    }
}

std::span<const BuiltIn> find_built_in(std::string_view name) {
    const auto found = library().by_name.find(name);
    return found == library().by_name.end() ? std::span<const BuiltIn>{} : found->second;
}

std::vector<std::string_view> built_in_names() {
    std::vector<std::string_view> names;
    for (const auto& [name, forms] : library().by_name) names.push_back(name);
    return names;
}

std::string_view mistake_in_constant(std::string_view function, std::size_t argument,
                                     std::string_view text) {
    if (function == "matches" && argument == 1) {
        if (!Pattern{text}.is_valid()) return "is no regular expression of RE2, or too large a one";
    }
    if (function == "duration" && !parse_duration(text)) {
        return "is no duration: \"1h30m\", \"45s\", \"1.5h\"; days are days(7)";
    }
    if (function == "timestamp" && !parse_timestamp(text)) {
        return "is no timestamp: \"2024-05-17T09:00:00Z\" or with an offset; a day is "
               "date(\"2024-05-17\")";
    }
    if (function == "date" && !parse_date(text)) {
        return "is no date: \"1990-05-17\", \"05-17\" or \"2024-05-17T09:00:00Z\"";
    }
    if (function.starts_with("get") && argument == 1 && !is_time_zone(text)) {
        return "is no time zone: \"Europe/Berlin\" or \"+01:00\"";
    }
    return {};
}

} // namespace journeys::cel
