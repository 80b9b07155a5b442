#include "journeys/decision.hpp"
#include "journeys/engine/turn.hpp"

#include "journeys/orders.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

/// The order that an event names, as the customer knows it; null where it names none, or it is none
/// of theirs.
const Order* order_of(const Customer& customer, const Event& event) {
    const auto id = text_of(event.property("order_id"));
    if (id.empty()) return nullptr;
    const auto order = std::ranges::find(customer.orders, id, &Order::id);
    return order == customer.orders.end() ? nullptr : &*order;
}

bool stands(const Order& order) { return order.confirmed && order.status == OrderStatus::placed; }

bool is_within(const DecisionWatch& watch, Timestamp at) {
    return at > watch.from && at <= watch.until;
}

/// Whether `arrived` is what the watch waits for. An order that is told of again was placed before;
/// one that is cancelled already is none.
bool is_rewarded(const Customer& customer, const DecisionWatch& watch, const Event& arrived) {
    if (arrived.name != watch.reward || !is_within(watch, arrived.time)) return false;
    const auto* order = order_of(customer, arrived);
    if (!order) return true;
    const bool is_undone = order->status != OrderStatus::placed;
    return order->placed_at > watch.from && !is_undone;
}

std::string outcome(std::string_view action, Money value) {
    PackedWriter data;
    const auto mark = data.begin_map();
    data.key("action");
    data.string(action);
    data.key("value");
    data.floating(value.to_double());
    data.end_map(mark, 2);
    return data.take();
}

} // namespace

StepIndex Turn::take_decision(const Run& run, const Journey& journey, const Step& step,
                              const Decide& decide) {
    const auto id = to_text(intent_id(run.id, step.path));
    std::vector<std::string> actions;
    for (const auto& way : decide.ways) actions.push_back(way.action);
    const DecisionRequest request{.policy = decide.policy,
                                  .only = actions,
                                  .key = id,
                                  .reward = decide.reward ? &*decide.reward : nullptr,
                                  .is_held_out = run.held_out};
    auto decision = journeys::decide(*catalog.offers(), customer, catalog, now, request);
    // A draft does nothing, so nothing can come of it and nothing was given.
    const bool is_draft = status_of(journey) == Status::draft;
    if (is_draft) decision.reward = {};
    auto decided = make_event(customer, std::string{action_decided},
                              decision_properties(decision, request, catalog), now,
                              hash(step.path, run.id.low));
    auto line = entry(EntryKind::decide, run);
    line.step = step.path;
    note_decision(decided, std::move(line));
    if (!is_draft) {
        observe_made_here(customer, decided, catalog);
        const bool is_heard = !catalog.entered_by(action_decided).empty() ||
                              catalog.tracked().newest.contains(action_decided);
        if (is_heard && made_here_.size() < made_here_per_event)
            made_here_.push_back(std::move(decided));
    }
    if (!decision.taken) return step.next;
    const auto way =
        std::ranges::find(decide.ways, decision.taken->action.id, &Decide::Way::action);
    return way == decide.ways.end() ? step.next : way->first;
}

void Turn::note_decision(const Event& decided, TimelineEntry line) {
    const PackedView said{decided.properties};
    const auto id = parse_intent_id(said.string_at("decision_id"));
    if (!id) return; // None of ours.
    line.at = now;
    line.intent = *id;
    line.channel = said.string_at("surface");
    const auto held_out = said.find("held_out");
    line.held_out = held_out.is_bool() && held_out.as_bool();
    const auto action = said.string_at("action");
    line.reason = !action.empty() ? action : line.held_out ? "held out" : "nothing";
    line.data = decided.properties;
    const auto awaited = said.string_at("reward");
    const auto within = said.find("within_ms");
    if (!awaited.empty() && within.is_number()) {
        const auto until = decided.time + Duration{within.as_int()};
        line.until = until;
        const DecisionWatch watch{*id, std::string{action}, std::string{awaited}, decided.time,
                                  until};
        say(std::move(line));
        // One that is answered before it is durable may be overtaken by what it waits for.
        if (!is_met_by_the_past(watch)) customer.decisions.push_back(watch);
        return forget_decisions();
    }
    say(std::move(line));
}

void Turn::forget_decisions() {
    auto& watches = customer.decisions;
    if (watches.size() <= bounds::decisions) return;
    // Those for which nothing can come any more have failed, and that is known.
    const auto settled = now - catalog.settings().max_lateness;
    std::erase_if(watches, [&](const DecisionWatch& watch) { return watch.until < settled; });
    while (watches.size() > bounds::decisions) {
        const auto& watch = watches.front();
        TimelineEntry line{.kind = EntryKind::take_back};
        line.at = now;
        line.until = std::max(now, received_at);
        line.intent = watch.id;
        line.reason = "forgotten";
        line.data = outcome(watch.action, {});
        say(std::move(line));
        watches.erase(watches.begin());
    }
}

void Turn::reward(const DecisionWatch& watch, std::string_view event_name, Money value,
                  std::uint64_t order) {
    TimelineEntry line{.kind = EntryKind::reward};
    line.at = now;
    line.intent = watch.id;
    line.reason = event_name;
    line.data = outcome(watch.action, value);
    say(std::move(line));
    if (order == 0) return;
    customer.rewarded.push_back({watch, order, value, now});
    if (customer.rewarded.size() > bounds::rewarded)
        customer.rewarded.erase(customer.rewarded.begin());
}

void Turn::meet_rewards(const Event& arrived) {
    if (customer.decisions.empty()) return;
    const auto forget_before = now - catalog.settings().max_lateness;
    std::erase_if(customer.decisions, [&](const DecisionWatch& watch) {
        if (is_rewarded(customer, watch, arrived)) {
            const auto* order = order_of(customer, arrived);
            reward(watch, arrived.name, value_of(customer, arrived), order ? hash(order->id) : 0);
            return true;
        }
        return watch.until < forget_before;
    });
}

bool Turn::is_met_by_an_order(const DecisionWatch& watch) {
    if (watch.reward != "Order Completed") return false;
    for (const auto& order : customer.orders)
        if (stands(order) && is_within(watch, order.placed_at)) {
            reward(watch, watch.reward, net(order), hash(order.id));
            return true;
        }
    return false;
}

bool Turn::is_met_by_the_past(const DecisionWatch& watch) {
    // Of orders more is known than their newest event.
    if (watch.reward == "Order Completed") return is_met_by_an_order(watch);
    for (const auto& newest : customer.newest_events)
        if (newest.name == watch.reward && is_within(watch, newest.at)) {
            Event seen;
            seen.properties = newest.properties;
            const auto* order = order_of(customer, seen);
            if (order && order->status != OrderStatus::placed) continue;
            reward(watch, watch.reward, value_of(customer, seen), order ? hash(order->id) : 0);
            return true;
        }
    return false;
}

void Turn::meet_rewards_of_the_past() {
    std::erase_if(customer.decisions,
                  [&](const DecisionWatch& watch) { return is_met_by_the_past(watch); });
}

void Turn::review_rewards() {
    std::vector<DecisionWatch> undone;
    std::erase_if(customer.rewarded, [&](RewardedDecision& rewarded) {
        if (now - rewarded.at > bounds::rewarded_age) return true; // It stays, whatever comes.
        const auto order = std::ranges::find_if(
            customer.orders, [&](const Order& one) { return hash(one.id) == rewarded.order; });
        if (order == customer.orders.end()) return false;
        const bool is_whole = order->status != OrderStatus::placed;
        const auto left = is_whole ? Money{} : net(*order);
        if (!is_whole && left >= rewarded.value) return false;
        TimelineEntry line{.kind = EntryKind::take_back};
        line.at = now;
        line.until = std::max(now, received_at);
        line.intent = rewarded.watch.id;
        line.reason = is_whole ? "whole" : "part";
        line.data = outcome(rewarded.watch.action, left);
        say(std::move(line));
        rewarded.value = left;
        if (is_whole) undone.push_back(std::move(rewarded.watch));
        return is_whole;
    });
    for (auto& watch : undone)
        if (!is_met_by_an_order(watch)) customer.decisions.push_back(std::move(watch));
    if (undone.empty()) return;
    std::ranges::stable_sort(customer.decisions, {}, &DecisionWatch::from);
    forget_decisions();
}

} // namespace journeys::engine
