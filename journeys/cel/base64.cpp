#include "journeys/cel/base64.hpp"

#include <cstdint>

namespace journeys::cel {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

void append_base64(std::string& out, std::string_view octets) {
    const auto at = [&](std::size_t i) {
        return i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0u;
    };
    for (std::size_t i = 0; i < octets.size(); i += 3) {
        const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        out += digits[group >> 18];
        out += digits[group >> 12 & 63];
        out += i + 1 < octets.size() ? digits[group >> 6 & 63] : '=';
        out += i + 2 < octets.size() ? digits[group & 63] : '=';
    }
}

std::optional<std::string> read_base64(std::string_view text) {
    if (text.size() % 4 == 0) {
        if (text.ends_with('=')) text.remove_suffix(1);
        if (text.ends_with('=')) text.remove_suffix(1);
    }
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xFF);
    }
    return out;
}

} // namespace journeys::cel
