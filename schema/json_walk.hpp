/// Walking JSON text once: every value is looked at, so that nothing malformed passes, and what is
/// wanted is packed on the way. Internal to this folder: nobody else includes simdjson.
#pragma once

#include "journeys/packed.hpp"

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

namespace json = simdjson::ondemand;

enum class Fault : std::uint8_t { none, malformed, too_deep };

std::string_view trim_json_space(std::string_view text);

/// A JSON number's text: whether it is one, and its value.
struct JsonNumber {
    enum class Kind : std::uint8_t { none, integer, floating, out_of_range } kind = Kind::none;
    std::int64_t integer = 0;
    double floating = 0;
};
JsonNumber read_number(std::string_view token);

/// `packed` with the last of equal keys kept, in the place of the first, at every level.
std::string without_duplicate_keys(journeys::PackedView packed);

class Walker {
public:
    /// Checks a value and forgets it.
    Fault skip(json::value& value, int depth_left);
    /// Packs a value. `out_of_range` tells whether one of its numbers is past all doubles (then
    /// packed as null).
    Fault pack(json::value& value, int depth_left, std::string& out, bool& out_of_range);

private:
    Fault append(json::value& value, int depth_left);
    Fault append_map(json::value& value, int depth_left);
    bool has_duplicates(std::size_t first);

    journeys::PackedWriter writer_;
    std::vector<std::string_view> keys_; ///< Of the maps that are open.
    bool duplicates_ = false;
    bool out_of_range_ = false;
};

} // namespace schema
