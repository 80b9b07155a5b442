#include "runtime/watch_keeper.hpp"

#include "runtime/customer_json.hpp"
#include "runtime/database_session.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace runtime {

using journeys::Alarm;
using journeys::DayOfSends;
using journeys::Result;
using journeys::Timestamp;

namespace {

std::optional<journeys::Reason> reason_of(std::string_view text) {
    for (const auto reason : journeys::all_reasons)
        if (journeys::to_text(reason) == text) return reason;
    return std::nullopt;
}

Alarm alarm_in(std::string_view text) {
    for (const auto alarm : {Alarm::silent, Alarm::flooding, Alarm::suppressed})
        if (journeys::to_text(alarm) == text) return alarm;
    return Alarm::none;
}

/// What one line of a timeline counts as.
void count(DayOfSends& day, std::string_view kind, std::string_view reason, std::uint64_t times) {
    if (kind == "send") {
        day.sent += times;
    } else if (const auto why = reason_of(reason)) {
        day.add(*why, times);
    }
}

/// Whether it is expected to do anything at this time.
bool is_on_duty(const journeys::Journey& journey, Timestamp now) {
    const auto& enter = journey.enter;
    return journey.watch && journey.status == journeys::Status::live &&
           (!enter.from || *enter.from <= now) && (!enter.until || now < *enter.until);
}

} // namespace

void RollingDay::go_on_to(std::int64_t number) {
    for (auto next = std::max(newest_ + 1, number - static_cast<std::int64_t>(pieces) + 1);
         next <= number; ++next)
        counts_[static_cast<std::size_t>(next) % pieces] = {};
    newest_ = std::max(newest_, number);
}

void RollingDay::add(Timestamp at, const DayOfSends& more) {
    const auto number = at.time_since_epoch() / piece;
    go_on_to(number);
    if (newest_ - number >= static_cast<std::int64_t>(pieces)) return;
    auto& into = counts_[static_cast<std::size_t>(number) % pieces];
    into.sent += more.sent;
    for (std::size_t i = 0; i < more.suppressed.size(); ++i)
        into.suppressed[i] += more.suppressed[i];
}

DayOfSends RollingDay::sum(Timestamp now) {
    go_on_to(now.time_since_epoch() / piece);
    DayOfSends all;
    for (const auto& one : counts_) {
        all.sent += one.sent;
        for (std::size_t i = 0; i < one.suppressed.size(); ++i)
            all.suppressed[i] += one.suppressed[i];
    }
    return all;
}

std::string told(const WatchState& state, std::string_view zone, Timestamp now) {
    auto text = state.journey + ": " + journeys::told(state.watch, state.day, state.alarm);
    if (state.alarm != Alarm::none) text += " (since " + local_text(state.since, zone, now) + ')';
    return text;
}

Result<void> WatchKeeper::begin() {
    const auto now = parts_.now();
    DatabaseSession session{parts_.conninfo};
    std::map<std::string, Known> known;
    const auto catalog = parts_.catalog();
    const bool anybody = std::ranges::any_of(
        catalog->journeys(), [](const auto& journey) { return journey->watch.has_value(); });
    const auto read = session.run([&](pqxx::work& work) {
        for (const auto& row : work.exec("SELECT journey, (extract(epoch FROM since) * "
                                         "1000)::bigint, alarm, (extract(epoch FROM "
                                         "coalesce(alarm_since, since)) * 1000)::bigint FROM "
                                         "watches"))
            known[row[0].as<std::string>()] = {journeys::from_millis(row[1].as<std::int64_t>()),
                                               alarm_in(row[2].c_str()),
                                               journeys::from_millis(row[3].as<std::int64_t>())};
        if (!anybody) return; // Else a day of everybody's timeline would be read for nothing.
        for (const auto& row : work.exec_params(
                 "SELECT journey, kind, reason, floor(extract(epoch FROM at) / 600)::bigint, "
                 "count(*) FROM timeline WHERE kind IN ('send', 'suppress') AND at > "
                 "to_timestamp($1::float8 / 1000) - interval '24 hours' GROUP BY 1, 2, 3, 4",
                 journeys::to_millis(now))) {
            DayOfSends more;
            count(more, row[1].c_str(), row[2].c_str(), row[4].as<std::uint64_t>());
            const Timestamp at{RollingDay::piece * row[3].as<std::int64_t>()};
            const std::scoped_lock lock{mutex_};
            days_[row[0].as<std::string>()].add(at, more);
        }
    });
    if (!read) return read;
    {
        const std::scoped_lock lock{looking_mutex_};
        known_ = std::move(known);
    }
    look();
    looking_.emplace(looked_at_every, [this] { look(); });
    return {};
}

void WatchKeeper::flushed(const actors::FlushRequest& request) {
    using journeys::EntryKind;
    for (const auto& write : request.customers)
        for (const auto& effect : write.effects) {
            const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
            if (!line || (line->kind != EntryKind::send && line->kind != EntryKind::suppress))
                continue;
            DayOfSends more;
            count(more, journeys::to_text(line->kind), line->reason, 1);
            const std::scoped_lock lock{mutex_};
            days_[line->journey].add(line->at, more);
        }
}

void WatchKeeper::look() {
    const std::scoped_lock one_at_a_time{looking_mutex_};
    const auto now = parts_.now();
    const auto catalog = parts_.catalog();
    std::vector<WatchState> states;
    std::set<std::string> on_duty;
    for (const auto& journey : catalog->journeys()) {
        if (!is_on_duty(*journey, now)) continue;
        on_duty.insert(journey->id);
        judge(*journey, now, states);
    }
    std::vector<std::string> gone;
    for (const auto& [journey, known] : known_)
        if (!on_duty.contains(journey)) gone.push_back(journey);
    for (const auto& journey : gone) forget(journey);
    if (parts_.show)
        for (const auto& state : states) parts_.show(state);
    const std::scoped_lock lock{mutex_};
    states_ = std::move(states);
}

void WatchKeeper::judge(const journeys::Journey& journey, Timestamp now,
                        std::vector<WatchState>& states) {
    DayOfSends day;
    {
        const std::scoped_lock lock{mutex_};
        if (const auto found = days_.find(journey.id); found != days_.end())
            day = found->second.sum(now);
    }
    const auto [at, is_new] = known_.try_emplace(journey.id, Known{.since = now});
    auto& known = at->second;
    const auto alarm = journeys::alarm_of(*journey.watch, day, now - known.since);
    if (alarm != known.alarm) {
        known.alarm = alarm;
        known.alarm_since = now;
        const auto words = journeys::told(*journey.watch, day, alarm);
        if (alarm == Alarm::none)
            parts_.log.info("a journey does again what is expected",
                            {{"journey", journey.id}, {"now", words}});
        else
            parts_.log.warning(
                "a journey does not do what is expected",
                {{"journey", journey.id}, {"alarm", journeys::to_text(alarm)}, {"now", words}});
        store(journey.id, known);
    } else if (is_new) {
        store(journey.id, known);
    }
    states.push_back({journey.id, *journey.watch, day, alarm,
                      alarm == Alarm::none ? known.since : known.alarm_since});
}

void WatchKeeper::store(const std::string& journey, const Known& known) {
    DatabaseSession session{parts_.conninfo};
    const auto stored = session.run([&](pqxx::work& work) {
        work.exec_params("INSERT INTO watches (journey, since, alarm, alarm_since) VALUES ($1, "
                         "to_timestamp($2::float8 / 1000), $3, to_timestamp($4::float8 / 1000)) "
                         "ON CONFLICT (journey) DO UPDATE SET since = excluded.since, alarm = "
                         "excluded.alarm, alarm_since = excluded.alarm_since",
                         journey, journeys::to_millis(known.since),
                         std::string{journeys::to_text(known.alarm)},
                         journeys::to_millis(known.alarm_since));
    });
    if (!stored)
        parts_.log.repeated_warning("a watched journey cannot be stored",
                                    {{"why", stored.error().detail}});
}

void WatchKeeper::forget(const std::string& journey) {
    known_.erase(journey);
    DatabaseSession session{parts_.conninfo};
    (void)session.run([&](pqxx::work& work) {
        work.exec_params("DELETE FROM watches WHERE journey = $1", journey);
    });
}

std::vector<WatchState> WatchKeeper::states() const {
    const std::scoped_lock lock{mutex_};
    return states_;
}

} // namespace runtime
