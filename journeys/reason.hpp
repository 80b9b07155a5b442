/// Why something did not happen: closed sets, so that every message and every entry can be
/// explained.
#pragma once

#include "journeys/closed_set.hpp"

#include <cstdint>
#include <string_view>

namespace journeys {

/// Why a message was not sent.
enum class Reason : std::uint8_t {
    exited,
    stale_cart,
    condition,
    consent,
    no_address,
    suppressed,
    quiet_hours,
    capped,
    expired,
    no_coupon,
    render_failed,
    paused,
    draft,
    holdout,
    outranked,
    provider_rejected,
    provider_unknown,
    error,
    erased,
    best_hour, ///< Of a deferral only: it waits for the hour at which the person is active.
};
inline constexpr auto all_reasons = values_of<Reason, 20>();

/// Why an event named in `enter.on` opened no run.
enum class NoEntry : std::uint8_t {
    when,
    open_run,
    reentry,
    exclusive,
    paused,
    dates,
    rollout,
    late,
    no_key,
    error,
    testers, ///< A `test` journey, and no tester.
};
inline constexpr auto all_no_entries = values_of<NoEntry, 11>();

std::string_view to_text(Reason reason);
std::string_view to_text(NoEntry reason);

} // namespace journeys
