/// A table of codes: `code`, and `expires` where they end.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace schema {

struct CouponCode {
    std::string code;
    std::optional<journeys::Timestamp> expires_at;
};

struct CouponCodes {
    std::vector<CouponCode> codes;
    struct Refused {
        std::uint64_t line;
        std::string why;
    };
    std::vector<Refused> refused;
};

/// Other columns are not looked at. `expires` is an ISO time, or a day through the end of which (in
/// UTC) the code is good. Fails where there is no column `code`.
journeys::Result<CouponCodes> read_coupon_codes(std::istream& in);

/// Of one table; what is beyond is refused.
inline constexpr std::size_t coupon_codes_max = 1'000'000;

} // namespace schema
