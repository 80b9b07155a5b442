/// Codes that messages give away: who hands them out while a message is handed over.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace journeys {

/// What a source of codes answers.
struct CouponAnswer {
    enum class Kind : std::uint8_t {
        code,    ///< Taken: nobody else is given it, whatever becomes of this one.
        empty,   ///< The pool has none left.
        not_now, ///< There may be some; to be asked again in a moment.
    } kind = Kind::empty;
    std::string code;
    Timestamp expires_at = no_time; ///< `no_time`: never.
    std::uint64_t lease = 0;        ///< Under which the source holds it; the flush proves it.
};

/// For any thread; answers at once. No part of any decision up to a hand-over, so a replay asks
/// nobody.
class CouponSource {
public:
    virtual ~CouponSource() = default;
    virtual CouponAnswer take(std::string_view pool, RunId run, Timestamp now) = 0;
};

/// For `simulate` and `try`: pools that never end, of codes that no till takes and that are the
/// same for the same run and pool, whoever else was given one: `TRIAL-5F0C12AB`.
class TrialCoupons final : public CouponSource {
public:
    CouponAnswer take(std::string_view pool, RunId run, Timestamp now) override;
};

/// What a run is told later where the source says `not_now`.
inline constexpr Duration coupon_patience = std::chrono::seconds{5};
/// Bytes of one code.
inline constexpr std::size_t coupon_bytes_max = 128;

} // namespace journeys
