#include "journeys/engine.hpp"
#include "journeys/engine/turn.hpp"
#include "journeys/feedback.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"
#include "schema/journey_yaml.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace support;
using namespace journeys;
using Lines = std::vector<std::string>;

namespace {

/// Two mails, a day apart; the second one only where the first was opened by a person.
const std::string two_mails = R"(
id: welcome
status: live
enter: { on: [Signed Up], reentry: always }
steps:
  - name: first
    send: { channel: email, template: hello, topic: news }
  - wait: { for: 1d }
  - name: second
    send: { channel: email, template: again, topic: news, when: run.sent.first.opened_at != null }
)";

/// A message held back by quiet hours, for what happens while it waits.
const std::string night_mail = R"(
id: night
status: live
enter: { on: [Signed Up], reentry: always }
steps:
  - name: touch
    send: { channel: email, template: hello, topic: news }
)";

Settings with_email(bool needs_opt_in = false) {
    Settings settings;
    settings.channels.push_back({.name = "email",
                                 .type = "sandbox",
                                 .address = "email",
                                 .needs_opt_in = needs_opt_in,
                                 .deduplicates = true});
    settings.channels.push_back(
        {.name = "sms", .type = "sandbox", .address = "phone", .needs_opt_in = needs_opt_in});
    return settings;
}

Story told(const std::string& journey, Settings settings = with_email()) {
    Story story{{journey}, std::move(settings)};
    story.identify("ada", monday - 1h, R"({"email":"ada@example.com","phone":"+4915112345678"})");
    return story;
}

std::string about(const IntentGranted& grant, std::string_view more = "") {
    return R"({"channel":"email","intent":")" + to_text(grant.id) + '"' + std::string{more} + '}';
}

bool may_mail(const Story& story) {
    return is_reachable(story.customer("user:ada"), "email", "news", with_email());
}

} // namespace

TEST_CASE("what a provider reports stands beside the step that sent", "[feedback]") {
    auto story = told(two_mails);
    story.track("ada", "Signed Up", monday);
    REQUIRE(story.granted.size() == 1);
    const auto& first = story.granted[0];
    story.track("ada", "Email Delivered", monday + 1min, about(first));
    SECTION("opened by the person: the second mail follows") {
        story.track("ada", "Email Opened", monday + 2h, about(first));
        const auto& sent = story.customer("user:ada").runs.at(0).sent.at(0);
        CHECK(sent.delivered_at == monday + 1min);
        CHECK(sent.opened_at == monday + 2h);
        CHECK(sent.clicked_at == Timestamp{});
        story.track("ada", "Email Opened", monday + 3h, about(first));
        CHECK(story.customer("user:ada").runs.at(0).sent.at(0).opened_at == monday + 2h);
        story.until(monday + 25h);
        CHECK(story.granted.size() == 2);
    }
    SECTION("opened by a machine: it does not count") {
        story.track("ada", "Email Opened", monday + 2h, about(first, R"(,"machine":true)"));
        CHECK(story.customer("user:ada").runs.at(0).sent.at(0).opened_at == Timestamp{});
        CHECK(story.customer("user:ada").active_hours.empty());
        story.until(monday + 25h);
        CHECK(story.granted.size() == 1);
    }
    SECTION("of another message: it does not count") {
        story.track("ada", "Email Opened", monday + 2h,
                    R"({"channel":"email","intent":"00000000000000000000000000000001"})");
        story.until(monday + 25h);
        CHECK(story.granted.size() == 1);
    }
}

TEST_CASE("reports can be waited for like any event", "[feedback]") {
    auto story = told(R"(
id: clickers
status: live
enter: { on: [Email Link Clicked], when: event.properties.machine != true, reentry: always }
steps:
  - name: touch
    send: { channel: sms, template: thanks, topic: news }
)");
    story.track("ada", "Email Link Clicked", monday, R"({"machine":true})");
    CHECK(story.granted.empty());
    story.track("ada", "Email Link Clicked", monday + 1h, R"({"machine":false})");
    CHECK(story.granted.size() == 1);
}

TEST_CASE("a no without an address holds for the channel, whatever the person's device is by then",
          "[feedback]") {
    auto settings = with_email();
    settings.channels.push_back(
        {.name = "push", .type = "sandbox", .address = "push_token", .needs_opt_in = false});
    const auto with_token = [](const char* token) {
        return std::string{R"({"email":"ada@example.com","push_token":")"} + token + "\"}";
    };
    Story story{{two_mails}, settings};
    story.identify("ada", monday - 1h, with_token("t1"));
    const auto may_push = [&] {
        auto customer = story.customer("user:ada");
        customer.consents.clear(); // What is asked here is the address alone.
        return is_reachable(customer, "push", "news", settings);
    };
    CHECK(may_push());
    SECTION("said by the person: the next device, too, until they say otherwise") {
        story.track("ada", "Unsubscribed", monday, R"({"channel":"push","stop":true})");
        CHECK_FALSE(may_push());
        story.identify("ada", monday + 1h, with_token("t2"));
        CHECK_FALSE(may_push());
        CHECK(may_mail(story));
        story.track("ada", "Resubscribed", monday + 2h, R"({"channel":"push"})");
        CHECK(may_push());
    }
    SECTION("a bounce: the device of today") {
        story.track("ada", "Email Bounced", monday, R"({"channel":"push","bounce_type":"hard"})");
        CHECK_FALSE(may_push());
        story.identify("ada", monday + 1h, with_token("t2"));
        CHECK(may_push());
    }
    SECTION("before any address is known") {
        story.track("eve", "Email Bounced", monday, R"({"channel":"email","bounce_type":"hard"})");
        story.identify("eve", monday + 1h, R"({"email":"eve@example.com"})");
        CHECK_FALSE(is_reachable(story.customer("user:eve"), "email", "news", settings));
        CHECK(may_mail(story));
    }
}

TEST_CASE("an address that is of no use is not used again, and a new one is", "[feedback]") {
    auto story = told(two_mails);
    story.track("ada", "Signed Up", monday);
    SECTION("a hard bounce") {
        story.track("ada", "Email Bounced", monday + 1min,
                    about(story.granted.at(0), R"(,"bounce_type":"hard")"));
        CHECK_FALSE(may_mail(story));
        story.identify("ada", monday + 1h, R"({"email":"ada@new.example"})");
        CHECK(may_mail(story));
        story.identify("ada", monday + 2h, R"({"email":"Ada@Example.com"})");
        CHECK_FALSE(may_mail(story));
    }
    SECTION("a soft one changes nothing") {
        story.track("ada", "Email Bounced", monday + 1min,
                    about(story.granted.at(0), R"(,"bounce_type":"soft")"));
        CHECK(may_mail(story));
    }
    SECTION("a complaint also withdraws consent, whatever the address") {
        story.track("ada", "Email Marked as Spam", monday + 1min, about(story.granted.at(0)));
        CHECK_FALSE(may_mail(story));
        story.identify("ada", monday + 1h, R"({"email":"ada@new.example"})");
        CHECK_FALSE(may_mail(story));
    }
    SECTION("of an address that is not the customer's any more") {
        story.identify("ada", monday + 1min, R"({"email":"ada@new.example"})");
        const auto settings = with_email();
        const auto old = address_hash(settings.channels[0], "ada@example.com");
        story.track("ada", "Email Bounced", monday + 2min,
                    about(story.granted.at(0), R"(,"bounce_type":"hard","address":)" +
                                                   std::to_string(static_cast<std::int64_t>(old))));
        CHECK(may_mail(story));
        story.identify("ada", monday + 1h, R"({"email":"ada@example.com"})");
        CHECK_FALSE(may_mail(story));
    }
}

TEST_CASE("who unsubscribes keeps what was not named", "[feedback]") {
    auto story = told(two_mails);
    const auto settings = with_email();
    const auto reaches = [&](std::string_view channel, std::string_view topic) {
        return is_reachable(story.customer("user:ada"), channel, topic, settings);
    };
    SECTION("a topic") {
        story.track("ada", "Unsubscribed", monday, R"({"channel":"email","topic":"news"})");
        CHECK_FALSE(reaches("email", "news"));
        CHECK(reaches("email", "cart"));
    }
    SECTION("a channel") {
        story.track("ada", "Unsubscribed", monday, R"({"channel":"email"})");
        CHECK_FALSE(reaches("email", "cart"));
        CHECK(reaches("sms", "news"));
    }
    SECTION("as a producer passes it on: mail") {
        story.track("ada", "Unsubscribed", monday, R"({"list_id":"newsletter"})");
        CHECK_FALSE(reaches("email", "news"));
        CHECK(reaches("sms", "news"));
    }
    SECTION("STOP, and START again") {
        story.track("ada", "Unsubscribed", monday, R"({"channel":"sms","stop":true})");
        CHECK_FALSE(reaches("sms", "news"));
        story.track("ada", "Resubscribed", monday + 1h, R"({"channel":"sms","stop":true})");
        CHECK(reaches("sms", "news"));
    }
    SECTION("START lifts no suppression of before that has no reason") {
        story.track("ada", "Unsubscribed", monday,
                    R"({"channel":"sms","stop":true,"reason":"import"})");
        story.track("ada", "Resubscribed", monday + 1h, R"({"channel":"sms","stop":true})");
        CHECK_FALSE(reaches("sms", "news"));
    }
    SECTION("START does not bring back a dead number") {
        story.track("ada", "SMS Bounced", monday, R"({"channel":"sms","bounce_type":"hard"})");
        story.track("ada", "Resubscribed", monday + 1h, R"({"channel":"sms","stop":true})");
        CHECK_FALSE(reaches("sms", "news"));
    }
}

TEST_CASE("what waits is taken back the moment it may not be sent any more", "[feedback]") {
    auto settings = with_email();
    settings.quiet_hours.push_back({{}, std::chrono::minutes{0}, std::chrono::hours{12}});
    auto story = told(night_mail, settings);
    story.track("ada", "Signed Up", monday); // 10:00; may be sent from 12:00 on.
    story.happened();
    SECTION("by STOP") {
        story.track("ada", "Unsubscribed", monday + 1min, R"({"channel":"email","stop":true})");
        CHECK(story.happened() ==
              Lines{"suppress night/touch consent", "end night/touch completed"});
    }
    SECTION("by a trait") {
        story.identify("ada", monday + 1min, R"({"marketing_consent":{"email":false}})");
        CHECK(story.happened() ==
              Lines{"suppress night/touch consent", "end night/touch completed"});
    }
    SECTION("by a bounce") {
        story.track("ada", "Email Bounced", monday + 1min, R"({"bounce_type":"hard"})");
        CHECK(story.happened() ==
              Lines{"suppress night/touch suppressed", "end night/touch completed"});
    }
    SECTION("and by nothing else") {
        story.identify("ada", monday + 1min, R"({"marketing_consent":{"sms":false}})");
        story.until(monday + 3h);
        CHECK(story.happened() == Lines{"send night/touch", "end night/touch completed"});
    }
    CHECK(story.granted.size() <= 1);
}

TEST_CASE("a grant is revoked by a withdrawal, and the channel says what became of it",
          "[feedback]") {
    auto loaded = schema::load_journey("test.yaml", night_mail, {});
    REQUIRE(loaded.journey);
    const Catalog catalog{1, with_email(), {loaded.journey}};
    Customer ada{.id = {IdNamespace::user, "ada"}};
    std::uint64_t offset = 0;
    std::vector<std::string> told;
    const auto happens = [&](auto body) {
        Effects effects;
        Record record;
        record.offset = ++offset;
        record.accepted_at = monday + 1min * static_cast<int>(offset);
        record.customer = ada.id;
        record.body = std::move(body);
        apply(ada, record, catalog, effects);
        for (const auto& effect : effects)
            if (const auto* line = std::get_if<TimelineEntry>(&effect);
                line && (line->kind == EntryKind::suppress || line->kind == EntryKind::end ||
                         line->kind == EntryKind::settle))
                told.push_back(std::string{to_text(line->kind)} + ' ' + line->reason);
        return effects;
    };
    const auto event =
        [&](std::string name,
            std::initializer_list<std::pair<std::string_view, std::string_view>> properties) {
            auto made = make_event(ada, std::move(name), engine::packed_texts(properties),
                                   monday + 1min * static_cast<int>(offset + 1), offset);
            return made;
        };
    auto identify = event("Identify", {});
    identify.type = EventType::identify;
    identify.traits = engine::packed_texts({{"email", "ada@example.com"}});
    happens(identify);
    happens(event("Signed Up", {}));
    REQUIRE(ada.runs.size() == 1);
    const auto intent = ada.runs[0].intent;
    Effects effects;
    REQUIRE(hand_over(ada, intent, ada.now, catalog, effects).verdict == HandOver::Verdict::grant);
    REQUIRE(is_granted(ada, intent));

    SECTION("not written: nothing was sent, and the caps have it back") {
        happens(event("Unsubscribed", {{"channel", "email"}}));
        CHECK_FALSE(is_granted(ada, intent));
        CHECK(told.empty());
        happens(Settled{intent, IntentState::recalled, "revoked"});
        CHECK(told == Lines{"suppress consent", "end completed"});
        CHECK(ada.sends.empty());
    }
    SECTION("written a moment before: it was sent") {
        happens(event("Unsubscribed", {{"channel", "email"}}));
        happens(Settled{intent, IntentState::accepted, ""});
        CHECK(told == Lines{"end completed"});
        CHECK(ada.sends.size() == 1);
    }
    SECTION("a report settles what nobody knew") {
        happens(event("Email Delivered", {{"channel", "email"}, {"intent", to_text(intent)}}));
        CHECK(told == Lines{"end completed"});
        happens(Settled{intent, IntentState::unknown, "time-out"}); // Of the channel, too late.
        CHECK(told == Lines{"end completed"});
        CHECK(ada.sends.size() == 1);
    }
    SECTION("a report that it was given up gives back what was spent") {
        happens(event("Email Failed", {{"channel", "email"}, {"intent", to_text(intent)}}));
        CHECK(told == Lines{"suppress provider_rejected", "end completed"});
        CHECK(ada.sends.empty());
    }
}

TEST_CASE("a message at the best hour waits for it, and leaves in any case", "[best_hour]") {
    const std::string journey = R"(
id: news
status: live
enter: { on: [Signed Up], reentry: always }
steps:
  - name: touch
    send: { channel: email, template: hello, topic: news, at: best_hour, expires: 2d }
)";
    auto settings = with_email();
    SECTION("the population's hour for who is new") {
        settings.active_hours.assign(24, 1);
        settings.active_hours[20] = 9;
        auto story = told(journey, settings);
        story.track("ada", "Signed Up", monday); // 10:00
        CHECK(story.happened(EntryKind::defer) == Lines{"defer news/touch best_hour"});
        CHECK(story.granted.empty());
        story.until(monday + 11h);
        REQUIRE(story.granted.size() == 1);
        CHECK(story.granted[0].at >= monday + 10h);
        CHECK(story.granted[0].at < monday + 10h + 30min);
    }
    SECTION("one's own, learned from what was opened") {
        auto story = told(journey, settings);
        for (int day = 1; day <= 3; ++day)
            story.track("ada", "Email Opened", monday - 24h * day + 6h, R"({"channel":"email"})");
        story.track("ada", "Email Opened", monday - 1h, R"({"channel":"email","machine":true})");
        story.track("ada", "Signed Up", monday);
        story.until(monday + 7h);
        REQUIRE(story.granted.size() == 1);
        CHECK(story.granted[0].at >= monday + 6h);
    }
    SECTION("nothing is known: at once") {
        auto story = told(journey, settings);
        story.track("ada", "Signed Up", monday);
        CHECK(story.granted.size() == 1);
    }
}

TEST_CASE("a double opt-in counts once it is confirmed", "[consent]") {
    auto settings = with_email(true);
    settings.channels[0].needs_confirmation = true;
    auto story = told(two_mails, settings);
    const auto reaches = [&] {
        return is_reachable(story.customer("user:ada"), "email", "news", settings);
    };
    story.identify("ada", monday, R"({"marketing_consent":{"email":{"state":"subscribed",
        "source":"form","text_version":"2026-05"}}})");
    CHECK_FALSE(reaches());
    CHECK(story.customer("user:ada").consents.at(0).state == ConsentState::pending);
    CHECK(story.customer("user:ada").consents.at(0).text_version == "2026-05");
    SECTION("saying it again is no confirmation") {
        story.identify("ada", monday + 1h, R"({"marketing_consent":{"email":true}})");
        CHECK_FALSE(reaches());
    }
    SECTION("the confirmation") {
        story.identify(
            "ada", monday + 1h,
            R"({"marketing_consent":{"email":{"state":"subscribed","confirmed":true}}})");
        CHECK(reaches());
        story.identify("ada", monday + 2h, R"({"marketing_consent":{"email":true}})");
        CHECK(reaches());
    }
    SECTION("Shopify's word for it") {
        story.identify("ada", monday + 1h, R"({"marketing_consent":{"email":{"state":"subscribed",
            "opt_in_level":"confirmed_opt_in"}}})");
        CHECK(reaches());
    }
}

TEST_CASE("what is asked for follows the customer's country", "[consent]") {
    auto settings = with_email(true);
    auto& email = settings.channels[0];
    email.by_country.push_back({{"US", "CA"}, false, std::nullopt});
    email.by_country.push_back({{"DE"}, std::nullopt, true});
    Customer customer{.id = {IdNamespace::user, "ada"}};
    CHECK(needs_opt_in(customer, email));
    CHECK_FALSE(needs_confirmation(customer, email));
    customer.country = "us";
    CHECK_FALSE(needs_opt_in(customer, email));
    customer.country = "DE";
    CHECK(needs_opt_in(customer, email));
    CHECK(needs_confirmation(customer, email));
    customer.country = "FR";
    CHECK(needs_opt_in(customer, email));
}
