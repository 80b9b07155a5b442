/// What a running service does, for its page and for `GET /v1/journeys`.
#pragma once

#include "runtime/coupon_keeper.hpp"
#include "runtime/pages.hpp"
#include "runtime/publications.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/tally.hpp"
#include "runtime/watch_keeper.hpp"

#include <string>

namespace runtime {

struct OverviewParts {
    const ServiceClock& clock;
    const Publications& publications;
    const Tally& tally;
    const WatchKeeper& watches;
    const CouponKeeper& coupons;
    std::string zone;      ///< Of the times that are shown.
    std::string not_ready; ///< Empty: all is well.
};

/// As of now, without triggers. Any thread; asks no database.
Overview service_overview(const OverviewParts& parts);

} // namespace runtime
