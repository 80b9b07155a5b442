#include "schema/json_walk.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_map>
#include <utility>

namespace schema {
namespace {

using journeys::PackedView;
using journeys::PackedWriter;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Fault check_scalar(std::string_view token) {
    token = trim_json_space(token);
    if (token == "null" || token == "true" || token == "false") return Fault::none;
    return read_number(token).kind == JsonNumber::Kind::none ? Fault::malformed : Fault::none;
}

void append_unique(PackedWriter& writer, PackedView value) {
    if (value.is_list()) {
        const auto mark = writer.begin_list();
        for (const auto& [key, item] : value.entries()) append_unique(writer, item);
        writer.end_list(mark, value.size());
        return;
    }
    if (!value.is_map()) {
        writer.value(value);
        return;
    }
    std::vector<std::pair<std::string_view, PackedView>> kept;
    std::unordered_map<std::string_view, std::size_t> places;
    for (const auto& [key, item] : value.entries()) {
        const auto [place, is_new] = places.try_emplace(key, kept.size());
        if (is_new)
            kept.emplace_back(key, item);
        else
            kept[place->second].second = item;
    }
    const auto mark = writer.begin_map();
    for (const auto& [key, item] : kept) {
        writer.key(key);
        append_unique(writer, item);
    }
    writer.end_map(mark, kept.size());
}

} // namespace

std::string_view trim_json_space(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

JsonNumber read_number(std::string_view token) {
    JsonNumber number;
    const char* at = token.data();
    const char* const end = at + token.size();
    const auto digits = [&] {
        const char* first = at;
        while (at != end && is_digit(*at)) ++at;
        return at - first;
    };
    if (at != end && *at == '-') ++at;
    const bool leading_zero = at != end && *at == '0';
    const auto whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) return number;
    bool is_integer = true;
    if (at != end && *at == '.') {
        ++at;
        is_integer = false;
        if (digits() == 0) return number;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        is_integer = false;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        if (digits() == 0) return number;
    }
    if (at != end) return number;

    if (is_integer && std::from_chars(token.data(), end, number.integer).ec == std::errc{}) {
        number.kind = JsonNumber::Kind::integer;
        return number;
    }
    const auto [stop, error] = std::from_chars(token.data(), end, number.floating);
    if (error == std::errc{} && std::isfinite(number.floating)) {
        number.kind = JsonNumber::Kind::floating;
        return number;
    }
    // Out of range is also what from_chars calls a number that is nearly nothing; only strtod tells
    // them apart.
    number.floating = std::strtod(std::string{token}.c_str(), nullptr);
    number.kind = std::isfinite(number.floating) ? JsonNumber::Kind::floating
                                                 : JsonNumber::Kind::out_of_range;
    return number;
}

std::string without_duplicate_keys(PackedView packed) {
    PackedWriter writer;
    append_unique(writer, packed);
    return writer.take();
}

Fault Walker::skip(json::value& value, int depth_left) {
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    switch (type) {
    case json::json_type::object: {
        if (depth_left <= 0) return Fault::too_deep;
        json::object object;
        if (value.get_object().get(object)) return Fault::malformed;
        for (auto field : object) {
            std::string_view key;
            if (field.error() || field.unescaped_key().get(key)) return Fault::malformed;
            json::value inner = field.value();
            if (const auto fault = skip(inner, depth_left - 1); fault != Fault::none) return fault;
        }
        return Fault::none;
    }
    case json::json_type::array: {
        if (depth_left <= 0) return Fault::too_deep;
        json::array array;
        if (value.get_array().get(array)) return Fault::malformed;
        for (auto element : array) {
            json::value inner;
            if (std::move(element).get(inner)) return Fault::malformed;
            if (const auto fault = skip(inner, depth_left - 1); fault != Fault::none) return fault;
        }
        return Fault::none;
    }
    case json::json_type::string: {
        std::string_view text;
        return value.get_string().get(text) ? Fault::malformed : Fault::none;
    }
    case json::json_type::number:
    case json::json_type::boolean:
    case json::json_type::null: {
        return check_scalar(value.raw_json_token());
    }
    }
    return Fault::malformed;
}

Fault Walker::pack(json::value& value, int depth_left, std::string& out, bool& out_of_range) {
    writer_.clear();
    keys_.clear();
    duplicates_ = out_of_range_ = false;
    if (const auto fault = append(value, depth_left); fault != Fault::none) return fault;
    out_of_range = out_of_range_;
    if (duplicates_)
        out = without_duplicate_keys(PackedView{writer_.bytes()});
    else
        out.assign(writer_.bytes());
    return Fault::none;
}

Fault Walker::append(json::value& value, int depth_left) {
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    switch (type) {
    case json::json_type::object:
        return depth_left > 0 ? append_map(value, depth_left) : Fault::too_deep;
    case json::json_type::array: {
        if (depth_left <= 0) return Fault::too_deep;
        json::array array;
        if (value.get_array().get(array)) return Fault::malformed;
        const auto mark = writer_.begin_list();
        std::size_t count = 0;
        for (auto element : array) {
            json::value inner;
            if (std::move(element).get(inner)) return Fault::malformed;
            if (const auto fault = append(inner, depth_left - 1); fault != Fault::none)
                return fault;
            ++count;
        }
        writer_.end_list(mark, count);
        return Fault::none;
    }
    case json::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text)) return Fault::malformed;
        writer_.string(text);
        return Fault::none;
    }
    case json::json_type::number: {
        const auto number = read_number(trim_json_space(value.raw_json_token()));
        switch (number.kind) {
        case JsonNumber::Kind::none: return Fault::malformed;
        case JsonNumber::Kind::integer: writer_.integer(number.integer); break;
        case JsonNumber::Kind::floating: writer_.floating(number.floating); break;
        case JsonNumber::Kind::out_of_range:
            out_of_range_ = true;
            writer_.null();
            break;
        }
        return Fault::none;
    }
    case json::json_type::boolean: {
        const auto token = trim_json_space(value.raw_json_token());
        if (token != "true" && token != "false") return Fault::malformed;
        writer_.boolean(token == "true");
        return Fault::none;
    }
    case json::json_type::null: {
        if (trim_json_space(value.raw_json_token()) != "null") return Fault::malformed;
        writer_.null();
        return Fault::none;
    }
    }
    return Fault::malformed;
}

Fault Walker::append_map(json::value& value, int depth_left) {
    json::object object;
    if (value.get_object().get(object)) return Fault::malformed;
    const auto mark = writer_.begin_map();
    const auto first = keys_.size();
    std::uint64_t met =
        0; // One bit per size and end letters of a key: without a bit twice no key is twice.
    bool suspect = false;
    for (auto field : object) {
        std::string_view key;
        if (field.error() || field.unescaped_key().get(key)) return Fault::malformed;
        const auto letters = key.empty() ? 0u
                                         : static_cast<unsigned char>(key.front()) * 7u +
                                               static_cast<unsigned char>(key.back()) * 31u;
        const auto bit = std::uint64_t{1} << ((key.size() * 5u + letters) & 63u);
        suspect = suspect || (met & bit) != 0;
        met |= bit;
        keys_.push_back(key);
        writer_.key(key);
        json::value inner = field.value();
        if (const auto fault = append(inner, depth_left - 1); fault != Fault::none) return fault;
    }
    const auto count = keys_.size() - first;
    if (suspect && has_duplicates(first)) duplicates_ = true;
    keys_.resize(first);
    writer_.end_map(mark, count);
    return Fault::none;
}

bool Walker::has_duplicates(std::size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, keys_.end());
    return std::adjacent_find(begin, keys_.end()) != keys_.end();
}

} // namespace schema
