#include "journeys/reason_reference.hpp"

#include "journeys/reason.hpp"

#include <string_view>

namespace journeys {
namespace {

std::string_view meaning(Reason reason) {
    switch (reason) {
    case Reason::exited: return "an exit rule ended the run first";
    case Reason::stale_cart: return "the run's cart is empty or ordered";
    case Reason::condition: return "the send's `when` does not hold";
    case Reason::consent: return "not subscribed to the topic on this channel";
    case Reason::no_address: return "no address for the channel";
    case Reason::suppressed: return "the address bounced, complained or said STOP";
    case Reason::quiet_hours: return "it is night for the customer, and quiet_hours: drop";
    case Reason::capped: return "a cap is used up, or the message before it left too late";
    case Reason::expired: return "too late, by `expires`";
    case Reason::no_coupon: return "no code is left in the pool, or the one of the run has expired";
    case Reason::render_failed: return "an error in its data or its template";
    case Reason::paused: return "the journey is paused";
    case Reason::draft: return "the journey is a draft";
    case Reason::holdout: return "held out, to measure what messages achieve";
    case Reason::outranked: return "a journey of higher priority in the group took over";
    case Reason::provider_rejected: return "the provider said no";
    case Reason::provider_unknown: return "the provider's answer was lost";
    case Reason::error: return "the journey no longer has the step";
    case Reason::erased: return "the person was erased";
    case Reason::best_hour: return "waits for the hour at which the person is active";
    }
    return "";
}

std::string_view meaning(NoEntry reason) {
    switch (reason) {
    case NoEntry::when:
        return "a condition of `enter.when` does not hold, or not the audience's; its line is told";
    case NoEntry::open_run: return "a run of the same key is open";
    case NoEntry::reentry: return "too soon after the last run, by `reentry`";
    case NoEntry::exclusive: return "a journey of the group runs that does not give way";
    case NoEntry::paused: return "the journey is closed or paused";
    case NoEntry::dates: return "before `from`, or not before `until`";
    case NoEntry::rollout: return "not in the share of `rollout`";
    case NoEntry::late: return "the event came too late, or its journey's exit before it";
    case NoEntry::no_key: return "`key` gives null, no text, or one of more than 512 bytes";
    case NoEntry::error: return "an expression failed, or a bound of the customer is reached";
    case NoEntry::testers: return "the journey is in test, and this is no tester";
    }
    return "";
}

template <class Set> std::string table(const Set& reasons) {
    std::string out = "| reason | meaning |\n| --- | --- |\n";
    for (const auto reason : reasons)
        out +=
            "| `" + std::string{to_text(reason)} + "` | " + std::string{meaning(reason)} + " |\n";
    return out;
}

} // namespace

std::string reasons_reference() {
    return "# Reasons\n\n## Why a message was not sent\n\n" + table(all_reasons) +
           "\n## Why an event opened no run\n\n" + table(all_no_entries);
}

} // namespace journeys
