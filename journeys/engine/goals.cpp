#include "journeys/engine/turn.hpp"

#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys::engine {

Money value_of(const Customer& customer, const Event& event) {
    if (const auto id = event.property("order_id"); id.is_string())
        for (const auto& order : customer.orders)
            if (order.id == id.as_string()) return net(order);
    for (const auto* key : {"revenue", "total", "value"})
        if (const auto amount = event.property(key); amount.is_number())
            return Money::of(amount.as_double());
    return {};
}

void Turn::watch_goals(const Run& run, const Journey& journey, Timestamp from) {
    for (std::size_t i = 0; i < journey.goals.size(); ++i) {
        const auto until = from + journey.goals[i].within;
        const auto known = std::ranges::find_if(customer.goals, [&](const GoalWatch& watch) {
            return watch.run == run.id && watch.goal == i;
        });
        if (known != customer.goals.end()) {
            known->until = std::max(known->until, until);
            continue;
        }
        GoalWatch watch;
        watch.journey = run.journey;
        watch.version = run.version;
        watch.run = run.id;
        watch.key = run.key;
        watch.goal = static_cast<std::uint16_t>(i);
        watch.held_out = run.held_out;
        watch.from = from;
        watch.until = until;
        customer.goals.push_back(std::move(watch));
        if (customer.goals.size() > bounds::goal_watches)
            customer.goals.erase(customer.goals.begin());
    }
}

void Turn::meet_goals(const Event& arrived) {
    if (customer.goals.empty()) return;
    const auto forget_before = now - catalog.settings().max_lateness;
    std::erase_if(customer.goals, [&](const GoalWatch& watch) {
        const auto* journey = catalog.version(watch.journey, watch.version);
        if (!journey || watch.goal >= journey->goals.size() || watch.until < forget_before)
            return true;
        const auto& goal = journey->goals[watch.goal];
        if (arrived.time < watch.from || arrived.time > watch.until ||
            !contains(goal.on, arrived.name) || !all_met(goal.when, find(watch.run)))
            return false;
        TimelineEntry line{.kind = EntryKind::goal};
        line.at = now;
        line.journey = watch.journey;
        line.version = watch.version;
        line.key = watch.key;
        line.held_out = watch.held_out;
        PackedWriter data;
        const auto mark = data.begin_map();
        data.key("event");
        data.string(arrived.name);
        data.key("value");
        if (goal.value)
            cel::append_packed(data, value(*goal.value, find(watch.run)));
        else
            data.floating(value_of(customer, arrived).to_double());
        data.key("arm");
        data.string(watch.held_out ? "holdout" : "send");
        data.end_map(mark, 3);
        line.data = data.take();
        say(std::move(line));
        return true;
    });
}

} // namespace journeys::engine
