#include "journeys/locale_text.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace journeys {
namespace {

struct Separators {
    std::string_view group, decimal;
};

std::string_view language_of(std::string_view locale) {
    return locale.substr(0, locale.find_first_of("-_"));
}
std::string_view region_of(std::string_view locale) {
    return locale.size() > 2 ? locale.substr(locale.find_last_of("-_") + 1) : std::string_view{};
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// How numbers are written there, by the Unicode CLDR. Languages that are not named write as
/// English does.
Separators separators(std::string_view locale) {
    const auto language = language_of(locale), region = region_of(locale);
    if (language == "de" && is_one_of(region, {"CH", "LI"})) return {"\u2019", "."};
    if (language == "es" && is_one_of(region, {"MX", "US"})) return {",", "."};
    if (is_one_of(language,
                  {"de", "nl", "it", "es", "pt", "da", "el", "tr", "id", "ro", "hr", "sl", "is"}))
        return {".", ","};
    if (language == "fr") return {"\u202f", ","};
    if (is_one_of(language, {"sv", "nb", "nn", "no", "fi", "pl", "cs", "sk", "hu", "ru", "uk", "bg",
                             "et", "lv", "lt"}))
        return {"\u00a0", ","};
    return {",", "."};
}

/// Digits after the point, by ISO 4217; 2 where it is not known.
int digits_of(std::string_view currency) {
    if (is_one_of(currency, {"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "XPF", "PYG"}))
        return 0;
    if (is_one_of(currency, {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})) return 3;
    return 2;
}

} // namespace

std::string money_text(Money money, std::string_view currency, std::string_view locale) {
    const bool is_currency =
        currency.size() == 3 &&
        std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    const int digits = is_currency ? digits_of(currency) : 2;
    std::uint64_t unit = 10'000; // Ten-thousandths in the last digit that is written.
    for (int i = 0; i < digits; ++i) unit /= 10;
    const auto amount = money.ten_thousandths();
    const auto magnitude =
        amount < 0 ? ~static_cast<std::uint64_t>(amount) + 1 : static_cast<std::uint64_t>(amount);
    auto number = std::to_string((magnitude + unit / 2) / unit);
    const auto fraction_digits = static_cast<std::size_t>(digits);
    if (number.size() <= fraction_digits)
        number.insert(0, fraction_digits + 1 - number.size(), '0');

    const auto [group, decimal] = separators(locale);
    const auto whole = number.size() - fraction_digits;
    std::string out = amount < 0 && number.find_first_not_of('0') != std::string::npos ? "-" : "";
    for (std::size_t i = 0; i < number.size(); ++i) {
        if (i == whole)
            out += decimal;
        else if (i > 0 && i < whole && (whole - i) % 3 == 0)
            out += group;
        out += number[i];
    }
    if (is_currency) out.append(" ").append(currency);
    return out;
}

std::string date_text(std::chrono::year_month_day date, std::string_view locale) {
    static constexpr std::array<std::string_view, 12> months{
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    const auto day = std::to_string(static_cast<unsigned>(date.day()));
    const auto month = static_cast<unsigned>(date.month());
    const auto year = std::to_string(static_cast<int>(date.year()));
    const auto two = [](std::string digits) { return digits.size() < 2 ? '0' + digits : digits; };
    const auto joined = [&](std::string_view separator) {
        return two(day).append(separator).append(two(std::to_string(month))).append(separator) +
               year;
    };

    const auto language = language_of(locale), region = region_of(locale);
    if (language == "en" || language.empty()) {
        const auto name = std::string{months[month - 1]};
        if (region.empty() || region == "US" || region == "en")
            return name + ' ' + day + ", " + year;
        return day + ' ' + name + ' ' + year;
    }
    if (is_one_of(language, {"de", "pl", "cs", "sk", "ru", "uk", "bg", "ro", "tr", "fi", "da", "nb",
                             "nn", "no", "et", "lv", "hr", "sl", "is"}))
        return joined(".");
    if (is_one_of(language, {"fr", "es", "it", "pt", "el", "id", "vi"})) return joined("/");
    if (language == "nl") return joined("-");
    return std::string(4 - std::min<std::size_t>(4, year.size()), '0') + year + '-' +
           two(std::to_string(month)) + '-' + two(day);
}

} // namespace journeys
