#include "journeys/engine.hpp"

#include "journeys/copies.hpp"
#include "journeys/decision.hpp"
#include "journeys/engine/turn.hpp"
#include "journeys/identity.hpp"
#include "journeys/mutant.hpp"
#include "journeys/profile.hpp"

#include <algorithm>
#include <cassert>

namespace journeys {
namespace engine {
namespace {

/// Scratch memory of evaluations: an arena that stays warm. It holds nothing from one call to the
/// next.
Evaluator& scratch_evaluator() {
    static thread_local Evaluator evaluator;
    return evaluator;
}

/// An id for what a tombstone passes on, the same however often the record is replayed.
std::uint64_t forward_id(const CustomerId& from, std::uint64_t offset) {
    return hash(to_text(from), offset) | 1;
}

/// The id that names the event's own customer, where that is not this one; null where it is.
const CustomerId* id_not_known_yet(const Customer& customer, const Event& event) {
    const CustomerId* strongest = nullptr;
    for (const auto& id : event.ids) {
        if (id == customer.id ||
            std::ranges::find(customer.known_ids, id) != customer.known_ids.end())
            return nullptr;
        if (!is_junk(id) && (!strongest || id.space < strongest->space)) strongest = &id;
    }
    return strongest;
}

} // namespace

Turn::Turn(Customer& the_customer, const Catalog& the_catalog, Effects& the_effects)
    : customer(the_customer), catalog(the_catalog), effects(the_effects), now(the_customer.now),
      received_at(the_customer.accepted_at), evaluator_(scratch_evaluator()) {}

Run* Turn::find(RunId id) {
    const auto found = std::ranges::find(customer.runs, id, &Run::id);
    return found == customer.runs.end() ? nullptr : &*found;
}

Status Turn::status_of(const Journey& journey) const {
    return catalog.settings().all_live ? Status::live : journey.status;
}

bool Turn::is_held(const Run& run) const {
    const auto* today = catalog.journey(run.journey);
    return today && status_of(*today) == Status::paused;
}

cel::Value Turn::value(const Expression& expression, const Run* run) {
    evaluator_.look_at({&customer, event, run, now, received_at, &catalog, {}, coupon_});
    return evaluator_.value(expression);
}

Met Turn::look(const Expression& condition, const Run* run) {
    evaluator_.look_at({&customer, event, run, now, received_at, &catalog, {}, coupon_});
    return evaluator_.look(condition);
}

bool Turn::all_met(const std::vector<Expression>& conditions, const Run* run) {
    return std::ranges::all_of(conditions,
                               [&](const Expression& condition) { return is_met(condition, run); });
}

TimelineEntry Turn::entry(EntryKind kind, const Run& run) const {
    TimelineEntry line{.kind = kind};
    line.at = now;
    line.journey = run.journey;
    line.version = run.version;
    line.key = run.key;
    return line;
}

void Turn::announce(std::string_view name, std::string properties) {
    const auto& tracked = catalog.tracked();
    const bool heard = !catalog.entered_by(name).empty() || tracked.newest.contains(name) ||
                       tracked.counts.contains(name);
    if (!heard || made_count_ >= made_here_per_event) return;
    ++made_count_;
    made_here_.push_back(make_event(customer, std::string{name}, std::move(properties), now,
                                    cause_ ^ (made_count_ * 0x9e3779b97f4a7c15u)));
}

std::string Turn::cut(const Event& from, const Journey& journey, std::string_view item) const {
    PackedWriter writer;
    const auto whole = writer.begin_map();
    writer.key("name");
    writer.string(from.name);
    writer.key("timestamp");
    writer.integer(to_millis(from.time));
    writer.key("properties");
    const auto inner = writer.begin_map();
    std::size_t kept = 0;
    const bool everything = contains(journey.properties_read, "*");
    for (const auto& [key, property] : PackedView{from.properties}.entries()) {
        if (!everything && !contains(journey.properties_read, key)) continue;
        if (writer.bytes().size() + key.size() + property.bytes().size() > bounds::run_bytes)
            continue;
        writer.key(key);
        writer.value(property);
        ++kept;
    }
    writer.end_map(inner, kept);
    if (!item.empty()) {
        writer.key("item");
        writer.value(PackedView{item});
    }
    writer.end_map(whole, item.empty() ? 3 : 4);
    return writer.take();
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string
packed_texts(std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    for (const auto& [key, text] : texts) {
        writer.key(key);
        writer.string(text);
    }
    writer.end_map(mark, texts.size());
    return writer.take();
}

void Turn::meet(const Event& arrived, bool late, bool too_late) {
    event = &arrived;
    now = std::max(customer.now, arrived.time);
    meet_rewards(arrived); // First: what it leads to now has not been waited for.
    if (!late || !is_mutant(Mutant::late_order_stays)) meet_exits(arrived);
    meet_waits(arrived, too_late);
    meet_goals(arrived);
    meet_entries(arrived, late, too_late);
    event = nullptr;
}

Applied Turn::take(const Record& record) {
    const bool is_new_publication = adopt_publication(); // It stands before the record.
    fire_due(record.accepted_at - Duration{1}, timers_per_record);
    customer.applied = std::max(customer.applied, record.offset);
    customer.accepted_at = std::max(customer.accepted_at, record.accepted_at);
    received_at = record.accepted_at;
    ++customer.revision;
    if (is_new_publication) meet_models(record.accepted_at);

    struct Visitor {
        Turn& turn;
        const Record& record;

        Applied forward() const { return forward(*turn.customer.forward_to); }
        Applied forward(const CustomerId& to) const {
            Record copy = record;
            copy.customer = to;
            copy.forwarded_from = forward_id(turn.customer.id, record.offset);
            turn.effects.emplace_back(ForwardOut{to, copy.forwarded_from, std::move(copy)});
            return Applied::forwarded;
        }
        Applied operator()(const Event& arrived) const {
            auto& customer = turn.customer;
            if (customer.forward_to) return forward();
            if (customer.id.value.empty()) customer.id = record.customer;
            // The edge knew of a link before its state has come: whether the message was seen under
            // its own id, only that state tells. It comes back behind it.
            if (const auto* own = id_not_known_yet(customer, arrived)) {
                if (record.forwarded_from == 0) return forward(*own);
                know(customer, *own);
            }
            const bool is_copy = is_copied(arrived.name);
            if (is_copy && customer.first_seen == Timestamp{}) return Applied::applied; // Erased.
            if (!remember_message(customer, arrived, turn.catalog.settings().dedup_window))
                return Applied::duplicate;
            std::optional<Event> of_the_future;
            if (arrived.time > record.accepted_at) {
                of_the_future = arrived;
                of_the_future->time = record.accepted_at;
            }
            const Event& capped = of_the_future ? *of_the_future : arrived;
            turn.now = std::max(customer.now, capped.time);
            turn.cause_ = capped.message_hash;
            turn.entries_left_ = entries_per_event;
            turn.look_before();
            if (is_copy) return turn.take_copy(capped, record.accepted_at);
            const bool may_buy = capped.name.starts_with("Order ");
            const auto bought_before = may_buy ? customer.purchases : models::Purchases{};
            const auto seen =
                observe(customer, capped, record.accepted_at, turn.catalog, turn.effects);
            turn.permission_changed = seen.permission_changed;
            turn.learn(capped);
            if (may_buy && customer.purchases != bought_before)
                seen.too_late
                    ? turn.review_lifecycle_later(record.accepted_at)
                    : turn.review_lifecycle(std::max(turn.now, record.accepted_at), "order");
            if (may_buy) turn.review_rewards();
            for (const auto& made : seen.made_here)
                if (made.name == "Session Ended") turn.meet(made, false, false);
            turn.meet(capped, seen.late, seen.too_late);
            if (capped.name == action_decided)
                turn.note_decision(capped, {.kind = EntryKind::decide});
            for (const auto& made : seen.made_here) {
                if (made.name == "Session Ended") continue;
                // A consent may be much older than the message that tells of it.
                turn.meet(made, made.time < customer.now,
                          is_too_late(customer, made.time, record.accepted_at, turn.catalog));
            }
            turn.meet_what_was_made();
            turn.enter_what_became_true(capped, seen.late, seen.too_late);
            return seen.late ? Applied::late : Applied::applied;
        }
        Applied operator()(const Publish&) const { return Applied::applied; }
        Applied operator()(const Link& link) const {
            if (turn.customer.id.value.empty()) turn.customer.id = record.customer;
            journeys::link(turn.customer, record, link, turn.effects);
            return Applied::applied;
        }
        Applied operator()(const Transfer& transfer) const {
            if (turn.customer.forward_to) return forward();
            if (turn.customer.id.value.empty()) turn.customer.id = record.customer;
            auto loser = unpack(transfer.state);
            if (!loser) return Applied::duplicate; // Was refused when the record was decoded.
            turn.look_before(&*loser);
            const auto imported =
                unite(turn.customer, transfer, std::move(*loser), turn.catalog, turn.effects);
            turn.now = turn.customer.now;
            turn.cause_ = transfer.id;
            turn.entries_left_ = entries_per_event;
            turn.review_lifecycle(std::max(turn.now, record.accepted_at), "merge");
            turn.review_rewards();
            turn.meet_rewards_of_the_past();
            turn.forget_decisions();
            for (const auto run : imported) turn.meet_exits_of_the_past(run);
            turn.keep_groups_exclusive();
            turn.permission_changed = true;
            turn.meet_what_was_made();
            turn.enter_what_became_true();
            return Applied::applied;
        }
        Applied operator()(const Settled& settled) const {
            if (turn.customer.forward_to) return forward();
            turn.now = std::max(turn.customer.now, record.accepted_at);
            turn.cause_ = settled.intent.low;
            turn.entries_left_ = entries_per_event;
            turn.look_before();
            turn.settle(settled);
            turn.meet_what_was_made();
            turn.enter_what_became_true();
            return Applied::applied;
        }
        Applied operator()(const Erasure&) const {
            for (auto& run : turn.customer.runs) turn.recall(run, Reason::erased);
            erase(turn.customer, turn.effects);
            return Applied::applied;
        }
        Applied operator()(const Unreadable&) const {
            assert(false && "its owner parks it");
            return Applied::applied;
        }
    };
    const auto applied = std::visit(Visitor{*this, record}, record.body);
    arm_dates(std::max(now, record.accepted_at));
    return applied;
}

Applied Turn::take_copy(const Event& copy, Timestamp accepted_at) {
    const bool late = copy.time < customer.now;
    const bool too_late = accepted_at - copy.time > copy_age_max;
    customer.now = now;
    observe_made_here(customer, copy, catalog);
    meet(copy, late, too_late);
    meet_what_was_made();
    enter_what_became_true(copy, late, too_late);
    return late ? Applied::late : Applied::applied;
}

void Turn::meet_what_was_made() {
    while (!made_here_.empty() || permission_changed) {
        if (std::exchange(permission_changed, false)) {
            withdraw();
            continue;
        }
        const Event made = std::move(made_here_.front());
        made_here_.pop_front();
        // Decisions count at once, so that the next one of the same turn knows of them.
        if (made.name != action_decided) observe_made_here(customer, made, catalog);
        meet(made, false, false);
    }
    made_count_ = 0;
}

bool Turn::fire_due(Timestamp closed, int limit) {
    const auto& settings = catalog.settings();
    while (true) {
        Run* first = nullptr;
        const auto rank = [&](const Run& run) {
            const auto* journey = journey_of(run);
            return journey ? journey->priority : 0;
        };
        for (auto& run : customer.runs) {
            if (run.due > closed || is_held(run)) continue;
            if (!first || run.due < first->due ||
                (run.due == first->due && rank(run) > rank(*first)))
                first = &run;
        }
        const auto session_end = customer.session.id.empty() || customer.session.end_announced ||
                                         !catalog.tracked().session_ended
                                     ? no_time
                                     : customer.session.last_at + settings.session_idle;
        const auto life_due = catalog.models() ? customer.lifecycle.due : no_time;
        const auto date_due = next_date(customer);
        if (!first && session_end > closed && life_due > closed && date_due > closed) return false;
        if (limit-- == 0) return true;
        ++customer.revision;
        entries_left_ = entries_per_event;
        look_before();
        if (date_due <= closed && date_due <= std::min(life_due, session_end) &&
            (!first || date_due <= first->due)) {
            enter_by_date();
        } else if (life_due <= closed && life_due <= session_end &&
                   (!first || life_due <= first->due)) {
            now = std::max(customer.now, life_due);
            cause_ = hash("lifecycle", static_cast<std::uint64_t>(to_millis(life_due)));
            review_lifecycle(now, "time");
        } else if (!first || session_end < first->due) {
            now = std::max(customer.now, session_end);
            cause_ = hash(customer.session.id, 1);
            if (const auto ended = end_session(customer, session_end, catalog))
                meet(*ended, false, false);
            else
                customer.session.end_announced = true;
        } else {
            now = std::max(customer.now, first->due);
            cause_ = hash(to_text(first->id), static_cast<std::uint64_t>(to_millis(first->due)));
            wait_is_over(first->id);
        }
        meet_what_was_made();
        enter_what_became_true();
        arm_dates(now);
    }
}

} // namespace engine

Applied apply(Customer& customer, const Record& record, const Catalog& catalog, Effects& effects) {
    if (record.offset != 0 && record.offset <= customer.applied) return Applied::duplicate;
    return engine::Turn{customer, catalog, effects}.take(record);
}

bool fire(Customer& customer, Timestamp closed, const Catalog& catalog, Effects& effects,
          int limit) {
    if (customer.forward_to) return false;
    engine::Turn turn{customer, catalog, effects};
    if (turn.adopt_publication()) turn.meet_models(closed);
    return turn.fire_due(closed, limit);
}

Timestamp wake_at(const Customer& customer, const Catalog& catalog) {
    if (customer.forward_to) return no_time;
    Timestamp earliest = no_time;
    for (const auto& run : customer.runs) {
        const auto* today = catalog.journey(run.journey);
        const bool held = today && !catalog.settings().all_live && today->status == Status::paused;
        // A held run is woken by the publication that lets its journey go on, and one that has no
        // due time may be ended by one.
        earliest = std::min(earliest, held ? when_published : std::min(run.due, when_published));
    }
    if (catalog.models()) earliest = std::min(earliest, customer.lifecycle.due);
    earliest = std::min(earliest, next_date(customer));
    if (catalog.tracked().session_ended && !customer.session.id.empty() &&
        !customer.session.end_announced)
        earliest = std::min(earliest, customer.session.last_at + catalog.settings().session_idle);
    return earliest;
}

HandOver hand_over(Customer& customer, IntentId intent, Timestamp now, const Catalog& catalog,
                   Effects& effects) {
    if (customer.forward_to) return {HandOver::Verdict::gone};
    engine::Turn turn{customer, catalog, effects};
    const bool is_new_publication = turn.adopt_publication(); // It may have ended the run.
    turn.now = std::max(now, customer.now);
    if (is_new_publication) turn.meet_models(turn.now);
    turn.look_before();
    const auto answer = turn.hand_over(intent);
    if (answer.verdict != HandOver::Verdict::gone) turn.enter_what_became_true();
    return answer;
}

bool is_granted(const Customer& customer, IntentId intent) {
    return std::ranges::any_of(customer.runs, [&](const Run& run) {
        return run.intent == intent && run.sending == Sending::granted;
    });
}

bool is_awaited(const Customer& customer, IntentId intent) {
    return std::ranges::any_of(customer.runs, [&](const Run& run) {
        return run.intent == intent &&
               (run.sending == Sending::granted || run.sending == Sending::revoked);
    });
}

} // namespace journeys
