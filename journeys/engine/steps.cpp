#include "journeys/engine/turn.hpp"

#include "journeys/consents.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

StepIndex chosen(const Split& split, double fraction) {
    double upper = 0;
    for (const auto& variant : split.variants) {
        upper += variant.weight / 100.0;
        if (fraction < upper) return variant.first;
    }
    return split.variants.back().first; // Weights add up to 100 but for rounding.
}

/// `{changed: [names]}` of the edits that differ from what is known, packed; empty where none does.
std::string changed_names(PackedView known, PackedView edits) {
    PackedWriter writer;
    const auto map = writer.begin_map();
    writer.key("changed");
    const auto list = writer.begin_list();
    std::size_t count = 0;
    for (const auto& [name, value] : edits.entries()) {
        const auto before = known.find(name);
        if (before ? before.bytes() == value.bytes() : value.is_null()) continue;
        writer.string(name);
        ++count;
    }
    writer.end_list(list, count);
    writer.end_map(map, 1);
    return count > 0 ? writer.take() : std::string{};
}

} // namespace

void Turn::go_on(RunId id, StepIndex next, Timestamp base) {
    // Steps only lead onwards, so this ends: a journey has no loops.
    while (true) {
        auto* const run = find(id);
        if (!run) return; // It has ended.
        const auto* journey = journey_of(*run);
        if (next == end_of_run || !journey || next >= journey->steps.size())
            return end_run(id, Ending::end, next == end_of_run ? "completed" : "error");
        const auto& step = journey->steps[next];
        if (run->step != next || run->sending != Sending::deferred) {
            run->step_reached = now;
            run->expires_at = no_time;
        }
        run->step = next;
        run->base = base;
        run->due = run->wait_limit = no_time;

        if (std::holds_alternative<Send>(step.action)) {
            if (!reach_send(*run, *journey, step)) return;
            next = step.next;
        } else if (const auto* branch = std::get_if<Branch>(&step.action)) {
            const auto arm = std::ranges::find_if(branch->arms, [&](const Branch::Arm& each) {
                return !each.when || is_met(*each.when, run);
            });
            next = arm == branch->arms.end() ? step.next : arm->first;
        } else if (const auto* split = std::get_if<Split>(&step.action)) {
            next = chosen(*split,
                          sticky_fraction(catalog.settings().seed, to_text(run->customer_at_entry),
                                          run->journey, step.path));
        } else if (const auto* decide = std::get_if<Decide>(&step.action)) {
            next = take_decision(*run, *journey, step, *decide);
        } else if (const auto* change = std::get_if<Update>(&step.action)) {
            next = step.next;
            update(*run, step, *change);
        } else if (const auto* leave = std::get_if<ExitStep>(&step.action)) {
            return end_run(id, Ending::exit, leave->reason.empty() ? "exit" : leave->reason);
        } else {
            return begin_wait(*run, *journey, step);
        }
    }
}

void Turn::update(const Run& run, const Step& step, const Update& change) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    for (const auto& [trait, expression] : change.set) {
        const auto result = value(expression, &run);
        if (result.is_error()) continue;
        writer.key(trait);
        cel::append_packed(writer, result);
        ++count;
    }
    writer.end_map(mark, count);
    if (count > 0) {
        const PackedView known{customer.traits}, edits{writer.bytes()};
        auto changed = changed_names(known, edits);
        auto merged = merge_maps(known, edits);
        if (merged.size() <= bounds::trait_bytes) {
            customer.traits = std::move(merged);
            if (!changed.empty()) announce("Profile Changed", std::move(changed));
        }
    }
    auto line = entry(EntryKind::update, run);
    line.step = step.path;
    if (change.unsubscribe) {
        Event cause;
        cause.message_hash = hash(step.path, run.id.low);
        std::vector<Event> made;
        permission_changed |=
            change_consent(customer,
                           {change.unsubscribe->channel, change.unsubscribe->topic,
                            ConsentState::unsubscribed, now, "journey " + run.journey},
                           cause, made, effects);
        for (auto& each : made) announce(each.name, std::move(each.properties));
        line.channel = change.unsubscribe->channel;
        line.topic = change.unsubscribe->topic;
    }
    line.data = writer.take();
    say(std::move(line));
}

} // namespace journeys::engine
