#include "journeys/country_zones.hpp"
#include "journeys/local_time.hpp"
#include "journeys/packed.hpp"
#include "journeys/policy.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <random>
#include <set>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

Timestamp at(std::string_view text) {
    const auto parsed = parse_timestamp(text);
    REQUIRE(parsed);
    return *parsed;
}

const auto noon = *parse_timestamp("2026-06-01T12:00:00Z");
constexpr IntentId intent{1, 2};
constexpr auto never = ConsentState::never;
constexpr auto yes = ConsentState::subscribed;
constexpr auto no = ConsentState::unsubscribed;

std::string traits(std::vector<std::pair<std::string, std::string>> pairs) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    for (const auto& [key, value] : pairs) {
        writer.key(key);
        writer.string(value);
    }
    writer.end_map(mark, pairs.size());
    return writer.take();
}

Settings with_email() {
    Settings settings;
    ChannelRules email;
    email.name = "email";
    email.address = "email";
    settings.channels.push_back(email);
    ChannelRules sms;
    sms.name = "sms";
    sms.address = "phone";
    settings.channels.push_back(sms);
    ChannelRules webhook;
    webhook.name = "webhook";
    webhook.needs_opt_in = false;
    settings.channels.push_back(webhook);
    return settings;
}

Customer ada() {
    Customer customer;
    customer.id = {IdNamespace::user, "ada"};
    customer.traits = traits({{"email", "ada@example.com"}, {"phone", "+49 170 123-45.67"}});
    customer.consents.push_back({"email", "", ConsentState::subscribed, {}, "identify"});
    return customer;
}

Send mail() {
    Send send;
    send.channel = "email";
    send.topic = "cart";
    return send;
}

std::string said(const Permission& permission) {
    if (std::holds_alternative<Allowed>(permission)) return "allowed";
    if (const auto* denied = std::get_if<Suppressed>(&permission))
        return std::string{to_text(denied->reason)};
    return "deferred " + std::string{to_text(std::get<Deferred>(permission).reason)};
}

void consent(Customer& customer, std::string topic, ConsentState state) {
    customer.consents.push_back({"email", std::move(topic), state, {}, "test"});
}

/// The quiet hours' end without its jitter, which is checked on the way: 0 to 15 min, of any 64
/// intents.
std::optional<Timestamp> quiet_end(const Customer& customer, Timestamp when,
                                   const Settings& settings) {
    std::optional<Timestamp> first;
    for (std::uint64_t i = 0; i < 64; ++i) {
        const auto until = quiet_until(customer, "email", when, settings, {i, ~i});
        REQUIRE(until == quiet_until(customer, "email", when, settings, {i, ~i}));
        if (!until) {
            REQUIRE(!first);
            continue;
        }
        if (!first || *until < *first) first = until;
    }
    if (!first) return std::nullopt;
    // The first of 64 is in the first minutes; the hours of these tests end on the half hour.
    const auto end = std::chrono::floor<std::chrono::minutes>(*first);
    const auto half_hours =
        std::chrono::duration_cast<std::chrono::minutes>(end.time_since_epoch()) / 30min;
    const Timestamp rounded{30min * half_hours};
    REQUIRE(*first - rounded < 3min);
    for (std::uint64_t i = 0; i < 64; ++i) {
        const auto until = quiet_until(customer, "email", when, settings, {i, ~i});
        REQUIRE(*until >= rounded);
        REQUIRE(*until <= rounded + 15min);
        REQUIRE(*until > when);
    }
    return rounded;
}

Settings quiet(std::chrono::minutes from, std::chrono::minutes to) {
    auto settings = with_email();
    settings.quiet_hours.push_back({{}, from, to});
    return settings;
}

SendMark sent(Timestamp when, std::string channel, std::string topic, bool capped = true) {
    return {when, std::move(channel), std::move(topic), {}, capped};
}

} // namespace

TEST_CASE("the topic's own consent counts, else the channel's, and the stricter of both",
          "[policy]") {
    const auto [of_topic, of_channel, expected] =
        GENERATE(table<ConsentState, ConsentState, ConsentState>({
            {never, never, never},
            {never, yes, yes},
            {never, no, no},
            {yes, never, yes},
            {yes, yes, yes},
            {yes, no, no},
            {no, never, no},
            {no, yes, no},
            {no, no, no},
        }));
    Customer customer;
    consent(customer, "", of_channel);
    consent(customer, "cart", of_topic);
    consent(customer, "other", ConsentState::unsubscribed);
    CHECK(consent_of(customer, "email", "cart") == expected);
    CHECK(consent_of(customer, "email", "") == of_channel);
    CHECK(consent_of(customer, "email", "unheard-of") == of_channel);
    CHECK(consent_of(customer, "sms", "cart") == never);
}

TEST_CASE("what is said of the other topics counts where neither topic nor channel has a word",
          "[policy]") {
    auto settings = with_email();
    settings.channels[0].needs_opt_in = false;
    auto customer = ada();
    customer.consents.clear();
    consent(customer, std::string{other_topics}, no);
    consent(customer, "", never);
    consent(customer, "cart", yes);
    CHECK(is_reachable(customer, "email", "cart", settings));
    CHECK_FALSE(is_reachable(customer, "email", "made-later", settings));
    CHECK_FALSE(is_reachable(customer, "email", "", settings));
    customer.consents.clear();
    consent(customer, std::string{other_topics}, no);
    consent(customer, "", yes);
    CHECK(is_reachable(customer, "email", "made-later", settings));
}

TEST_CASE("consent is asked by channel, and not by transactional messages", "[policy]") {
    const auto state =
        GENERATE(ConsentState::never, ConsentState::subscribed, ConsentState::unsubscribed);
    const auto needs_opt_in = GENERATE(true, false);
    const auto purpose = GENERATE(Purpose::marketing, Purpose::transactional);
    auto settings = with_email();
    settings.channels[0].needs_opt_in = needs_opt_in;
    auto customer = ada();
    customer.consents.clear();
    consent(customer, "cart", state);
    auto send = mail();
    send.purpose = purpose;

    const bool enough =
        state == ConsentState::subscribed || (state == ConsentState::never && !needs_opt_in);
    CHECK(is_reachable(customer, "email", "cart", settings) == enough);
    const bool allowed = enough || purpose == Purpose::transactional;
    CHECK(has_consent(customer, send, settings.channels[0]) == allowed);
    CHECK(said(permission(customer, send, intent, noon, settings)) ==
          (allowed ? "allowed" : "consent"));
}

TEST_CASE("an address is used only if it looks like one", "[policy]") {
    const auto settings = with_email();
    SECTION("e-mail") {
        const auto [text, good] = GENERATE(table<std::string, bool>({
            {"ada@example.com", true},
            {"a@b", true},
            {"ä@exämple.de", true},
            {"a+b.c@x.y", true},
            {"", false},
            {"ada", false},
            {"@example.com", false},
            {"ada@", false},
            {"a@b@c", false},
            {"a da@example.com", false},
            {"ada@x.com\n", false},
            {"ada@x.com\r\nBcc: b@c", false},
            {"a\tb@x.com", false},
            {"a@x.com,b", false},
            {"<ada>@x.com", false},
            {std::string("a\0b@x.com", 9), false},
            {std::string(250, 'a') + "@b.c", true},
            {std::string(251, 'a') + "@b.c", false},
        }));
        CAPTURE(text);
        Customer customer;
        customer.traits = traits({{"email", text}});
        CHECK(address_of(customer, settings.channels[0]) == (good ? text : ""));
    }
    SECTION("phone") {
        const auto [text, expected] = GENERATE(table<std::string, std::string>({
            {"+491701234567", "+491701234567"},
            {"+49 170 / 123-45.67", "+491701234567"},
            {"+1 (212) 555-0100", "+12125550100"},
            {"+1234567", "+1234567"},
            {"+123456789012345", "+123456789012345"},
            {"+123456", ""},
            {"+1234567890123456", ""},
            {"01701234567", ""},
            {"00491701234567", ""},
            {"+0491701234", ""},
            {"+49 (0)170 1234567", ""},
            {"+49+1701234567", ""},
            {"+49170123456x", ""},
            {"", ""},
            {"+", ""},
            {"+49170123456\n", ""},
            {"+1" + std::string(80, '-') + "234567", ""},
        }));
        CAPTURE(text);
        Customer customer;
        customer.traits = traits({{"phone", text}});
        CHECK(address_of(customer, settings.channels[1]) == expected);
    }
    SECTION("a trait that is no text, or is not there, is none") {
        Customer customer;
        CHECK(address_of(customer, settings.channels[0]).empty());
        PackedWriter writer;
        const auto mark = writer.begin_map();
        writer.key("email");
        writer.integer(5);
        writer.end_map(mark, 1);
        customer.traits = writer.take();
        CHECK(address_of(customer, settings.channels[0]).empty());
    }
    SECTION("one of another kind is as it stands, up to what the storage can look up") {
        const ChannelRules push{.name = "push", .type = {}, .address = "push_token"};
        const std::string longest(bounds::address_bytes, 'x');
        CHECK(normal_address(push, longest) == longest);
        CHECK(normal_address(push, longest + 'x').empty());
        CHECK(normal_address(push, "a b").empty());
    }
    SECTION("a channel that needs none asks for none") {
        CHECK(address_of(ada(), settings.channels[2]).empty());
        CHECK(is_reachable(Customer{}, "webhook", "", settings));
    }
}

TEST_CASE("reasons are named in their order", "[policy]") {
    auto settings = quiet(0min, 23h + 59min);
    settings.caps.push_back({"", "", 1, 24h});
    auto customer = ada();
    customer.consents.clear();
    customer.traits.clear();
    customer.suppressions.push_back({.channel = "email"});
    customer.sends.push_back(sent(noon - 1h, "email", "cart"));
    auto send = mail();
    send.quiet_hours = OnQuietHours::drop;

    const auto reason = [&] { return said(permission(customer, send, intent, noon, settings)); };
    CHECK(reason() == "consent");
    consent(customer, "cart", ConsentState::subscribed);
    CHECK(reason() == "no_address");
    customer.traits = ada().traits;
    CHECK(reason() == "suppressed");
    customer.suppressions = {{.channel = "sms"}};
    CHECK(reason() == "quiet_hours");
    send.quiet_hours = OnQuietHours::defer;
    CHECK(reason() == "deferred quiet_hours");
    send.quiet_hours = OnQuietHours::ignore;
    CHECK(reason() == "capped");
    send.capped = OnCap::defer;
    CHECK(reason() == "deferred capped");
    send.capped = OnCap::ignore;
    CHECK(reason() == "allowed");
}

TEST_CASE("calls, and simulations without settings, need no permission", "[policy]") {
    auto settings = quiet(0min, 23h + 59min);
    auto send = mail();
    CHECK(said(permission({}, send, intent, noon, settings)) == "consent");
    send.is_call = true;
    CHECK(said(permission({}, send, intent, noon, settings)) == "allowed");
    send.is_call = false;
    settings.assume_permission = true;
    CHECK(said(permission({}, send, intent, noon, settings)) == "allowed");
    CHECK(is_reachable({}, "unheard-of", "", settings));
}

TEST_CASE("a channel that is gone from the settings sends nothing", "[policy]") {
    auto send = mail();
    send.channel = "pigeon";
    CHECK(said(permission(ada(), send, intent, noon, with_email())) == "error");
    CHECK_FALSE(is_reachable(ada(), "pigeon", "", with_email()));
}

TEST_CASE("suppression holds for transactional messages, caps do not", "[policy]") {
    auto settings = quiet(0min, 23h + 59min);
    settings.caps.push_back({"", "", 0, 24h});
    auto customer = ada();
    auto send = mail();
    send.purpose = Purpose::transactional;
    CHECK(said(permission(customer, send, intent, noon, settings)) == "deferred quiet_hours");
    send.quiet_hours = OnQuietHours::ignore;
    CHECK(said(permission(customer, send, intent, noon, settings)) == "allowed");
    customer.suppressions.push_back({.channel = "email"});
    CHECK(said(permission(customer, send, intent, noon, settings)) == "suppressed");
}

TEST_CASE("the day is the customer's own, else the workspace's", "[policy]") {
    Settings settings;
    settings.timezone = "America/New_York";
    Customer customer;
    CHECK(zone_of(customer, settings) == "America/New_York");
    customer.timezone = "Mars/Olympus";
    CHECK(zone_of(customer, settings) == "America/New_York");
    // Of who tells no zone, that of their country, where it has one time.
    customer.country = "DE";
    CHECK(zone_of(customer, settings) == "Europe/Berlin");
    customer.country = "at";
    CHECK(zone_of(customer, settings) == "Europe/Vienna");
    for (const auto* other : {"US", "ES", "AA", "Germany", "D", ""}) {
        customer.country = other;
        CAPTURE(other);
        CHECK(zone_of(customer, settings) == "America/New_York");
    }
    customer.country = "DE";
    customer.timezone = "Asia/Tokyo";
    CHECK(zone_of(customer, settings) == "Asia/Tokyo");
}

TEST_CASE("every country's zone is one that is known, found by its code in either case",
          "[policy]") {
    int found = 0;
    for (char first = 'A'; first <= 'Z'; ++first)
        for (char second = 'A'; second <= 'Z'; ++second) {
            const std::string code{first, second};
            const std::string lower{static_cast<char>(first + 32), static_cast<char>(second + 32)};
            const auto zone = zone_of_country(code);
            CHECK(zone == zone_of_country(lower));
            if (zone.empty()) continue;
            CAPTURE(code, zone);
            CHECK(is_known_zone(zone));
            ++found;
        }
    CHECK(found == 217);
}

TEST_CASE("quiet hours hold from their first instant until just before their last",
          "[policy][quiet]") {
    struct Case {
        const char* zone;
        std::chrono::minutes from, to;
        const char *first, *end; // UTC
    };
    const auto c = GENERATE(values<Case>({
        {"UTC", 21h, 8h, "2026-06-01T21:00:00Z", "2026-06-02T08:00:00Z"},
        {"Europe/Berlin", 21h, 8h, "2026-06-01T19:00:00Z", "2026-06-02T06:00:00Z"},
        {"Europe/Berlin", 12h, 14h, "2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z"},
        {"Europe/Berlin", 0h, 8h, "2026-05-31T22:00:00Z", "2026-06-01T06:00:00Z"},
        {"Asia/Kathmandu", 22h, 7h + 15min, "2026-06-01T16:15:00Z", "2026-06-02T01:30:00Z"},
        // The short nights, and those in which `to` or `from` does not exist.
        {"Europe/Berlin", 21h, 8h, "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z"},
        {"Europe/Berlin", 21h, 2h + 30min, "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", 2h + 30min, 8h, "2026-03-29T01:00:00Z", "2026-03-29T06:00:00Z"},
        {"America/New_York", 21h, 8h, "2026-03-08T02:00:00Z", "2026-03-08T12:00:00Z"},
        {"America/New_York", 21h, 2h + 30min, "2026-03-08T02:00:00Z", "2026-03-08T07:00:00Z"},
        {"Australia/Lord_Howe", 21h, 8h, "2026-10-03T10:30:00Z", "2026-10-03T21:00:00Z"},
        {"Australia/Lord_Howe", 21h, 2h + 15min, "2026-10-03T10:30:00Z", "2026-10-03T15:30:00Z"},
        // The long nights, and those in which `to` or `from` comes twice: the first counts.
        {"Europe/Berlin", 21h, 8h, "2026-10-24T19:00:00Z", "2026-10-25T07:00:00Z"},
        {"Europe/Berlin", 21h, 2h + 30min, "2026-10-24T19:00:00Z", "2026-10-25T00:30:00Z"},
        {"Europe/Berlin", 2h + 30min, 8h, "2026-10-25T00:30:00Z", "2026-10-25T07:00:00Z"},
        {"America/New_York", 21h, 8h, "2026-11-01T01:00:00Z", "2026-11-01T13:00:00Z"},
        {"America/New_York", 21h, 1h + 30min, "2026-11-01T01:00:00Z", "2026-11-01T05:30:00Z"},
        {"Australia/Lord_Howe", 21h, 8h, "2026-04-04T10:00:00Z", "2026-04-04T21:30:00Z"},
        {"Australia/Lord_Howe", 21h, 1h + 30min, "2026-04-04T10:00:00Z", "2026-04-04T14:30:00Z"},
    }));
    CAPTURE(c.zone, c.first, c.end);
    const auto settings = quiet(c.from, c.to);
    auto customer = ada();
    customer.timezone = c.zone;
    const auto first = at(c.first), end = at(c.end);
    CHECK_FALSE(quiet_end(customer, first - 1ms, settings));
    CHECK(quiet_end(customer, first, settings) == end);
    CHECK(quiet_end(customer, first + (end - first) / 2, settings) == end);
    CHECK(quiet_end(customer, end - 1ms, settings) == end);
    CHECK_FALSE(quiet_end(customer, end, settings));
}

TEST_CASE("quiet hours of other channels, and empty ones, do not hold", "[policy][quiet]") {
    auto settings = quiet(0h, 23h);
    settings.quiet_hours[0].channels = {"sms", "push"};
    CHECK_FALSE(quiet_until(ada(), "email", noon, settings, intent));
    CHECK(quiet_until(ada(), "push", noon, settings, intent));
    CHECK_FALSE(quiet_until(ada(), "email", noon, quiet(12h, 12h), intent));
    CHECK_FALSE(quiet_until(ada(), "email", noon, with_email(), intent));
}

TEST_CASE("quiet hours that follow each other are waited out together", "[policy][quiet]") {
    auto settings = quiet(21h, 8h);
    settings.quiet_hours.push_back({{}, 7h, 9h});
    settings.quiet_hours.push_back({{}, 9h, 10h});
    CHECK(quiet_end(ada(), at("2026-06-01T22:00:00Z"), settings) == at("2026-06-02T10:00:00Z"));

    SECTION("and the jitter never leads into others") {
        settings.quiet_hours.push_back({{}, 10h + 5min, 11h});
        for (std::uint64_t i = 0; i < 100; ++i) {
            const auto until =
                quiet_until(ada(), "email", at("2026-06-01T22:00:00Z"), settings, {i, i});
            REQUIRE(until);
            CHECK(*until >= at("2026-06-02T10:00:00Z"));
            CHECK(*until < at("2026-06-02T10:05:00Z"));
        }
    }
    SECTION("and rules that cover all day and night end the search") {
        auto always = quiet(0h, 12h);
        always.quiet_hours.push_back({{}, 12h, 0h});
        CHECK(quiet_until(ada(), "email", noon, always, intent));
    }
}

TEST_CASE("the jitter spreads people and stays the same for one", "[policy][quiet]") {
    const auto settings = quiet(21h, 8h);
    const auto night = at("2026-06-01T22:00:00Z");
    std::set<Timestamp> instants;
    for (int i = 0; i < 100; ++i) {
        auto customer = ada();
        customer.id.value = "u-" + std::to_string(i);
        const auto until = quiet_until(customer, "email", night, settings, intent);
        CHECK(until == quiet_until(customer, "email", night + 3h, settings, intent));
        instants.insert(*until);
    }
    CHECK(instants.size() > 95);
}

TEST_CASE("how far people are spread is a setting of the quiet hours", "[policy][quiet]") {
    const auto night = at("2026-06-01T22:00:00Z"), end = at("2026-06-02T08:00:00Z");
    const auto furthest = [&](const Settings& settings) {
        Timestamp latest{};
        for (std::uint64_t i = 0; i < 200; ++i) {
            const auto until = quiet_until(ada(), "email", night, settings, {i, ~i});
            REQUIRE(until);
            CHECK(*until >= end);
            latest = std::max(latest, *until);
        }
        return latest - end;
    };
    auto settings = quiet(21h, 8h);
    auto& jitter = settings.quiet_hours[0].jitter;
    jitter = 0ms;
    CHECK(furthest(settings) == 0ms);
    jitter = 2h;
    CHECK(furthest(settings) > 110min);
    CHECK(furthest(settings) <= 2h);
    SECTION("of two that end together the one that spreads more counts") {
        settings.quiet_hours.push_back({{}, 22h, 8h, 1min});
        CHECK(furthest(settings) > 110min);
        settings.quiet_hours[0].jitter = 0ms;
        CHECK(furthest(settings) > 50s);
        CHECK(furthest(settings) <= 1min);
    }
}

TEST_CASE("a cap is full at its last message and free again to the millisecond", "[policy][caps]") {
    auto settings = with_email();
    settings.caps.push_back({"email", "", 3, 24h * 7});
    auto customer = ada();
    const auto until = [&](Timestamp when) {
        return capped_until(customer, "email", "cart", when, settings);
    };
    customer.sends = {sent(noon - 24h * 6, "email", "news"), sent(noon - 24h, "email", "cart")};
    CHECK_FALSE(until(noon));
    customer.sends.push_back(sent(noon - 1h, "email", "welcome"));
    const auto free_at = noon - 24h * 6 + 24h * 7;
    CHECK(until(noon) == free_at);
    CHECK(until(free_at - 1ms) == free_at);
    CHECK_FALSE(until(free_at));

    SECTION("with more than it allows, it waits for the one that makes room") {
        customer.sends.push_back(sent(noon, "email", "cart"));
        CHECK(until(noon) == noon - 24h + 24h * 7);
    }
    SECTION("in whatever order the marks stand") {
        std::swap(customer.sends[0], customer.sends[2]);
        CHECK(until(noon) == free_at);
    }
}

TEST_CASE("a cap counts its channel and its topic, and never transactional messages",
          "[policy][caps]") {
    const auto [cap_channel, cap_topic, channel, topic, expected] =
        GENERATE(table<std::string, std::string, std::string, std::string, bool>({
            // What was sent: one e-mail about carts, a transactional one, and an SMS about news.
            {"", "", "email", "cart", true},
            {"", "", "push", "other", true},
            {"email", "", "email", "news", true},
            {"email", "", "sms", "cart", false},
            {"", "cart", "sms", "cart", true},
            {"", "cart", "email", "news", false},
            {"email", "cart", "email", "cart", true},
            {"email", "news", "email", "news", false},
            {"sms", "news", "sms", "news", true},
            {"email", "receipt", "email", "receipt", false},
        }));
    CAPTURE(cap_channel, cap_topic, channel, topic);
    auto settings = with_email();
    settings.caps.push_back({cap_channel, cap_topic, 1, 24h});
    Customer customer;
    customer.sends = {sent(noon - 2h, "email", "cart"), sent(noon - 1h, "email", "receipt", false),
                      sent(noon - 1h, "sms", "news")};
    CHECK(capped_until(customer, channel, topic, noon, settings).has_value() == expected);
}

TEST_CASE("of several full caps the one that is full longest counts", "[policy][caps]") {
    auto settings = with_email();
    settings.caps.push_back({"email", "", 1, 24h});
    settings.caps.push_back({"", "cart", 1, 24h * 3});
    settings.caps.push_back({"", "", 100, 24h * 30});
    Customer customer;
    customer.sends = {sent(noon - 1h, "email", "cart")};
    CHECK(capped_until(customer, "email", "cart", noon, settings) == noon - 1h + 24h * 3);
    CHECK(capped_until(customer, "email", "news", noon, settings) == noon - 1h + 24h);
    settings.caps.push_back({"", "", 0, 24h});
    CHECK(capped_until(customer, "email", "news", noon, settings) == no_time);
}

TEST_CASE("whenever a cap says it has room, no window of its length ever holds more",
          "[policy][caps]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 200; ++round) {
        auto settings = with_email();
        const auto messages = 1 + static_cast<std::int64_t>(random() % 4);
        const Duration per{1 + static_cast<std::int64_t>(random() % 5000)};
        settings.caps.push_back({"", "", messages, per});
        Customer customer;
        auto now = noon;
        for (int i = 0; i < 40; ++i) {
            now += Duration{static_cast<std::int64_t>(random() % 1500)};
            if (const auto until = capped_until(customer, "email", "", now, settings)) {
                REQUIRE(*until > now);
                REQUIRE(capped_until(customer, "email", "", *until - 1ms, settings) == until);
                now = *until;
            }
            REQUIRE_FALSE(capped_until(customer, "email", "", now, settings));
            customer.sends.push_back(sent(now, "email", ""));
        }
        const auto count = static_cast<std::size_t>(messages);
        for (std::size_t i = 0; i + count < customer.sends.size(); ++i)
            REQUIRE(customer.sends[i + count].at - customer.sends[i].at >= per);
    }
}

TEST_CASE("consent, quiet hours, caps, topic, purpose and zone together", "[policy]") {
    const auto state =
        GENERATE(ConsentState::never, ConsentState::subscribed, ConsentState::unsubscribed);
    const auto* zone = GENERATE("Europe/Berlin", "America/New_York", "Australia/Lord_Howe");
    const auto purpose = GENERATE(Purpose::marketing, Purpose::transactional);
    const auto on_quiet = GENERATE(OnQuietHours::defer, OnQuietHours::ignore, OnQuietHours::drop);
    const auto on_cap = GENERATE(OnCap::drop, OnCap::defer, OnCap::ignore);
    const auto* topic = GENERATE("cart", "news");
    auto settings = quiet(21h, 8h);
    settings.caps.push_back({"", "cart", 1, 24h});
    auto customer = ada();
    customer.timezone = zone;
    customer.consents.clear();
    consent(customer, topic, state);
    auto send = mail();
    send.topic = topic;
    send.purpose = purpose;
    send.quiet_hours = on_quiet;
    send.capped = on_cap;

    // An hour before the clock changes in Berlin, and at all hours of the two days around it.
    for (int hour = 0; hour < 48; ++hour) {
        const auto when = at("2026-10-24T00:00:00Z") + 1h * hour;
        customer.sends = {sent(when - 1h, "email", "cart")};
        const auto local = to_local(zone, when).minutes;
        const bool is_quiet = local >= 21h || local < 8h;
        std::string expected = "allowed";
        if (purpose == Purpose::marketing && state != ConsentState::subscribed)
            expected = "consent";
        else if (is_quiet && on_quiet == OnQuietHours::drop)
            expected = "quiet_hours";
        else if (is_quiet && on_quiet == OnQuietHours::defer)
            expected = "deferred quiet_hours";
        else if (purpose == Purpose::marketing && send.topic == "cart" && on_cap == OnCap::drop)
            expected = "capped";
        else if (purpose == Purpose::marketing && send.topic == "cart" && on_cap == OnCap::defer)
            expected = "deferred capped";
        CAPTURE(hour, zone);
        REQUIRE(said(permission(customer, send, intent, when, settings)) == expected);
    }
}
