#include "journeys/consents.hpp"
#include "journeys/counters.hpp"
#include "journeys/customer.hpp"
#include "journeys/policy.hpp"
#include "tests/journeys/person.hpp"

#include <catch2/catch.hpp>

using namespace tests;

TEST_CASE("a message has an effect once within the window", "[profile][dedup]") {
    Customer ada;
    const auto view = track("Product Viewed", noon);
    CHECK(remember_message(ada, view, 72h));
    CHECK_FALSE(remember_message(ada, view, 72h));

    SECTION("up to its end") {
        ada.accepted_at = noon + 72h;
        CHECK_FALSE(remember_message(ada, view, 72h));
        ada.accepted_at = noon + 72h + 1ms;
        CHECK(remember_message(ada, view, 72h));
    }
    SECTION("unless the server made the messageId") {
        auto made = view;
        made.deduplicate = false;
        CHECK(remember_message(ada, made, 72h));
        CHECK(ada.dedup.size() == 1);
    }
    SECTION("and what fell out of the ring must be looked up") {
        CHECK_FALSE(may_be_older_duplicate(ada, track("Product Viewed", noon - 1h)));
        for (int i = 1; i <= 128; ++i)
            remember_message(ada, track("Product Viewed", noon + i * 1min), 72h);
        CHECK(ada.dedup.size() == 128);
        CHECK(ada.dedup_evicted == noon);
        CHECK(may_be_older_duplicate(ada, view));
        CHECK(may_be_older_duplicate(ada, track("Product Added", noon)));
        CHECK_FALSE(may_be_older_duplicate(ada, track("Product Added", noon + 1ms)));
        CHECK_FALSE(may_be_older_duplicate(ada, track("Product Viewed", noon + 128min)));
    }
    SECTION(
        "and of those of the last two hours many more are kept, which no index of the log has") {
        for (int i = 1; i <= 1000; ++i)
            remember_message(ada, track("Product Viewed", noon + i * 1s), 72h);
        CHECK(ada.dedup.size() == 1001);
        CHECK(ada.dedup_evicted == Timestamp{});
        CHECK_FALSE(remember_message(ada, view, 72h));
        // Two hours after the 500th.
        remember_message(ada, track("Product Viewed", noon + 2h + 500s), 72h);
        CHECK(ada.dedup.size() == 501);
        CHECK(ada.dedup_evicted == noon + 500s);
        // However long ago, 128 stay.
        remember_message(ada, track("Product Viewed", noon + 100h), 72h);
        CHECK(ada.dedup.size() == 128);
    }
    SECTION("within a bound") {
        for (int i = 1; i <= 5000; ++i)
            remember_message(ada, track("Product Viewed", noon + i * 1ms), 72h);
        CHECK(ada.dedup.size() == bounds::dedup_ring_max);
        CHECK(ada.dedup_written.size() == bounds::dedup_ring_max);
        CHECK(ada.dedup_evicted == noon + 904ms);
        CHECK(unpack(pack(ada)).has_value());
    }
}

TEST_CASE("now never goes back, and what is older is late", "[profile]") {
    Person ada;
    CHECK_FALSE(ada.meets(track("Product Viewed", noon)).late);
    CHECK_FALSE(ada.meets(track("Product Clicked", noon)).late);
    const auto seen = ada.meets(track("Product Viewed", noon - 1ms));
    CHECK(seen.late);
    CHECK_FALSE(seen.too_late);
    CHECK(ada.customer.now == noon);
    CHECK(ada.customer.first_seen == noon - 1ms);
    CHECK(ada.customer.last_seen == noon);
    CHECK_FALSE(ada.meets(track("Product Viewed", noon - 24h)).too_late);
    CHECK(ada.meets(track("Product Viewed", noon - 24h - 1ms)).too_late);
}

TEST_CASE("traits are merged, and only a difference is told", "[profile][traits]") {
    Person ada;
    auto seen =
        ada.meets(identify(noon, R"({"email":"a@example.com","plan":"free","tags":["x"]})"));
    REQUIRE(seen.made_here.size() == 1);
    CHECK(seen.made_here[0].name == "Profile Changed");
    CHECK(to_json(PackedView{seen.made_here[0].properties}) ==
          R"({"changed":["email","plan","tags"]})");
    CHECK(count(ada.customer, "Profile Changed", noon - 1h) == 1);

    CHECK(ada.meets(identify(noon + 1min, R"({"plan":"free"})")).made_here.empty());
    seen = ada.meets(identify(noon + 2min, R"({"plan":"plus","tags":null,"gone":null})"));
    CHECK(to_json(PackedView{seen.made_here.at(0).properties}) == R"({"changed":["plan","tags"]})");
    CHECK(to_json(PackedView{ada.customer.traits}) == R"({"email":"a@example.com","plan":"plus"})");

    SECTION("an older message only fills gaps") {
        ada.meets(identify(noon + 90s, R"({"plan":"old","city":"Rome"})"));
        CHECK(to_json(PackedView{ada.customer.traits}) ==
              R"({"email":"a@example.com","plan":"plus","city":"Rome"})");
    }
    SECTION("an event older than another, but not than other traits, is no older word on them") {
        ada.meets(track("Product Viewed", noon + 9min));
        CHECK(ada.meets(identify(noon + 8min, R"({"plan":"max"})")).late);
        CHECK(PackedView{ada.customer.traits}.string_at("plan") == "max");
    }
    SECTION("a group's traits are not the person's") {
        auto group = identify(noon + 3min, R"({"name":"Gold"})");
        group.type = EventType::group;
        CHECK(ada.meets(group).made_here.empty());
    }
    SECTION("what does not fit is left out, and what is known stays") {
        ada.meets(
            identify(noon + 3min, R"({"big":")" + std::string(17'000, 'x') + R"(","small":1})"));
        CHECK(ada.customer.traits.size() <= bounds::trait_bytes);
        CHECK_FALSE(PackedView{ada.customer.traits}.find("big"));
        CHECK(PackedView{ada.customer.traits}.find("small"));
        CHECK(PackedView{ada.customer.traits}.string_at("email") == "a@example.com");
    }
}

TEST_CASE("the newest word on zone, locale and country counts", "[profile][traits]") {
    Person ada;
    ada.meets(identify(noon, R"({"address":{"country":"DE"},"language":"de"})",
                       R"({"timezone":"Europe/Berlin"})"));
    CHECK(ada.customer.timezone == "Europe/Berlin");
    CHECK(ada.customer.country == "DE");
    CHECK(ada.customer.locale == "de");
    ada.meets(identify(noon + 1min, "", R"({"timezone":"Europe/Paris","locale":"fr-FR"})"));
    CHECK(ada.customer.timezone == "Europe/Paris");
    CHECK(ada.customer.locale == "fr-FR");
    ada.meets(identify(noon - 1min, "", R"({"timezone":"Asia/Tokyo"})"));
    CHECK(ada.customer.timezone == "Europe/Paris");
}

TEST_CASE("consent is read as producers write it", "[profile][consent]") {
    Person ada;
    const auto state = [&](std::string_view channel, std::string_view topic = {}) {
        for (const auto& consent : ada.customer.consents)
            if (consent.channel == channel && consent.topic == topic) return consent.state;
        return ConsentState::never;
    };
    const auto seen = ada.meets(identify(
        noon,
        R"({"marketing_consent":{"email":true,"sms":false,"source":"checkout","updated_at":"2026-11-20T08:03:10Z"}})"));
    CHECK(state("email") == ConsentState::subscribed);
    CHECK(state("sms") == ConsentState::unsubscribed);
    CHECK(ada.customer.consents[0].source == "checkout");
    REQUIRE(seen.made_here.size() == 2);
    CHECK(to_json(PackedView{seen.made_here[0].properties}) ==
          R"({"channel":"email","topic":"","from":"never","to":"subscribed"})");
    REQUIRE(ada.effects.size() == 2);
    CHECK(std::get<TimelineEntry>(ada.effects[0]).kind == EntryKind::consent);
    CHECK(ada.customer.traits.empty());

    SECTION("by topic, in words") {
        ada.meets(identify(noon + 1min,
                           R"({"marketing_consent":{"email":{"state":"Unsubscribed","topic":"cart"},
            "sms":{"status":"opted_in","topics":{"news":false}},"push":{"subscribed":true},"fax":"perhaps"}})"));
        CHECK(state("email") == ConsentState::subscribed);
        CHECK(state("email", "cart") == ConsentState::unsubscribed);
        CHECK(state("sms") == ConsentState::subscribed);
        CHECK(state("sms", "news") == ConsentState::unsubscribed);
        CHECK(state("push") == ConsentState::subscribed);
        CHECK(state("fax") == ConsentState::never);
    }
    SECTION("an older word, or an old one repeated, changes nothing") {
        ada.meets(identify(noon + 1min, R"({"marketing_consent":{"email":false}})"));
        CHECK(state("email") == ConsentState::unsubscribed);
        CHECK(ada.meets(identify(noon + 30s, R"({"marketing_consent":{"email":true}})"))
                  .made_here.empty());
        CHECK(
            ada
                .meets(identify(
                    noon + 2min,
                    R"({"marketing_consent":{"email":true,"updated_at":"2020-01-01T00:00:00Z"}})"))
                .made_here.empty());
        CHECK(state("email") == ConsentState::unsubscribed);
    }
    SECTION("categories are their own, unless one is a channel") {
        ada.meets(identify(noon + 1min, "", R"({"consent":{"Advertising":false,"Email":false}})"));
        CHECK(state("category", "Advertising") == ConsentState::unsubscribed);
        CHECK(state("email") == ConsentState::unsubscribed);
        CHECK(ada.meets(identify(noon + 2min, "", R"({"consent":{"Advertising":false}})"))
                  .made_here.empty());
    }
}

TEST_CASE("where there is no room for a consent, a withdrawal is kept", "[profile][consent]") {
    Person ada;
    const auto fill = [&](const std::string& word) {
        std::string topics;
        for (std::size_t i = 0; i < bounds::consents; ++i)
            topics += (i ? ",\"t" : "\"t") + std::to_string(i) + "\":" + word;
        ada.meets(identify(noon, R"({"marketing_consent":{"email":{"topics":{)" + topics + "}}}}"));
        REQUIRE(ada.customer.consents.size() == bounds::consents);
    };
    const auto says = [&](const std::string& consent, Duration after = 1min) {
        return ada.meets(identify(noon + after, R"({"marketing_consent":)" + consent + "}"))
            .made_here.size();
    };
    SECTION("in place of the oldest grant") {
        fill("true");
        CHECK(says(R"({"sms":false})") == 1);
        CHECK(consent_of(ada.customer, "sms", "") == ConsentState::unsubscribed);
        CHECK(consent_of(ada.customer, "email", "t0") == ConsentState::never);
        CHECK(consent_of(ada.customer, "email", "t1") == ConsentState::subscribed);
    }
    SECTION("and where all others withhold, those of its channel become one") {
        fill("false");
        CHECK(says(R"({"email":{"topics":{"news":false}}})") == 1);
        CHECK(consent_of(ada.customer, "email", "news") == ConsentState::unsubscribed);
        CHECK(consent_of(ada.customer, "email", "t5") == ConsentState::unsubscribed);
        CHECK(says(R"({"email":{"topics":{"more":false}}})", 2min) == 1); // There is room now.
        CHECK(ada.customer.consents.size() == 2);
    }
    SECTION("or those of another") {
        fill("false");
        CHECK(says(R"({"sms":false})") == 1);
        CHECK(consent_of(ada.customer, "sms", "") == ConsentState::unsubscribed);
        CHECK(consent_of(ada.customer, "email", "t5") == ConsentState::unsubscribed);
    }
    SECTION("but for a grant none is forgotten") {
        fill("false");
        CHECK(says(R"({"sms":true})") == 0);
        CHECK(consent_of(ada.customer, "sms", "") == ConsentState::never);
        CHECK(consent_of(ada.customer, "email", "t0") == ConsentState::unsubscribed);
    }
    SECTION("and categories take no consent away") {
        fill("true");
        ada.meets(identify(noon + 1min, "", R"({"consent":{"Advertising":true}})"));
        CHECK(consent_of(ada.customer, "email", "t0") == ConsentState::subscribed);
    }
    SECTION("of two people who become one, too") {
        fill("true");
        Customer other;
        other.consents = {{"sms", "", ConsentState::unsubscribed, noon, "import"}};
        unite_consents(ada.customer, other, ada.effects);
        CHECK(consent_of(ada.customer, "sms", "") == ConsentState::unsubscribed);
        CHECK(ada.customer.consents.size() == bounds::consents);
    }
}

TEST_CASE("a session ends after half an hour without an event", "[profile][session]") {
    Person ada;
    auto first = track("Product Viewed", noon, R"({"product_id":"p1","category":"shoes"})");
    first.context = packed(
        R"({"referrer":"https://news.example.org/","campaign":{"source":"mail","name":"autumn"}})");
    ada.meets(first);
    ada.meets(track("Product Viewed", noon + 1min, R"({"product_id":"p2","category":"hats"})"));
    ada.meets(track("Product Viewed", noon + 2min, R"({"product_id":"p1","category":"shoes"})"));
    const auto& session = ada.customer.session;
    CHECK(session.views == 3);
    CHECK(session.events == 3);
    CHECK(session.products == std::vector<std::string>{"p1", "p2"});
    CHECK(session.campaign == "autumn");
    CHECK(session.referrer == "https://news.example.org/");
    const auto id = session.id;

    SECTION("not a moment before") {
        ada.meets(track("Product Viewed", noon + 32min - 1ms));
        CHECK(session.id == id);
        CHECK_FALSE(end_session(ada.customer, noon + 62min - 2ms, catalog()));
        const auto ended = end_session(ada.customer, noon + 62min - 1ms, catalog());
        REQUIRE(ended);
        CHECK(ended->time == noon + 62min - 1ms);
        CHECK_FALSE(end_session(ada.customer, noon + 63min, catalog()));
        CHECK(ada.meets(track("Product Viewed", noon + 2h)).made_here.empty());
    }
    SECTION("not even at that moment: the event comes before the timer") {
        CHECK(ada.meets(track("Product Viewed", noon + 32min)).made_here.empty());
        CHECK(session.id == id);
    }
    SECTION("and the next one tells of its end") {
        const auto seen = ada.meets(track("Product Viewed", noon + 32min + 1ms));
        REQUIRE(seen.made_here.size() == 1);
        CHECK(seen.made_here[0].name == "Session Ended");
        CHECK(seen.made_here[0].time == noon + 32min);
        CHECK(session.id != id);
        CHECK(session.views == 1);
    }
    SECTION("a late event counts in it and does not extend it") {
        ada.meets(track("Product Viewed", noon + 90s, R"({"product_id":"p3"})"));
        CHECK(session.products == std::vector<std::string>{"p1", "p2", "p3"});
        CHECK(session.last_at == noon + 2min);
        ada.meets(track("Product Viewed", noon - 1min));
        CHECK(session.events == 4);
    }
    SECTION("what a shop reports is nobody's visit") {
        ada.meets(track("Order Refunded", noon + 3h, R"({"order_id":"o"})"));
        CHECK(session.id == id);
    }
    SECTION("it holds twenty products") {
        for (int i = 0; i < 30; ++i)
            ada.meets(track("Product Viewed", noon + 3min + i * 1s,
                            R"({"product_id":")" + std::to_string(i) + "\"}"));
        CHECK(session.products.size() == 20);
        CHECK(session.products.front() == "29");
    }
}

TEST_CASE("counts are exact to 64 and by hour before that", "[profile][counters]") {
    Person ada;
    for (int i = 63; i >= 0; --i) // In the wrong order, which makes no difference.
        ada.meets(track("Product Viewed", noon + i * 1min,
                        i % 2 ? R"({"product_id":"p","x":1})" : R"({"product_id":"q"})"));
    CHECK(count(ada.customer, "Product Viewed", noon - 1ms) == 64);
    CHECK(count(ada.customer, "Product Viewed", noon) == 63);
    CHECK(count(ada.customer, "Product Viewed", noon + 59min) == 4);
    CHECK(count(ada.customer, "Product Viewed", noon - 1h, "product_id",
                PackedView{packed(R"("p")")}) == 32);
    CHECK(last(ada.customer, "Product Viewed") == noon + 63min);
    CHECK_FALSE(last(ada.customer, "Product Added"));
    CHECK(count(ada.customer, "Product Clicked", noon - 1h) == 0);
    CHECK(to_json(PackedView{ada.customer.counters[0].newest[1].properties}) ==
          R"({"product_id":"p"})");

    ada.meets(track("Product Viewed", noon - 3h));
    CHECK(ada.customer.counters[0].newest.size() == 64);
    CHECK(count(ada.customer, "Product Viewed", noon - 4h) == 65);
    CHECK(count(ada.customer, "Product Viewed", noon - 1h) == 64);
    ada.meets(track("Product Viewed", noon + 64min));
    CHECK(ada.customer.counters[0].newest.front().at == noon + 1min);
    CHECK(count(ada.customer, "Product Viewed", noon - 4h) == 66);
    for (int i = 0; i < 3000; ++i) ada.meets(track("Product Viewed", noon + i * 31min));
    CHECK(ada.customer.counters[0].hours.size() <= bounds::counter_hours);
}

TEST_CASE("an order that browser and shop both tell of is counted once", "[profile][counters]") {
    const auto completed = [](Timestamp at, const std::string& id, const std::string& more) {
        return track("Order Completed", at, R"({"order_id":")" + id + "\"" + more + "}");
    };
    Person ada;
    ada.meets(completed(noon, "o-1", R"(,"total":20,"affiliation":"browser")"));
    ada.meets(completed(noon - 30s, "o-1", R"(,"total":20.00,"affiliation":"web")"));
    ada.meets(completed(noon + 2h, "o-1", R"(,"total":20)"));
    CHECK(count(ada.customer, "Order Completed", noon - 1h) == 1);
    CHECK(count(ada.customer, "Order Completed", noon - 30s) == 0); // At the earliest time.
    CHECK(ada.customer.order_count == 1);
    ada.meets(completed(noon + 1min, "o-2", ""));
    CHECK(count(ada.customer, "Order Completed", noon - 1h) == 2);
    // Without an id every message is an order.
    ada.meets(track("Order Completed", noon + 2min, R"({"total":5})"));
    ada.meets(track("Order Completed", noon + 3min, R"({"total":5})"));
    CHECK(count(ada.customer, "Order Completed", noon - 1h) == 4);

    SECTION("and when a guest turns out to be them") {
        Person guest;
        guest.customer.id = anonymous("a");
        guest.meets(completed(noon + 10s, "o-2", R"(,"affiliation":"shop")"));
        guest.meets(completed(noon + 10s, "o-3", ""));
        unite_counters(ada.customer, guest.customer);
        CHECK(count(ada.customer, "Order Completed", noon - 1h) == 5);
        CHECK(count(ada.customer, "Order Completed", noon + 10s) == 2); // o-2 has moved.
    }
}

TEST_CASE("the newest event of a watched name is kept, cut to what is read",
          "[profile][counters]") {
    Person ada;
    ada.meets(track("Product Viewed", noon, R"({"product_id":"p","price":5})"));
    ada.meets(track("Product Viewed", noon - 1min, R"({"product_id":"older"})"));
    ada.meets(track("Product Clicked", noon, R"({"product_id":"p"})"));
    REQUIRE(ada.customer.newest_events.size() == 1);
    CHECK(ada.customer.newest_events[0].at == noon);
    CHECK(to_json(PackedView{ada.customer.newest_events[0].properties}) == R"({"product_id":"p"})");
}

TEST_CASE("a view costs little", "[.bench]") {
    Person ada;
    std::vector<Event> events;
    for (int i = 0; i < 1000; ++i) {
        events.push_back(track("Product Viewed", noon + i * 1s,
                               R"({"product_id":"p)" + std::to_string(i % 30) +
                                   R"(","category":"shoes","price":5.5})"));
        events.back().context = packed(R"({"timezone":"Europe/Berlin","locale":"de-DE"})");
    }
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < 200; ++round)
        for (const auto& event : events)
            observe(ada.customer, event, noon + 1h, catalog(), ada.effects);
    const auto spent = std::chrono::steady_clock::now() - start;
    WARN(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count() / 200'000
         << " ns an event");
}
