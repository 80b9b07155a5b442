/// Consent × quiet hours × caps × holdout × topic × purpose × zone, on both nights on which clocks
/// are changed, through the engine: an event in, and what became of the message out. What is
/// expected is said here again, as plainly as it can be.
#include "journeys/engine.hpp"
#include "journeys/engine/turn.hpp"
#include "journeys/local_time.hpp"
#include "journeys/profile.hpp"

#include <catch2/catch.hpp>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

struct Case {
    ConsentState consent = ConsentState::never;
    OnQuietHours on_quiet = OnQuietHours::defer;
    OnCap on_cap = OnCap::drop;
    bool cap_is_full = false, is_above = false, held_out = false, of_topic = true;
    Purpose purpose = Purpose::marketing;
    std::string zone;
    Timestamp at{};
};

/// What the person is told, by the words of the language: the first that applies.
std::string expected(const Case& one) {
    const bool is_marketing = one.purpose == Purpose::marketing;
    if (is_marketing && one.consent != ConsentState::subscribed) return "suppress consent";
    const auto local = to_local(one.zone, one.at).minutes;
    if ((local >= 21h || local < 8h) && one.on_quiet != OnQuietHours::ignore)
        return one.on_quiet == OnQuietHours::drop ? "suppress quiet_hours" : "defer quiet_hours";
    const bool is_capped = is_marketing && one.cap_is_full && one.of_topic && !one.is_above &&
                           one.on_cap != OnCap::ignore;
    if (is_capped) return one.on_cap == OnCap::drop ? "suppress capped" : "defer capped";
    return one.held_out ? "suppress holdout" : "send";
}

std::string happens(const Case& one) {
    auto journey = std::make_shared<Journey>();
    journey->id = "j";
    journey->version = 1;
    journey->status = Status::live;
    journey->priority = one.is_above ? 90 : 50;
    journey->holdout = one.held_out ? 1 : 0;
    journey->enter.on = {"Signed Up"};
    Send send;
    send.channel = "email";
    send.template_name = "hello";
    send.topic = one.of_topic ? "cart" : "news";
    send.purpose = one.purpose;
    send.quiet_hours = one.on_quiet;
    send.capped = one.on_cap;
    send.expires = 72h;
    Step step;
    step.path = "touch";
    step.action = send;
    journey->steps.push_back(std::move(step));
    journey->first = 0;

    Settings settings;
    settings.channels.push_back({.name = "email", .type = "sandbox", .address = "email"});
    settings.quiet_hours.push_back({{}, 21h, 8h});
    settings.caps.push_back({.topic = "cart", .messages = 1, .per = 24h, .above = 80});
    const Catalog catalog{1, settings, {journey}};

    Customer ada{.id = {IdNamespace::user, "ada"}};
    ada.timezone = one.zone;
    ada.traits = engine::packed_texts({{"email", "ada@example.com"}});
    ada.consents.push_back({"email", send.topic, one.consent, one.at - 24h, "form"});
    if (one.cap_is_full) ada.sends.push_back({one.at - 1h, "email", "cart", {9, 9}, true});
    Record record;
    record.offset = 1;
    record.accepted_at = one.at;
    record.customer = ada.id;
    record.body = make_event(ada, "Signed Up", {}, one.at, 1);
    Effects effects;
    apply(ada, record, catalog, effects);
    if (!ada.runs.empty() && ada.runs[0].sending == Sending::pending)
        hand_over(ada, ada.runs[0].intent, one.at, catalog, effects);
    for (const auto& effect : effects) {
        const auto* line = std::get_if<TimelineEntry>(&effect);
        if (!line) continue;
        if (line->kind == EntryKind::send) return "send";
        if (line->kind == EntryKind::suppress) return "suppress " + line->reason;
        if (line->kind != EntryKind::defer) continue;
        // Until the night is over in the person's own zone, or the window has room again.
        const auto until = to_local(one.zone, line->until).minutes;
        if (line->reason == "quiet_hours") {
            CHECK(line->until > one.at);
            CHECK(line->until - one.at <= 12h + 15min);
            CHECK(until >= 8h);
            CHECK(until <= 8h + 15min);
        } else {
            CHECK(line->until == one.at + 23h);
        }
        return "defer " + line->reason;
    }
    return "nothing";
}

} // namespace

TEST_CASE("whatever the consent, the hour, the caps, the arm, the topic, the purpose and the zone",
          "[policy]") {
    int told = 0;
    std::map<std::string, int> outcomes;
    // The nights on which clocks go forward and back in Europe, those of America, and those of Lord
    // Howe, by half an hour.
    for (const auto* night :
         {"2026-03-28T18:00:00Z", "2026-10-24T18:00:00Z", "2026-03-07T18:00:00Z",
          "2026-10-31T18:00:00Z", "2026-04-04T06:00:00Z", "2026-10-03T06:00:00Z"})
        for (const auto* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"})
            for (int half_hours = 0; half_hours < 48; half_hours += 3)
                for (const auto consent : {ConsentState::never, ConsentState::subscribed,
                                           ConsentState::unsubscribed, ConsentState::pending})
                    for (const auto purpose : {Purpose::marketing, Purpose::transactional})
                        for (const auto on_quiet :
                             {OnQuietHours::defer, OnQuietHours::ignore, OnQuietHours::drop})
                            for (const auto on_cap : {OnCap::drop, OnCap::defer, OnCap::ignore})
                                for (int bits = 0; bits < 16; ++bits) {
                                    // Not all of the product: every fifth case, by a fixed rule.
                                    if (++told % 5 != 0) continue;
                                    Case one;
                                    one.consent = consent;
                                    one.purpose = purpose;
                                    one.on_quiet = on_quiet;
                                    one.on_cap = on_cap;
                                    one.cap_is_full = (bits & 1) != 0;
                                    one.is_above = (bits & 2) != 0;
                                    one.held_out = (bits & 4) != 0;
                                    one.of_topic = (bits & 8) != 0;
                                    one.zone = zone;
                                    one.at = *parse_timestamp(night) + 30min * half_hours;
                                    const auto found = happens(one);
                                    ++outcomes[found];
                                    if (found == expected(one)) continue;
                                    CAPTURE(night, zone, half_hours, bits);
                                    REQUIRE(found == expected(one));
                                }
    // Every outcome was met, so the table is not about one of them only.
    CHECK(outcomes.size() == 7);
    for (const auto& [outcome, count] : outcomes) {
        CAPTURE(outcome);
        CHECK(count > 50);
    }
}
