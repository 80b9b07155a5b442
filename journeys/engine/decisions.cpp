#include "journeys/decision.hpp"
#include "journeys/engine/turn.hpp"

#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

/// Whether `arrived` is what the watch waits for. An order that is told of again was placed before.
bool is_rewarded(const Customer& customer, const DecisionWatch& watch, const Event& arrived) {
    if (arrived.name != watch.reward) return false;
    if (arrived.time <= watch.from || arrived.time > watch.until) return false;
    const auto id = arrived.property("order_id");
    if (!id.is_string()) return true;
    const auto order = std::ranges::find(customer.orders, id.as_string(), &Order::id);
    return order == customer.orders.end() || order->placed_at > watch.from;
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
        customer.decisions.push_back(
            {*id, std::string{action}, std::string{awaited}, decided.time, until});
        if (customer.decisions.size() > bounds::decisions)
            customer.decisions.erase(customer.decisions.begin());
    }
    say(std::move(line));
}

void Turn::reward(const DecisionWatch& watch, std::string_view event_name, Money value) {
    TimelineEntry line{.kind = EntryKind::reward};
    line.at = now;
    line.intent = watch.id;
    line.reason = event_name;
    PackedWriter data;
    const auto mark = data.begin_map();
    data.key("action");
    data.string(watch.action);
    data.key("value");
    data.floating(value.to_double());
    data.end_map(mark, 2);
    line.data = data.take();
    say(std::move(line));
}

void Turn::meet_rewards(const Event& arrived) {
    if (customer.decisions.empty()) return;
    const auto forget_before = now - catalog.settings().max_lateness;
    std::erase_if(customer.decisions, [&](const DecisionWatch& watch) {
        if (is_rewarded(customer, watch, arrived)) {
            reward(watch, arrived.name, value_of(customer, arrived));
            return true;
        }
        return watch.until < forget_before;
    });
}

void Turn::meet_rewards_of_the_past() {
    std::erase_if(customer.decisions, [&](const DecisionWatch& watch) {
        const auto is_within = [&](Timestamp at) { return at > watch.from && at <= watch.until; };
        if (watch.reward == "Order Completed")
            for (const auto& order : customer.orders)
                if (order.confirmed && is_within(order.placed_at)) {
                    reward(watch, watch.reward, net(order));
                    return true;
                }
        for (const auto& newest : customer.newest_events)
            if (newest.name == watch.reward && is_within(newest.at)) {
                Event seen;
                seen.properties = newest.properties;
                reward(watch, watch.reward, value_of(customer, seen));
                return true;
            }
        return false;
    });
}

} // namespace journeys::engine
