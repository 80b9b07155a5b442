#include "journeys/copies.hpp"
#include "journeys/engine/turn.hpp"
#include "journeys/newest_lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

namespace journeys::engine {
namespace {

/// Why a person may not come in again yet, if so.
bool is_too_soon(const Customer& customer, const Journey& journey, std::uint64_t key_hash,
                 Timestamp at) {
    const auto& reentry = journey.enter.reentry;
    if (reentry.kind == Reentry::Kind::always) return false;
    const auto holds_back = [&](std::string_view id, std::uint64_t key, Timestamp entered_at) {
        if (id != journey.id || (!reentry.per_customer && key != key_hash)) return false;
        return reentry.kind == Reentry::Kind::never || at < entered_at + reentry.after;
    };
    for (const auto& ended : customer.ended)
        if (holds_back(ended.journey, ended.key_hash, ended.entered_at)) return true;
    if (reentry.per_customer)
        for (const auto& run : customer.runs)
            if (holds_back(run.journey, hash(run.key), run.entered_at)) return true;
    return false;
}

/// An exit event of this journey newer than a late event: what it would open is over already.
bool exit_is_newer(const Customer& customer, const Journey& journey, Timestamp at) {
    return std::ranges::any_of(customer.newest_events, [&](const NewestEvent& newest) {
        return newest.at > at && std::ranges::any_of(journey.exits, [&](const ExitRule& rule) {
                   return contains(rule.on, newest.name);
               });
    });
}

/// A key as text; nothing for null and for what has no text form.
std::optional<std::string> key_text(cel::Value value) {
    switch (value.kind()) {
    case cel::Kind::string: return std::string{value.as_string()};
    case cel::Kind::integer:
    case cel::Kind::unsigned_integer:
    case cel::Kind::boolean: return cel::to_text(value);
    case cel::Kind::floating: {
        const double number = value.as_double();
        if (std::trunc(number) == number && std::abs(number) < 9e15)
            return std::to_string(static_cast<std::int64_t>(number));
        char text[32];
        return std::string{text, std::to_chars(text, text + sizeof text, number).ptr};
    }
    default: return std::nullopt;
    }
}

constexpr std::size_t key_bytes_max = 512;

} // namespace

void Turn::meet_entries(const Event& arrived, bool late, bool too_late) {
    if (arrived.name == audience_reached) return enter_by_audience(arrived, late, too_late);
    for (const auto* journey : catalog.entered_by(arrived.name)) {
        // It was copied for the sake of another journey.
        if (const auto& rule = journey->enter.interested;
            rule && !is_interested(customer, *rule, product_id_of(arrived), arrived.time))
            continue;
        meet_entry(arrived, *journey, late, too_late);
    }
}

void Turn::enter_by_audience(const Event& reached, bool late, bool too_late) {
    const PackedView what{reached.properties};
    const auto* journey = catalog.journey(what.string_at("journey"));
    if (!journey || !journey->enter.audience || status_of(*journey) == Status::archived) return;
    // Between the look at everybody and now they may have left it.
    if (!is_in_audience(customer, what.string_at("audience"), now, catalog))
        return refuse(*journey, NoEntry::when, {.line = journey->enter.audience->line});
    meet_entry(reached, *journey, late, too_late);
}

void Turn::meet_entry(const Event& arrived, const Journey& journey, bool late, bool too_late) {
    if (status_of(journey) == Status::archived) return;
    Unmet unmet;
    const auto reason = try_enter(arrived, journey, late, too_late, unmet);
    if (reason) refuse(journey, *reason, unmet);
}

void Turn::refuse(const Journey& journey, NoEntry reason, Unmet unmet) {
    const Refusal refusal{journey.id, journey.version, reason, unmet.line, now, unmet.condition};
    say(line_of(refusal));
    remember(customer, refusal);
}

std::optional<NoEntry> Turn::try_enter(const Event& arrived, const Journey& journey, bool late,
                                       bool too_late, Unmet& unmet) {
    const auto& settings = catalog.settings();
    const auto status = status_of(journey);
    const auto& enter = journey.enter;
    if (status == Status::closed || status == Status::paused) return NoEntry::paused;
    if (status == Status::test && !contains(settings.testers, display(customer.id)))
        return NoEntry::testers;
    if ((enter.from && arrived.time < *enter.from) || (enter.until && arrived.time >= *enter.until))
        return NoEntry::dates;
    if (enter.rollout < 1 && sticky_fraction(settings.seed, to_text(customer.id), journey.id,
                                             "rollout") >= enter.rollout)
        return NoEntry::rollout;
    if (too_late || (late && exit_is_newer(customer, journey, arrived.time))) return NoEntry::late;
    for (std::uint32_t i = 0; i < enter.when.size(); ++i) {
        const auto met = look(enter.when[i], nullptr);
        if (met == Met::yes) continue;
        unmet = {.line = enter.when[i].line, .condition = i + 1};
        return met == Met::no ? NoEntry::when : NoEntry::error;
    }
    if (!enter.each) {
        if (const auto reason = try_enter_one(arrived, journey, {})) return reason;
        --entries_left_;
        return std::nullopt;
    }
    // Runs that this opens may change what an expression sees, so the list is taken out first.
    const auto items = entry_items(journey);
    if (!items) return NoEntry::error;
    std::optional<NoEntry> reason = NoEntry::no_key; // Of an empty list.
    bool entered = false;
    for (const auto& item : *items) {
        reason = try_enter_one(arrived, journey, item);
        entered = entered || !reason;
    }
    if (!entered) return reason;
    --entries_left_;
    return std::nullopt;
}

std::optional<NoEntry> Turn::find_key(const Event& arrived, const Journey& journey,
                                      std::string_view item, std::string& key) {
    const auto& enter = journey.enter;
    if (!enter.key) return std::nullopt;
    Run imagined; // What `run.item` is read of.
    if (!item.empty()) imagined.event = cut(arrived, journey, item);
    const auto result = value(*enter.key, item.empty() ? nullptr : &imagined);
    if (result.is_error()) return NoEntry::error;
    auto text = key_text(result);
    if (!text || text->size() > key_bytes_max) return NoEntry::no_key;
    key = std::move(*text);
    return std::nullopt;
}

std::optional<std::vector<std::string>> Turn::entry_items(const Journey& journey) {
    const auto list = value(*journey.enter.each, nullptr);
    if (list.is_error() || list.kind() != cel::Kind::list) return std::nullopt;
    std::vector<std::string> items;
    cel::Arena arena;
    for (std::size_t i = 0; i < std::min(list.size(), items_per_entry); ++i) {
        PackedWriter writer;
        cel::append_packed(writer, list.at(i, arena));
        items.push_back(writer.take());
    }
    return items;
}

std::optional<NoEntry> Turn::enter_for_trial(const Event& arrived, const Journey& journey) {
    event = &arrived;
    now = std::max(customer.now, arrived.time);
    cause_ = arrived.message_hash;
    entries_left_ = entries_per_event;
    std::vector<std::string> items{""};
    if (journey.enter.each) {
        auto found = entry_items(journey);
        if (!found) return NoEntry::error;
        items = std::move(*found);
    }
    std::optional<NoEntry> reason = NoEntry::no_key; // Of an empty list.
    bool entered = false;
    for (const auto& item : items) {
        std::string key;
        if ((reason = find_key(arrived, journey, item, key))) continue;
        const auto is_open = [&](const Run& run) { return run.key == key; };
        if (std::ranges::any_of(customer.runs, is_open))
            continue; // As live: a key is entered once.
        if (customer.runs.size() >= bounds::runs) break;
        enter_run(arrived, journey, std::move(key), item);
        entered = true;
    }
    if (!entered) return reason;
    meet_what_was_made();
    event = nullptr;
    return std::nullopt;
}

std::optional<NoEntry> Turn::try_enter_one(const Event& arrived, const Journey& journey,
                                           std::string_view item) {
    std::string key;
    if (const auto reason = find_key(arrived, journey, item, key)) return reason;
    const auto open = std::ranges::find_if(
        customer.runs, [&](const Run& run) { return run.journey == journey.id && run.key == key; });
    if (open != customer.runs.end()) {
        keep_entry_event(*open, arrived, item);
        return NoEntry::open_run;
    }
    if (is_too_soon(customer, journey, hash(key), arrived.time)) return NoEntry::reentry;
    if (customer.runs.size() >= bounds::runs || entries_left_ <= 0) return NoEntry::error;
    if (!takes_precedence(journey)) return NoEntry::exclusive;
    enter_run(arrived, journey, std::move(key), item);
    return std::nullopt;
}

void Turn::keep_entry_event(Run& run, const Event& arrived, std::string_view item) {
    const auto* own = journey_of(run);
    if (!own || !own->keeps_entry_events) return;
    auto& kept = run.events;
    kept.push_back(cut(arrived, *own, item));
    const auto bytes = [&] {
        return std::accumulate(kept.begin(), kept.end(), std::size_t{},
                               [](std::size_t sum, const auto& one) { return sum + one.size(); });
    };
    while (kept.size() > bounds::entry_events || (!kept.empty() && bytes() > bounds::run_bytes))
        kept.erase(kept.begin());
}

bool Turn::takes_precedence(const Journey& journey) {
    if (journey.exclusive.empty()) return true;
    std::vector<RunId> lower;
    for (const auto& run : customer.runs) {
        const auto* other = journey_of(run);
        if (!other || other->exclusive != journey.exclusive) continue;
        if (other->priority >= journey.priority) return false;
        lower.push_back(run.id);
    }
    for (const auto id : lower) end_run(id, Ending::end, "outranked");
    return true;
}

void Turn::enter_run(const Event& arrived, const Journey& journey, std::string key,
                     std::string_view item) {
    const auto& settings = catalog.settings();
    const auto who = to_text(customer.id);
    Run run;
    run.id = run_id(settings.seed, journey.id, customer.id, key, arrived.message_hash);
    run.journey = journey.id;
    run.version = journey.version;
    if (journey.enter.key_is_cart) run.cart_id = key;
    run.key = std::move(key);
    run.customer_at_entry = customer.id;
    run.entered_at = arrived.time;
    run.entry_message = arrived.message_hash;
    run.event = cut(arrived, journey, item);
    run.held_out = sticky_fraction(settings.seed, who, "", "holdout") < settings.holdout ||
                   sticky_fraction(settings.seed, who, journey.id, "holdout") < journey.holdout;
    const auto id = run.id;
    say(entry(EntryKind::enter, run));
    customer.runs.push_back(std::move(run));
    announce("Journey Entered", packed_texts({{"journey", journey.id}}));
    // Steps see no event: what opened the run is `run.event`.
    const auto* const applied = std::exchange(event, nullptr);
    go_on(id, journey.first, arrived.time);
    event = applied;
}

} // namespace journeys::engine
