#include "journeys/addresses.hpp"

#include "journeys/lower_case.hpp"

#include <algorithm>

namespace journeys {
namespace {

constexpr bool is_control_or_space(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

} // namespace

bool is_email(std::string_view text) {
    constexpr std::string_view forbidden = ",;:<>()[]\\\"";
    const auto at = text.find('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == text.size() || text.size() > 254)
        return false;
    if (text.find('@', at + 1) != std::string_view::npos) return false;
    return std::none_of(text.begin(), text.end(), [&](char c) {
        return is_control_or_space(c) || forbidden.find(c) != std::string_view::npos;
    });
}

std::string phone_number(std::string_view text) {
    if (text.size() > 64) return {};
    // "+49 (0)170" is dialled without the zero, which no stripping can know of every country.
    if (text.find("(0)") != std::string_view::npos) return {};
    std::string number;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c == '+' && number.empty()))
            number += c;
        else if (std::string_view{" -.()/"}.find(c) == std::string_view::npos)
            return {};
    }
    const bool is_e164 =
        number.size() >= 8 && number.size() <= 16 && number[0] == '+' && number[1] != '0';
    return is_e164 ? number : std::string{};
}

std::optional<CustomerId> email_id(std::string_view text) {
    while (!text.empty() && is_control_or_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_control_or_space(text.back())) text.remove_suffix(1);
    if (!is_email(text)) return std::nullopt;
    return CustomerId{IdNamespace::email, to_lower(text)};
}

std::optional<CustomerId> phone_id(std::string_view text) {
    auto number = phone_number(text);
    if (number.empty()) return std::nullopt;
    return CustomerId{IdNamespace::phone, std::move(number)};
}

} // namespace journeys
