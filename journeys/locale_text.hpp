/// Amounts and days as people write them where they live, by the Unicode CLDR.
#pragma once

#include "journeys/money.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace journeys {

/// `1.234,50 EUR` for de, `1,234.50 EUR` for en; without a currency only the number. Languages that
/// are not named in the source write as English does.
std::string money_text(Money money, std::string_view currency, std::string_view locale);

/// `02.06.2015` for de, `June 2, 2015` for en and en-US, `2 June 2015` for other kinds of English,
/// by whose figures nobody could tell day from month.
std::string date_text(std::chrono::year_month_day date, std::string_view locale);

} // namespace journeys
