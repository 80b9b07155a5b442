#include "journeys/reason.hpp"

namespace journeys {
namespace {

constexpr std::string_view name_of(Reason reason) {
    switch (reason) {
    case Reason::exited: return "exited";
    case Reason::stale_cart: return "stale_cart";
    case Reason::condition: return "condition";
    case Reason::consent: return "consent";
    case Reason::no_address: return "no_address";
    case Reason::suppressed: return "suppressed";
    case Reason::quiet_hours: return "quiet_hours";
    case Reason::capped: return "capped";
    case Reason::expired: return "expired";
    case Reason::no_coupon: return "no_coupon";
    case Reason::render_failed: return "render_failed";
    case Reason::paused: return "paused";
    case Reason::draft: return "draft";
    case Reason::holdout: return "holdout";
    case Reason::outranked: return "outranked";
    case Reason::provider_rejected: return "provider_rejected";
    case Reason::provider_unknown: return "provider_unknown";
    case Reason::error: return "error";
    case Reason::erased: return "erased";
    case Reason::best_hour: return "best_hour";
    }
    return "";
}

constexpr std::string_view name_of(NoEntry reason) {
    switch (reason) {
    case NoEntry::when: return "when";
    case NoEntry::open_run: return "open_run";
    case NoEntry::reentry: return "reentry";
    case NoEntry::exclusive: return "exclusive";
    case NoEntry::paused: return "paused";
    case NoEntry::dates: return "dates";
    case NoEntry::rollout: return "rollout";
    case NoEntry::late: return "late";
    case NoEntry::no_key: return "no_key";
    case NoEntry::error: return "error";
    case NoEntry::testers: return "testers";
    }
    return "";
}

static_assert(is_whole<Reason>(all_reasons, name_of));
static_assert(is_whole<NoEntry>(all_no_entries, name_of));

} // namespace

std::string_view to_text(Reason reason) { return name_of(reason); }
std::string_view to_text(NoEntry reason) { return name_of(reason); }

} // namespace journeys
