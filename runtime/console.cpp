#include "runtime/console.hpp"

#include "journeys/local_time.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/printable.hpp"

namespace runtime {
namespace {

using journeys::EntryKind;

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string place(const journeys::TimelineEntry& entry) {
    auto text = entry.journey;
    if (!entry.step.empty()) text += " › " + entry.step;
    if (!entry.key.empty()) text += ' ' + entry.key;
    return text;
}

} // namespace

std::string_view entry_verb(EntryKind kind) {
    switch (kind) {
    case EntryKind::enter: return "entered";
    case EntryKind::no_entry: return "no entry";
    case EntryKind::exit: return "left";
    case EntryKind::end: return "ended";
    case EntryKind::wait: return "waits";
    case EntryKind::restart: return "event";
    case EntryKind::send: return "sent";
    case EntryKind::defer: return "held";
    case EntryKind::suppress: return "not sent";
    case EntryKind::settle: return "answered";
    case EntryKind::decide: return "decided";
    case EntryKind::reward: return "rewarded";
    case EntryKind::take_back: return "taken back";
    case EntryKind::update: return "updated";
    case EntryKind::call: return "called";
    case EntryKind::goal: return "goal";
    case EntryKind::consent: return "consent";
    case EntryKind::stage: return "stage";
    case EntryKind::linked: return "linked";
    case EntryKind::merged: return "merged";
    case EntryKind::moved: return "moved";
    }
    return "";
}

namespace {

/// What a customer who turned out to be this one has brought along.
std::string merge_text(const journeys::TimelineEntry& entry) {
    const journeys::PackedView data{entry.data};
    std::string text = "with " + entry.reason;
    std::string_view separator = ", which brought ";
    for (const auto& [name, one] :
         {std::pair{"carts", "cart"}, std::pair{"orders", "order"}, std::pair{"runs", "open run"},
          std::pair{"consents", "consent"}}) {
        const auto count = data.find(name).is_number() ? data.find(name).as_int() : 0;
        if (count == 0) continue;
        text.append(separator).append(std::to_string(count)).append(" ").append(one);
        if (count > 1) text += 's';
        separator = ", ";
    }
    return text;
}

/// The action, and the sentence that says why.
std::string decision_text(const journeys::TimelineEntry& entry) {
    auto text = entry.channel.empty() ? std::string{} : entry.channel + ": ";
    text += entry.reason;
    std::string_view last;
    for (const auto& [key, reason] : journeys::PackedView{entry.data}.find("reasons").entries())
        if (reason.is_string()) last = reason.as_string();
    if (!last.empty()) text.append(" (").append(last).append(")");
    return text;
}

/// The action that was rewarded, or the one from which a reward was taken back.
std::string rewarded_action(const journeys::TimelineEntry& entry) {
    const auto action = journeys::PackedView{entry.data}.string_at("action");
    return action.empty() ? "nothing" : std::string{action};
}

/// What is left of the reward.
std::string taken_back_text(const journeys::TimelineEntry& entry) {
    if (entry.reason == "whole") return "its order was undone";
    if (entry.reason == "forgotten")
        return "more decisions are open than are waited for; what came of it is not known";
    const auto left = journeys::PackedView{entry.data}.find("value");
    return "of its order " +
           journeys::Money::of(left.is_number() ? left.as_double() : 0).to_text() + " are left";
}

} // namespace

std::string entry_place(const journeys::TimelineEntry& entry) {
    switch (entry.kind) {
    case EntryKind::no_entry: return entry.journey;
    case EntryKind::restart: return entry.reason; // The event.
    case EntryKind::merged:
    case EntryKind::moved:
    case EntryKind::linked: return {};
    case EntryKind::reward:
    case EntryKind::take_back: return rewarded_action(entry);
    default: return place(entry);
    }
}

std::string entry_detail(const journeys::TimelineEntry& entry) {
    switch (entry.kind) {
    case EntryKind::no_entry:
        return entry.reason + (entry.step.empty() ? "" : ", line " + entry.step);
    case EntryKind::restart: return '"' + entry.step + "\" of " + entry.journey + " starts again";
    case EntryKind::merged: return merge_text(entry);
    case EntryKind::moved: return "to " + entry.reason + ", the same customer";
    case EntryKind::linked:
        return "from here on with " + entry.reason + "; what was before stays where it went";
    case EntryKind::decide: return decision_text(entry);
    case EntryKind::reward: return "by " + entry.reason;
    case EntryKind::take_back: return taken_back_text(entry);
    default: break;
    }
    auto text = entry.channel;
    if (!entry.template_name.empty()) text += (text.empty() ? "" : " ") + entry.template_name;
    if (!entry.reason.empty()) text += (text.empty() ? "" : ": ") + entry.reason;
    if (entry.kind == EntryKind::suppress) text += failure_text(entry.data);
    return text;
}

std::string entry_text(const journeys::TimelineEntry& entry) {
    const auto where = printable(entry_place(entry)), what = printable(entry_detail(entry));
    auto text = padded(std::string{entry_verb(entry.kind)}, 10) + ' ';
    if (where.empty()) return text + what;
    text += padded(where, 34);
    return what.empty() ? text : text + ' ' + what;
}

std::string trigger_line(const journeys::CustomerId& customer, const journeys::TimelineEntry& entry,
                         std::string_view zone) {
    if (entry.kind != EntryKind::send && entry.kind != EntryKind::suppress &&
        entry.kind != EntryKind::call)
        return {};
    return padded(local_text(entry.at, zone, entry.at), 11) +
           padded(printable(journeys::display(customer)), 14) + ' ' + entry_text(entry);
}

std::string timeline_line(const journeys::TimelineEntry& entry, std::string_view zone,
                          journeys::Timestamp now) {
    auto text = padded(local_text(entry.at, zone, now), 18) + entry_text(entry);
    if (entry.until != journeys::Timestamp{} && entry.until != journeys::no_time)
        text += " until " + local_text(entry.until, zone, now);
    return text;
}

} // namespace runtime
