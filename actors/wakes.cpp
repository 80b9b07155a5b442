#include "actors/wakes.hpp"

#include <utility>

namespace actors {

using journeys::CustomerId;
using journeys::Timestamp;

namespace {

constexpr auto asked_at_most_every = std::chrono::milliseconds{200};
constexpr auto asked_ahead = std::chrono::seconds{2};

} // namespace

void Wakes::add(const CustomerId& sleeping, Timestamp due) {
    const auto [at, is_new] = sleeping_.try_emplace(sleeping);
    if (!is_new && at->second.due == due) return;
    at->second.due = due;
    ++at->second.hints;
    wheel_.add(due, {{}, &at->first});
}

std::optional<Wakes::Next> Wakes::pop(Timestamp closed) {
    while (has_room()) {
        const auto next = wheel_.pop(closed);
        if (!next) break;
        latest_ = std::max(latest_, closed - next->due);
        if (!next->key.sleeping) return Next{next->key.slot, next->due};
        const auto at = sleeping_.find(*next->key.sleeping);
        std::optional<Next> current;
        if (at->second.due == next->due) current = Next{at->first, next->due};
        if (--at->second.hints == 0) sleeping_.erase(at);
        if (current) return current;
    }
    return std::nullopt;
}

Wakes::Noted Wakes::note() { return {std::exchange(since_noted_, 0), std::exchange(latest_, {})}; }

bool Wakes::must_ask(Timestamp closed, Timestamp now) const {
    return !is_asking_ && closed != journeys::timestamp_min && closed >= ask_at_ &&
           now >= not_before_ && in_flight_ <= settings_.wakes_in_flight_max / 2;
}

Timestamp Wakes::ask(Timestamp closed) {
    is_asking_ = true;
    const Timestamp before = closed + settings_.timer_window;
    asked_until_ = std::max(asked_until_, before);
    return before;
}

void Wakes::found(const Due& due, Timestamp now) {
    is_asking_ = false;
    not_before_ = now + asked_at_most_every;
    if (due.failed) return;
    ask_at_ = due.next == journeys::no_time ? asked_until_ - settings_.timer_window / 2
                                            : std::min(asked_until_, due.next) - asked_ahead;
}

void Wakes::changed(Timestamp at) { ask_at_ = std::min(ask_at_, at + asked_ahead); }

} // namespace actors
