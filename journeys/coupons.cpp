#include "journeys/coupons.hpp"

namespace journeys {

CouponAnswer TrialCoupons::take(std::string_view pool, RunId run, Timestamp) {
    auto digits = to_hex(0, hash(pool, run.low)).substr(24);
    for (auto& digit : digits)
        if (digit >= 'a' && digit <= 'f') digit = static_cast<char>(digit - 'a' + 'A');
    return {.kind = CouponAnswer::Kind::code, .code = "TRIAL-" + digits};
}

} // namespace journeys
