#include "journeys/engine/turn.hpp"

#include "journeys/local_time.hpp"
#include "journeys/policy.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

std::string zone_for(const ZoneChoice& zone, const Customer& customer, const Settings& settings) {
    return zone.of_customer ? std::string{zone_of(customer, settings)} : zone.name;
}

/// The instant that a date expression stands for: a timestamp, or a text that reads as one.
std::optional<Timestamp> instant_of(cel::Value value, std::string_view zone) {
    if (value.is(cel::Kind::timestamp)) return value.as_timestamp();
    if (!value.is(cel::Kind::string)) return std::nullopt;
    const auto text = value.as_string();
    if (text.size() == 10) { // A day: midnight in the zone.
        const auto day = parse_timestamp(std::string{text} + "T00:00:00Z");
        if (!day) return std::nullopt;
        const auto days = std::chrono::floor<std::chrono::days>(*day);
        return at_local(zone, std::chrono::local_days{days.time_since_epoch()},
                        std::chrono::minutes{0});
    }
    return parse_timestamp(text, true);
}

/// When a wait for a date is over; nothing where there is no date.
std::optional<Timestamp> due_of(const WaitUntilDate& wait, cel::Value date,
                                const Customer& customer, const Settings& settings) {
    const auto zone = zone_for(wait.zone, customer, settings);
    auto instant = instant_of(date, zone);
    if (!instant) return std::nullopt;
    if (!wait.time) return *instant + wait.offset;
    // Days are of the calendar: the night on which clocks change makes none shorter or longer.
    const auto days = std::chrono::floor<std::chrono::days>(wait.offset);
    const auto local = to_local(zone, *instant + (wait.offset - days));
    return at_local(zone, local.day + days, *wait.time);
}

/// Where a run goes after a wait. `is_met`: what it was for has come, or its date is over already;
/// else its time is.
StepIndex after_wait(const Step& step, bool is_met) {
    if (const auto* for_event = std::get_if<WaitForEvent>(&step.action))
        return is_met ? for_event->then : for_event->timeout;
    if (const auto* condition = std::get_if<WaitForCondition>(&step.action))
        return is_met ? condition->then : condition->timeout;
    const auto* date = std::get_if<WaitUntilDate>(&step.action);
    return is_met && date && date->past == WaitUntilDate::Past::skip ? date->after_skip : step.next;
}

} // namespace

void Turn::begin_wait(Run& run, const Journey& journey, const Step& step) {
    const auto id = run.id;
    const auto arm = [&](Timestamp due) {
        run.due = due;
        auto line = entry(EntryKind::wait, run);
        line.step = step.path;
        line.until = due;
        say(std::move(line));
    };
    if (const auto* wait = std::get_if<WaitFor>(&step.action)) {
        run.wait_limit = wait->at_most ? run.base + *wait->at_most : no_time;
        arm(std::min(run.base + wait->duration, run.wait_limit));
    } else if (const auto* until = std::get_if<WaitUntilTime>(&step.action)) {
        arm(next_local(zone_for(until->zone, customer, catalog.settings()), run.base, until->time,
                       until->weekdays));
    } else if (const auto* date = std::get_if<WaitUntilDate>(&step.action)) {
        const auto due = due_of(*date, value(date->date, &run), customer, catalog.settings());
        if (!due) return end_run(id, Ending::end, "no_date");
        if (*due >= run.base) return arm(*due);
        switch (date->past) {
        case WaitUntilDate::Past::exit: return end_run(id, Ending::end, "no_date");
        case WaitUntilDate::Past::go_on:
        case WaitUntilDate::Past::skip: return leave_wait(run, after_wait(step, true), run.base);
        }
    } else if (const auto* for_event = std::get_if<WaitForEvent>(&step.action)) {
        arm(for_event->at_most ? run.base + *for_event->at_most : no_time);
    } else if (const auto* condition = std::get_if<WaitForCondition>(&step.action)) {
        if (is_met(condition->condition, &run)) return leave_wait(run, condition->then, run.base);
        arm(condition->at_most ? run.base + *condition->at_most : no_time);
    } else if (const auto* risk = std::get_if<WaitUntilRisk>(&step.action)) {
        run.wait_limit = risk->at_most ? run.base + *risk->at_most : no_time;
        arm(std::min(risk_wait_due(run, *risk).value_or(no_time), run.wait_limit));
    }
    (void)journey;
}

void Turn::leave_wait(Run& run, StepIndex next, Timestamp at) {
    if (!is_held(run)) return go_on(run.id, next, at);
    run.due = run.wait_limit = at;
}

void Turn::meet_waits(const Event& arrived, bool too_late) {
    if (customer.runs.empty() || too_late) return;
    std::vector<RunId> ids;
    for (const auto& run : customer.runs) ids.push_back(run.id);
    for (const auto id : ids) {
        auto* const run = find(id);
        if (!run || run->entry_message == arrived.message_hash) continue;
        const auto* journey = journey_of(*run);
        if (!journey || run->step >= journey->steps.size()) continue;
        // Were it not held, its timer would have fired before this.
        if (is_held(*run) && run->due < std::max(now, received_at)) continue;
        const auto& step = journey->steps[run->step];

        if (const auto* wait = std::get_if<WaitFor>(&step.action)) {
            if (!contains(wait->restart_on, arrived.name)) continue;
            const auto due = std::min(arrived.time + wait->duration, run->wait_limit);
            if (due <= run->due) continue;
            run->due = due;
            run->last_event = cut(arrived, *journey);
            auto line = entry(EntryKind::restart, *run);
            line.step = step.path;
            line.until = due;
            say(std::move(line));
        } else if (const auto* for_event = std::get_if<WaitForEvent>(&step.action)) {
            if (!contains(for_event->events, arrived.name) || arrived.time < run->base) continue;
            if (for_event->when && !is_met(*for_event->when, run)) continue;
            run->last_event = cut(arrived, *journey);
            leave_wait(*run, for_event->then, std::max(run->base, arrived.time));
        } else if (const auto* condition = std::get_if<WaitForCondition>(&step.action)) {
            const auto* const applied = std::exchange(event, nullptr);
            const bool met = is_met(condition->condition, run);
            event = applied;
            if (!met) continue;
            run->last_event = cut(arrived, *journey);
            leave_wait(*run, condition->then, std::max(run->base, now));
        } else if (const auto* date = std::get_if<WaitUntilDate>(&step.action)) {
            const auto due = due_of(*date, value(date->date, run), customer, catalog.settings());
            if (!due) {
                end_run(id, Ending::end, "no_date");
            } else if (*due != run->due) {
                run->last_event = cut(arrived, *journey);
                if (*due < now) { // As if it had stood there when the wait began.
                    if (date->past == WaitUntilDate::Past::exit)
                        end_run(id, Ending::end, "no_date");
                    else
                        leave_wait(*run, after_wait(step, true), std::max(run->base, now));
                    continue;
                }
                run->due = *due;
                auto line = entry(EntryKind::restart, *run);
                line.step = step.path;
                line.until = *due;
                say(std::move(line));
            }
        }
    }
}

void Turn::wait_is_over(RunId id) {
    if (meet_timeless_exits(id)) return;
    auto* const run = find(id);
    const auto* journey = journey_of(*run);
    if (!journey || run->step >= journey->steps.size()) return end_run(id, Ending::end, "error");
    const auto& step = journey->steps[run->step];
    const auto due = run->due;
    if (!std::holds_alternative<Send>(step.action)) {
        go_on(id, after_wait(step, run->wait_limit != no_time), due);
    } else if (run->sending == Sending::deferred) {
        go_on(id, run->step, due);
    } else { // Pending, and nobody took it before it expired.
        recall(*run, Reason::expired);
        go_on(id, step.next, run->base);
    }
}

} // namespace journeys::engine
