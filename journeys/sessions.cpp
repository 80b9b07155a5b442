#include "journeys/sessions.hpp"

#include "journeys/decision.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>

namespace journeys {
namespace {

enum class Activity { none, continues, begins };

Activity activity_of(const Event& event) {
    switch (event.type) {
    case EventType::page:
    case EventType::screen: return Activity::begins;
    case EventType::identify: return Activity::continues;
    case EventType::group:
    case EventType::alias: return Activity::none;
    case EventType::track: break;
    }
    static constexpr std::array<std::string_view, 6> reported{"Order Updated",  "Order Cancelled",
                                                              "Order Refunded", "Order Shipped",
                                                              "Unsubscribed",   action_decided};
    static constexpr std::array<std::string_view, 3> feedback{"Email ", "SMS ",
                                                              "Push Notification "};
    const std::string_view name{event.name};
    if (std::ranges::find(reported, name) != reported.end()) return Activity::none;
    for (const auto prefix : feedback)
        if (name.starts_with(prefix)) return Activity::none;
    return Activity::begins;
}

bool is_view(const Event& event) {
    return event.type == EventType::page || event.type == EventType::screen ||
           event.name == "Product Viewed" || event.name == "Page Viewed" ||
           event.name == "Screen Viewed";
}

/// Puts `text` in front, or behind where the event is late; each text stands once.
void remember(std::vector<std::string>& list, std::string text, bool late) {
    if (text.empty()) return;
    const auto known = std::ranges::find(list, text);
    if (known != list.end()) {
        if (!late) std::rotate(list.begin(), known, known + 1);
        return;
    }
    if (late) {
        if (list.size() < bounds::session_products) list.push_back(std::move(text));
        return;
    }
    list.insert(list.begin(), std::move(text));
    if (list.size() > bounds::session_products) list.pop_back();
}

void count_in(Session& session, const Event& event, bool late) {
    ++session.events;
    if (is_view(event)) ++session.views;
    if (const PackedView properties{event.properties}; properties.is_map()) {
        remember(session.products, text_at(properties, "product_id"), late);
        remember(session.categories, text_at(properties, "category"), late);
    }
    if (session.referrer.empty() || session.campaign.empty()) {
        const PackedView context{event.context};
        if (session.referrer.empty()) session.referrer = text_at(context, "referrer");
        if (session.campaign.empty()) {
            const auto campaign = context.find("campaign");
            session.campaign = text_at(campaign, "name");
            if (session.campaign.empty()) session.campaign = text_at(campaign, "source");
        }
    }
}

Event ended_event(Customer& customer, Duration idle) {
    auto& session = customer.session;
    session.end_announced = true;
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("session_id");
    writer.string(session.id);
    writer.key("views");
    writer.integer(session.views);
    writer.key("events");
    writer.integer(session.events);
    writer.key("seconds");
    writer.integer(
        std::chrono::duration_cast<std::chrono::seconds>(session.last_at - session.started_at)
            .count());
    writer.end_map(mark, 4);
    return make_event(customer, "Session Ended", writer.take(), session.last_at + idle,
                      hash(session.id));
}

} // namespace

std::optional<Event> observe_session(Customer& customer, const Event& event,
                                     const Catalog& catalog) {
    const auto activity = activity_of(event);
    if (activity == Activity::none) return std::nullopt;
    auto& session = customer.session;
    const auto idle = catalog.settings().session_idle;
    if (!session.id.empty() && event.time <= session.last_at) {
        if (event.time >= session.started_at)
            count_in(session, event, event.time < session.last_at);
        return std::nullopt;
    }
    // At the very instant at which it would end an event still comes first, and it goes on.
    if (!session.id.empty() && event.time <= session.last_at + idle) {
        session.last_at = event.time;
        count_in(session, event, false);
        return std::nullopt;
    }
    if (activity != Activity::begins) return std::nullopt;
    auto ended = end_session(customer, event.time, catalog);
    session = {};
    session.id = to_hex(hash(customer.id), event.message_hash);
    session.started_at = session.last_at = event.time;
    count_in(session, event, false);
    return ended;
}

std::optional<Event> end_session(Customer& customer, Timestamp at, const Catalog& catalog) {
    const auto& session = customer.session;
    if (session.id.empty() || session.end_announced || !catalog.tracked().session_ended)
        return std::nullopt;
    const auto idle = catalog.settings().session_idle;
    if (at < session.last_at + idle) return std::nullopt;
    auto ended = ended_event(customer, idle);
    observe_made_here(customer, ended, catalog);
    return ended;
}

void unite_sessions(Customer& winner, Customer& loser, Duration idle) {
    if (loser.session.id.empty()) return;
    if (winner.session.id.empty()) {
        winner.session = std::move(loser.session);
        return;
    }
    if (loser.session.last_at > winner.session.last_at) std::swap(winner.session, loser.session);
    auto& session = winner.session;
    const auto& before = loser.session;
    if (before.last_at + idle <= session.started_at) return;
    session.started_at = std::min(session.started_at, before.started_at);
    session.views += before.views;
    session.events += before.events;
    for (const auto& product : before.products) remember(session.products, product, true);
    for (const auto& category : before.categories) remember(session.categories, category, true);
    if (session.referrer.empty()) session.referrer = before.referrer;
    if (session.campaign.empty()) session.campaign = before.campaign;
}

} // namespace journeys
