#include "schema/yaml_values.hpp"

#include "journeys/duration_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace schema {
namespace {

using namespace std::chrono_literals;

std::string found(const YamlNode& node) {
    if (node.is_map()) return "a map";
    if (node.is_list()) return "a list";
    if (node.is_empty()) return "nothing";
    if (node.is_expanded) return "what ${…} gave";
    return quoted(node.text);
}

std::optional<double> parse_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

/// As short as it can be read back.
std::string number_text(double number) {
    std::array<char, 32> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    return error == std::errc{} ? std::string{text.data(), end} : std::to_string(number);
}

} // namespace

MapReader::MapReader(const YamlNode& node, const Section& section, Mistakes& mistakes)
    : node_(node), section_(section), mistakes_(mistakes) {
    const auto& names = section.keys;
    if (!node.is_map()) {
        if (node.is_told) return;
        mistakes.add(node.at, section.what + " is a map with the keys " + listed(names) +
                                  "; found " + found(node));
        return;
    }
    for (const auto& [key, value] : node.entries) {
        if (!key.is_text() || key.text == "<<") continue; // Said when the document was read.
        if (std::ranges::find(names, key.text) == names.end())
            mistakes.add(key.at, "unknown key " + quoted(key.text) + " in " + section.what + '.' +
                                     did_you_mean(key.text, names) + " Allowed: " + listed(names));
    }
}

const YamlNode* MapReader::require(std::string_view key, std::string_view what) const {
    if (!is_map()) return nullptr;
    const auto* value = find(key);
    if (value != nullptr && !value->is_empty()) return value;
    if (value != nullptr && value->is_told) return nullptr;
    mistakes_.add(value != nullptr ? value->at : node_.at,
                  section_.what + " needs \"" + std::string{key} + ":\", " + std::string{what});
    return nullptr;
}

std::optional<journeys::Duration> parse_duration(std::string_view text, bool may_be_negative) {
    const bool is_negative = may_be_negative && text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const auto span = journeys::parse_duration(text, journeys::duration_max);
    return is_negative && span ? -*span : span;
}

std::optional<double> parse_percentage(std::string_view text) {
    if (!text.ends_with('%')) return std::nullopt;
    text.remove_suffix(1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
    if (!std::ranges::all_of(text, [&](char c) { return is_digit(c) || c == '.'; }))
        return std::nullopt;
    const auto number = parse_number(text);
    if (!number || *number > 100) return std::nullopt;
    return *number / 100;
}

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
    const auto is_digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !is_digit(0) || !is_digit(1) || !is_digit(3) ||
        !is_digit(4))
        return std::nullopt;
    const int hours = (text[0] - '0') * 10 + text[1] - '0',
              minutes = (text[3] - '0') * 10 + text[4] - '0';
    if (hours > 23 || minutes > 59) return std::nullopt;
    return std::chrono::minutes{hours * 60 + minutes};
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 0 || value > 1'000'000'000'000) return std::nullopt;
    auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    if (unit.empty()) return value;
    if (unit == "KB") return value * 1'000;
    if (unit == "MB") return value * 1'000'000;
    if (unit == "GB" && value < 1'000'000'000) return value * 1'000'000'000;
    if (unit == "KiB") return value << 10;
    if (unit == "MiB") return value << 20;
    if (unit == "GiB" && value < 1'000'000'000) return value << 30;
    return std::nullopt;
}

std::optional<std::string> ValueReader::text(const YamlNode& node, std::string_view what) {
    if (node.is_text() && !node.text.empty()) return node.text;
    if (node.is_told) return std::nullopt;
    mistakes_.add(node.at, "expected " + std::string{what} + ", found " + found(node));
    return std::nullopt;
}

std::vector<std::pair<std::string, Place>> ValueReader::texts(const YamlNode& node,
                                                              std::string_view what) {
    std::vector<std::pair<std::string, Place>> all;
    if (!node.is_list()) {
        if (auto one = text(node, what)) all.emplace_back(std::move(*one), node.at);
        return all;
    }
    if (node.items.empty())
        mistakes_.add(node.at, "expected " + std::string{what} + ", found an empty list");
    for (const auto& item : node.items)
        if (auto one = text(item, what)) all.emplace_back(std::move(*one), item.at);
    return all;
}

std::optional<journeys::Duration> ValueReader::duration(const YamlNode& node,
                                                        bool may_be_negative) {
    if (node.is_text()) {
        if (const auto value = parse_duration(node.text, may_be_negative)) return value;
        if (parse_number(node.text))
            mistakes_.add(node.at, found(node) +
                                       " has no unit: s m h d w. In an expression a duration is "
                                       "a text: \"24h\"");
        else
            mistakes_.add(node.at, found(node) +
                                       " is no duration. Write whole numbers with a unit, s m h "
                                       "d w, up to 10 years: 45m, 20h, 1d12h");
    } else {
        mistakes_.add(node.at, "expected a duration such as 45m or 1d12h, found " + found(node));
    }
    return std::nullopt;
}

std::optional<double> ValueReader::share(const YamlNode& node) {
    if (node.is_text()) {
        if (const auto value = parse_percentage(node.text)) return value;
        const auto number = parse_number(node.text);
        if (number && *number == 0) return 0;
        if (number && *number > 0 && *number < 1) {
            mistakes_.warn(
                node.at, (node.is_expanded ? found(node) : node.text) + " %, or " + [&] {
                    auto percent = std::to_string(*number * 100);
                    percent.erase(percent.find_last_not_of('0') + 1);
                    if (percent.ends_with('.')) percent.pop_back();
                    return percent;
                }() + "%?");
            return *number;
        }
        if (number) {
            mistakes_.add(node.at, found(node) + " has no %: write 10%");
            return std::nullopt;
        }
    }
    mistakes_.add(node.at, "expected a percentage such as 10%, found " + found(node));
    return std::nullopt;
}

std::optional<std::int64_t> ValueReader::integer(const YamlNode& node, std::int64_t min,
                                                 std::int64_t max) {
    if (node.is_text()) {
        std::int64_t value = 0;
        const auto* end = node.text.data() + node.text.size();
        const auto result = std::from_chars(node.text.data(), end, value);
        if (result.ec == std::errc{} && result.ptr == end && value >= min && value <= max)
            return value;
    }
    mistakes_.add(node.at, "expected a whole number from " + std::to_string(min) + " to " +
                               std::to_string(max) + ", found " + found(node));
    return std::nullopt;
}

std::optional<double> ValueReader::number(const YamlNode& node, double min, double max) {
    if (node.is_text()) {
        const auto value = parse_number(node.text);
        if (value && *value >= min && *value <= max) return value;
    }
    mistakes_.add(node.at, "expected a number from " + number_text(min) + " to " +
                               number_text(max) + ", found " + found(node));
    return std::nullopt;
}

std::optional<bool> ValueReader::boolean(const YamlNode& node) {
    return one_of<bool>(node, {{"true", true}, {"false", false}});
}

std::optional<std::chrono::minutes> ValueReader::time_of_day(const YamlNode& node) {
    if (node.is_text())
        if (const auto value = parse_time_of_day(node.text)) return value;
    mistakes_.add(node.at, "expected a time of day from 00:00 to 23:59, found " + found(node));
    return std::nullopt;
}

std::optional<std::int64_t> ValueReader::bytes(const YamlNode& node) {
    if (node.is_text())
        if (const auto value = parse_bytes(node.text)) return value;
    mistakes_.add(node.at, "expected a size such as 32 KiB or 500 MB, found " + found(node));
    return std::nullopt;
}

std::optional<std::uint8_t> ValueReader::weekdays(const YamlNode& node) {
    static const std::vector<std::string> days{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    unsigned bits = 0;
    const auto add = [&](const YamlNode& day) {
        for (std::size_t i = 0; i < days.size(); ++i)
            if (day.is_text() && day.text == days[i]) {
                bits |= 1u << i;
                return;
            }
        not_among(day, days);
    };
    if (node.is_list())
        for (const auto& day : node.items) add(day);
    else
        add(node);
    if (node.is_list() && node.items.empty())
        mistakes_.add(node.at, "no weekday is named: mon, tue, …");
    if (bits == 0) return std::nullopt;
    return static_cast<std::uint8_t>(bits);
}

void ValueReader::not_among(const YamlNode& node, std::span<const std::string> names) {
    mistakes_.add(node.at,
                  "expected one of " + listed(names) + "; found " + found(node) +
                      (node.is_text() && !node.is_expanded ? '.' + did_you_mean(node.text, names)
                                                           : std::string{}));
}

} // namespace schema
