#include "journeys/feedback.hpp"

#include "journeys/consents.hpp"
#include "journeys/local_time.hpp"
#include "journeys/policy.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>

namespace journeys {
namespace {

struct Name {
    std::string_view name;
    FeedbackKind kind;
    bool of_email;
};

/// Of several names of one kind the first is the one that we make.
constexpr std::array<Name, 17> names{{
    {"Email Sent", FeedbackKind::sent, true},
    {"Email Delivered", FeedbackKind::delivered, true},
    {"Email Opened", FeedbackKind::opened, true},
    {"Email Link Clicked", FeedbackKind::clicked, true},
    {"Email Failed", FeedbackKind::failed, true},
    {"Email Bounced", FeedbackKind::bounced, true},
    {"Email Marked as Spam", FeedbackKind::complained, true},
    {"SMS Sent", FeedbackKind::sent, false},
    {"SMS Delivered", FeedbackKind::delivered, false},
    {"SMS Opened", FeedbackKind::opened, false},
    {"SMS Link Clicked", FeedbackKind::clicked, false},
    {"SMS Failed", FeedbackKind::failed, false},
    {"SMS Bounced", FeedbackKind::bounced, false},
    {"SMS Marked as Spam", FeedbackKind::complained, false},
    {"Unsubscribed", FeedbackKind::unsubscribed, true},
    {"Resubscribed", FeedbackKind::resubscribed, true},
    {"Email Unsubscribed", FeedbackKind::unsubscribed, true},
}};

constexpr std::uint16_t hour_count_max = 1'000;

bool flag(const Event& event, std::string_view key) {
    const auto value = event.property(key);
    return value.is_bool() && value.as_bool();
}

/// The channels that the report is about.
std::vector<const ChannelRules*> channels_of(const Feedback& told, const Settings& settings) {
    std::vector<const ChannelRules*> found;
    if (!told.channel.empty()) {
        if (const auto* channel = settings.channel(told.channel)) found.push_back(channel);
        return found;
    }
    for (const auto& channel : settings.channels)
        if (channel.address == (told.of_email ? "email" : "phone")) found.push_back(&channel);
    return found;
}

/// The address that a report is about; 0, the customer's whole channel, where nobody knows it.
/// `is_said`: by the person, who means more than the device that happens to be theirs today.
std::uint64_t address_meant(const Feedback& told, const Customer& customer,
                            const ChannelRules& channel, bool is_said) {
    if (told.address != 0) return told.address;
    if (channel.address.empty()) return address_hash(channel, {});
    const auto address = address_of(customer, channel);
    const bool is_of_person = channel.address == "email" || channel.address == "phone";
    return address.empty() || (is_said && !is_of_person) ? 0 : address_hash(channel, address);
}

void count_hour(Customer& customer, Timestamp at, const Settings& settings) {
    auto& hours = customer.active_hours;
    hours.resize(24);
    const auto local = to_local(zone_of(customer, settings), at);
    auto& count = hours[static_cast<std::size_t>(local.minutes.count() / 60 % 24)];
    if (++count < hour_count_max) return;
    for (auto& each : hours) each = static_cast<std::uint16_t>(each / 2); // The older weigh less.
}

void mark_sent(Customer& customer, const Feedback& told, Timestamp at) {
    const auto note = [&](Timestamp& first) {
        if (first == Timestamp{}) first = at;
    };
    for (auto& run : customer.runs)
        for (auto& sent : run.sent) {
            if (intent_id(run.id, sent.step) != told.intent) continue;
            switch (told.kind) {
            case FeedbackKind::delivered: note(sent.delivered_at); break;
            case FeedbackKind::opened:
                if (!told.machine) note(sent.opened_at);
                break;
            case FeedbackKind::clicked:
                if (!told.machine) note(sent.clicked_at);
                break;
            case FeedbackKind::sent:
            case FeedbackKind::failed:
            case FeedbackKind::bounced:
            case FeedbackKind::complained:
            case FeedbackKind::unsubscribed:
            case FeedbackKind::resubscribed: break;
            }
            return;
        }
}

} // namespace

std::optional<Feedback> feedback_of(const Event& event) {
    const std::string_view name = event.name;
    if (event.type != EventType::track ||
        !(name.starts_with("Email ") || name.starts_with("SMS ") || name.ends_with("subscribed")))
        return std::nullopt;
    const auto known = std::ranges::find(names, name, &Name::name);
    if (known == names.end()) return std::nullopt;
    Feedback told{.kind = known->kind, .of_email = known->of_email};
    const auto text = [&](std::string_view key) {
        const auto value = event.property(key);
        return value.is_string() ? value.as_string() : std::string_view{};
    };
    told.channel = text("channel");
    told.topic = text("topic");
    told.intent = parse_intent_id(text("intent")).value_or(IntentId{});
    told.machine = flag(event, "machine");
    told.permanent = text("bounce_type") == "hard";
    told.stop = flag(event, "stop");
    told.settles = flag(event, "settles");
    told.refused = flag(event, "refused");
    if (const auto address = event.property("address"); address.kind() == PackedKind::integer)
        told.address = static_cast<std::uint64_t>(address.as_int());
    return told;
}

std::string_view feedback_name(FeedbackKind kind, bool of_email) {
    for (const auto& name : names)
        if (name.kind == kind && name.of_email == of_email) return name.name;
    for (const auto& name : names)
        if (name.kind == kind) return name.name;
    return {};
}

bool observe_feedback(Customer& customer, const Event& event, const Catalog& catalog,
                      std::vector<Event>& made_here, Effects& effects) {
    const auto told = feedback_of(event);
    if (!told) return false;
    const auto& settings = catalog.settings();
    if (told->intent) mark_sent(customer, *told, event.time);
    bool changed = false;
    const auto named = event.property("source");
    const auto source = [&](std::string_view otherwise) {
        return std::string{named.is_string() ? bounded(named.as_string(), 128) : otherwise};
    };
    const auto why = event.property("reason");
    const bool is_imported = why.is_string() && why.as_string() == "import";
    const auto suppress = [&](const ChannelRules& channel, const char* reason, bool is_said) {
        changed |= suppress_address(
            customer,
            {channel.name, address_meant(*told, customer, channel, is_said), reason, event.time});
    };
    const auto consent = [&](const ChannelRules& channel, std::string_view topic,
                             ConsentState state, std::string who) {
        changed |= change_consent(
            customer, {channel.name, std::string{topic}, state, event.time, std::move(who)}, event,
            made_here, effects);
    };
    switch (told->kind) {
    case FeedbackKind::sent:
    case FeedbackKind::delivered:
    case FeedbackKind::failed: break;
    case FeedbackKind::opened:
    case FeedbackKind::clicked:
        if (!told->machine) count_hour(customer, event.time, settings);
        break;
    case FeedbackKind::bounced:
        if (told->permanent)
            for (const auto* channel : channels_of(*told, settings))
                suppress(*channel, "bounce", false);
        break;
    case FeedbackKind::complained:
        for (const auto* channel : channels_of(*told, settings)) {
            suppress(*channel, "complaint", true);
            consent(*channel, {}, ConsentState::unsubscribed, "complaint");
        }
        break;
    case FeedbackKind::unsubscribed:
        for (const auto* channel : channels_of(*told, settings)) {
            // What a list from before says without a reason is nobody's STOP, and no START lifts
            // it.
            if (told->stop) suppress(*channel, is_imported ? "import" : "stop", true);
            consent(*channel, bounded(told->topic, 128), ConsentState::unsubscribed,
                    source(told->stop ? "STOP" : "provider"));
        }
        break;
    case FeedbackKind::resubscribed:
        for (const auto* channel : channels_of(*told, settings)) {
            const auto address = address_meant(*told, customer, *channel, false);
            changed |= std::erase_if(customer.suppressions, [&](const Suppression& one) {
                           const bool is_meant = one.address == 0 ? one.channel == channel->name
                                                                  : one.address == address;
                           return is_meant && one.reason == "stop";
                       }) > 0;
            consent(*channel, bounded(told->topic, 128), ConsentState::subscribed,
                    source(told->stop ? "START" : "provider"));
        }
        break;
    }
    return changed;
}

bool suppress_address(Customer& customer, Suppression suppression) {
    auto& all = customer.suppressions;
    for (auto& known : all)
        if (known.address == suppression.address && known.channel == suppression.channel) {
            // A bounce or a complaint outlasts the START that lifts a STOP.
            if (known.reason == "stop") known.reason = suppression.reason;
            known.at = std::max(known.at, suppression.at);
            return false;
        }
    if (all.size() >= bounds::suppressions) all.erase(all.begin());
    all.push_back(std::move(suppression));
    return true;
}

void unite_suppressions(Customer& winner, const Customer& loser) {
    for (const auto& one : loser.suppressions) suppress_address(winner, one);
}

void unite_active_hours(Customer& winner, const Customer& loser) {
    if (loser.active_hours.empty()) return;
    winner.active_hours.resize(24);
    for (std::size_t hour = 0; hour < std::min<std::size_t>(24, loser.active_hours.size()); ++hour)
        winner.active_hours[hour] = static_cast<std::uint16_t>(
            std::min<int>(winner.active_hours[hour] + loser.active_hours[hour], hour_count_max));
}

} // namespace journeys
