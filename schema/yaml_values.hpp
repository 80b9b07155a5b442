/// Maps with known keys, and the small values of our files: durations, percentages, times of day.
#pragma once

#include "journeys/time.hpp"
#include "schema/yaml_document.hpp"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schema {

/// A kind of map in a file and the keys it may have.
struct Section {
    std::string name; ///< `send`
    std::string what; ///< `a send`; for messages.
    std::vector<std::string> keys;
};

/// A map that was checked against its section: what it is, unknown keys.
class MapReader {
public:
    MapReader(const YamlNode& node, const Section& section, Mistakes& mistakes);

    bool is_map() const { return node_.is_map(); }
    Place at() const { return node_.at; }
    /// Nothing where the key is absent.
    const YamlNode* find(std::string_view key) const { return node_.find(key); }
    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// As `find`; an absent or empty one is a mistake that says what belongs there.
    const YamlNode* require(std::string_view key, std::string_view what) const;

private:
    const YamlNode& node_;
    const Section& section_;
    Mistakes& mistakes_;
};

/// `30s 45m 20h 7d 2w` and sums of them, `1d12h`; a leading `-` only where `may_be_negative`.
std::optional<journeys::Duration> parse_duration(std::string_view text,
                                                 bool may_be_negative = false);
/// `10%` as 0.1.
std::optional<double> parse_percentage(std::string_view text);
/// `09:00` to `23:59`.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);
/// A whole number with an optional unit: `KB`, `MB`, `GB` (thousands), `KiB`, `MiB`, `GiB` (1,024).
std::optional<std::int64_t> parse_bytes(std::string_view text);

/// Reads values, and says what is wrong with them and what is allowed.
class ValueReader {
public:
    explicit ValueReader(Mistakes& mistakes) : mistakes_(mistakes) {}

    std::optional<std::string> text(const YamlNode& node, std::string_view what);
    /// A list of texts, or one text.
    std::vector<std::pair<std::string, Place>> texts(const YamlNode& node, std::string_view what);
    std::optional<journeys::Duration> duration(const YamlNode& node, bool may_be_negative = false);
    std::optional<double> share(const YamlNode& node); ///< `10%`, as 0 to 1.
    std::optional<std::int64_t> integer(const YamlNode& node, std::int64_t min, std::int64_t max);
    std::optional<double> number(const YamlNode& node, double min, double max);
    std::optional<bool> boolean(const YamlNode& node);
    std::optional<std::chrono::minutes> time_of_day(const YamlNode& node);
    std::optional<std::int64_t> bytes(const YamlNode& node);
    /// `mon` … `sun`, as bits from Sunday on.
    std::optional<std::uint8_t> weekdays(const YamlNode& node);
    /// One of the names.
    template <class Value>
    std::optional<Value> one_of(const YamlNode& node,
                                std::initializer_list<std::pair<std::string_view, Value>> choices) {
        std::vector<std::string> names;
        for (const auto& [name, value] : choices) {
            if (node.is_text() && node.text == name) return value;
            names.emplace_back(name);
        }
        not_among(node, names);
        return std::nullopt;
    }
    void not_among(const YamlNode& node, std::span<const std::string> names);

private:
    Mistakes& mistakes_;
};

} // namespace schema
