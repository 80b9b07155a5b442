#include "schema/coupon_csv.hpp"

#include "journeys/coupons.hpp"
#include "schema/csv_reader.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>

namespace schema {
namespace {

constexpr std::size_t day_size = 10; ///< Of `2026-12-31`.

bool is_code(std::string_view text) {
    return !text.empty() && text.size() <= journeys::coupon_bytes_max &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::optional<journeys::Timestamp> end_of(std::string_view text) {
    if (text.size() != day_size) return parse_producer_time(text);
    const auto midnight = parse_producer_time(std::string{text} + "T00:00:00Z");
    if (!midnight) return std::nullopt;
    return *midnight + std::chrono::hours{24};
}

} // namespace

journeys::Result<CouponCodes> read_coupon_codes(std::istream& in) {
    auto table = CsvReader::open(in);
    if (!table) return table.error();
    const auto code = table->column({"code", "coupon", "coupon_code"});
    const auto expires = table->column({"expires", "expires_at"});
    if (!code)
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "there is no column \"code\" in the header"};
    CouponCodes read;
    const auto refuse = [&](std::string why) {
        read.refused.push_back({table->line(), std::move(why)});
    };
    for (auto row = table->next(); row != CsvReader::Row::end; row = table->next()) {
        if (row == CsvReader::Row::bad) {
            refuse(table->why());
            continue;
        }
        if (read.codes.size() == coupon_codes_max) {
            refuse("more than a million codes; begin another file");
            break;
        }
        CouponCode made{std::string{table->cell(code)}, std::nullopt};
        if (!is_code(made.code)) {
            refuse("code is missing, holds a space, or is longer than 128 bytes");
            continue;
        }
        if (const auto text = table->cell(expires); !text.empty()) {
            made.expires_at = end_of(text);
            if (!made.expires_at) {
                refuse("expires is a day (2026-12-31) or an ISO time");
                continue;
            }
        }
        read.codes.push_back(std::move(made));
    }
    return read;
}

} // namespace schema
