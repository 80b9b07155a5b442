/// What a copy of an event does to the customer whom it reaches.
#include "journeys/copies.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/packed_json.hpp"
#include "tests/support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::Applied;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

const std::string cheaper = R"(
id: cheaper
status: live
enter:
  on: Product Price Dropped
  interested: { did: [Product Viewed, Product Added], within: 30d }
  when: event.properties.to < 90
  key: event.properties.product_id
  reentry: after 7d
exit:
  - { on: Order Completed, reason: purchased }
steps:
  - name: a-moment
    wait: { for: 1h }
  - name: news
    send: { channel: email, template: news, topic: browse }
)";
const std::string preview = R"(
id: preview
status: live
enter: { audience: vips, when: customer.traits.plan == "gold", reentry: always }
steps:
  - name: a-moment
    wait: { for: 1h }
  - name: invitation
    send: { channel: email, template: preview, topic: offers }
)";

std::string packed(std::string_view json) { return *schema::packed_from_json(json); }

journeys::CopiedEvent price_drop(Timestamp at, std::string_view to = "80",
                                 std::string_view product = "boots") {
    const auto words = R"({"id":")" + std::string{product} + R"(","currency":"EUR","price":)";
    return journeys::product_events(packed(words + "100}"), packed(words + std::string{to} + "}"),
                                    at)
        .at(0);
}

journeys::Lookups vips() {
    journeys::Lookups lookups;
    lookups.audiences = schema::load_audiences("a.yaml",
                                               "vips: customer.orders >= 1\n"
                                               "staff: customer.traits.staff == true",
                                               {})
                            .audiences;
    return lookups;
}

void order(Story& story, std::string_view who, Timestamp at) {
    story.track(who, "Order Completed", at,
                R"({"order_id":")" + std::string{who} + R"(","total":10,"currency":"EUR"})");
}

} // namespace

TEST_CASE("what a product's event would say now is imagined for trials", "[journeys]") {
    const auto imagined = [](std::string_view name, std::string_view product) {
        const auto made = journeys::imagined_product_event(name, packed(product));
        return to_json(journeys::PackedView{made});
    };
    constexpr auto lamp = R"({"id":"p","name":"Lamp","price":20,"compare_at_price":30,"stock":4})";
    CHECK(imagined(journeys::price_dropped, lamp) ==
          R"({"product_id":"p","name":"Lamp","price":20,"from":30,"to":20})");
    CHECK(imagined(journeys::price_dropped, R"({"id":"p","price":20,"compare_at_price":10})") ==
          R"({"product_id":"p","price":20,"from":25,"to":20})");
    CHECK(imagined(journeys::back_in_stock, lamp) ==
          R"({"product_id":"p","name":"Lamp","price":20,"stock":4})");
    CHECK(imagined(journeys::back_in_stock, R"({"id":"p"})") == R"({"product_id":"p"})");
    CHECK(journeys::imagined_product_event(journeys::back_in_stock, "").empty());
}

TEST_CASE("a price that drops and a product that is back make an event", "[journeys]") {
    const auto events = [](std::string_view before, std::string_view after) {
        std::string told;
        for (const auto& event :
             journeys::product_events(before.empty() ? "" : packed(before), packed(after), monday))
            told += event.name + ' ' + to_json(journeys::PackedView{event.properties}) + ';';
        return told;
    };
    CHECK(events(R"({"id":"p","name":"Lamp","price":30,"currency":"EUR"})",
                 R"({"id":"p","name":"Lamp","price":19.9,"currency":"EUR"})") ==
          R"(Product Price Dropped {"product_id":"p","name":"Lamp","price":19.9,"currency":"EUR",)"
          R"("from":30,"to":19.9};)");
    CHECK(events(R"({"id":"p","stock":0})", R"({"id":"p","stock":3})") ==
          R"(Product Back In Stock {"product_id":"p","stock":3};)");
    CHECK(events(R"({"id":"p","available":false})", R"({"id":"p","available":true})") ==
          R"(Product Back In Stock {"product_id":"p"};)");
    CHECK(events(R"({"id":"p","stock":-2,"price":5})", R"({"id":"p","stock":1,"price":4})") ==
          R"(Product Price Dropped {"product_id":"p","price":4,"from":5,"to":4};)"
          R"(Product Back In Stock {"product_id":"p","price":4,"stock":1};)");
    // Nothing has happened, or nobody can tell.
    CHECK(events("", R"({"id":"p","price":3,"stock":1})") == "");
    CHECK(events(R"({"id":"p","price":3})", R"({"id":"p","price":3})") == "");
    CHECK(events(R"({"id":"p","price":3})", R"({"id":"p","price":4})") == "");
    CHECK(events(R"({"id":"p","price":3})", R"({"id":"p","stock":4})") == "");
    CHECK(events(R"({"id":"p","price":3,"currency":"EUR"})",
                 R"({"id":"p","price":2,"currency":"USD"})") == "");
    CHECK(events(R"({"id":"p","stock":1})", R"({"id":"p","stock":3})") == "");
    CHECK(events(R"({"id":"p","stock":2,"available":false})",
                 R"({"id":"p","stock":3,"available":false})") == "");
}

TEST_CASE("the same change has the same hash, and another has another", "[journeys]") {
    CHECK(price_drop(monday).message_hash == price_drop(monday).message_hash);
    CHECK(price_drop(monday).message_hash != price_drop(monday + 1ms).message_hash);
    CHECK(price_drop(monday).message_hash != price_drop(monday, "79").message_hash);
}

TEST_CASE("a product's event opens a run for who did something with it in time", "[journeys]") {
    Story story{{cheaper}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"boots"})");
    story.track("lea", "Product Viewed", monday, R"({"product_id":"lamp"})");
    story.track("kai", "Product Viewed", monday - 24h * 30, R"({"product_id":"boots"})");
    story.track("tom", "Page Viewed", monday, R"({"product_id":"boots"})");
    const auto drop = price_drop(monday + 1h);
    for (const auto* who : {"ada", "lea", "kai", "tom"}) story.copy(who, drop, monday + 1h);
    CHECK(story.happened() == Lines{"enter cheaper boots"});
    story.until(monday + 3h);
    CHECK(story.happened(EntryKind::send) == Lines{"send cheaper/news boots"});

    SECTION("a copy that comes twice is one") {
        CHECK(story.copy("ada", drop, monday + 4h) == Applied::duplicate);
    }
    SECTION("its conditions and its re-entry hold") {
        story.copy("ada", price_drop(monday + 4h, "95"), monday + 4h);
        story.copy("ada", price_drop(monday + 5h, "70"), monday + 5h);
        CHECK(story.happened(EntryKind::no_entry) ==
              Lines{"no_entry cheaper/7 when", "no_entry cheaper reentry"});
    }
}

TEST_CASE("who saw a product only after its price had dropped is told nothing", "[journeys]") {
    Story story{{cheaper}};
    story.track("ada", "Product Viewed", monday + 2min, R"({"product_id":"boots"})");
    story.copy("ada", price_drop(monday), monday + 3min);
    CHECK(story.happened().empty());
}

TEST_CASE("a number and a text name the same product", "[journeys]") {
    Story story{{cheaper}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":4711})");
    story.copy("ada", price_drop(monday + 1h, "80", "4711"), monday + 1h);
    CHECK(story.happened() == Lines{"enter cheaper 4711"});
}

TEST_CASE("a copy that comes more than six hours late opens nothing", "[journeys]") {
    Story story{{cheaper}};
    const auto drop = price_drop(monday + 1h);
    for (const auto* who : {"ada", "lea"})
        story.track(who, "Product Viewed", monday, R"({"product_id":"boots"})");
    story.copy("ada", drop, monday + 1h + journeys::copy_age_max);
    CHECK(story.happened() == Lines{"enter cheaper boots"});
    story.copy("lea", drop, monday + 1h + journeys::copy_age_max + 1ms);
    CHECK(story.happened(EntryKind::no_entry) == Lines{"no_entry cheaper late"});
}

TEST_CASE("what a customer has done since a product's event counts before its copy", "[journeys]") {
    Story story{{cheaper}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"boots"})");
    order(story, "ada", monday + 2h);
    story.copy("ada", price_drop(monday + 1h), monday + 3h);
    CHECK(story.happened() == Lines{"no_entry cheaper late"});
}

TEST_CASE("a copy is no sign of life", "[journeys]") {
    Story story{{cheaper}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"boots"})");
    const auto before = story.customer("ada");
    story.copy("ada", price_drop(monday + 3h), monday + 3h);
    const auto& after = story.customer("ada");
    CHECK(after.last_seen == before.last_seen);
    CHECK(after.session.id == before.session.id);
    CHECK(after.session.events == before.session.events);

    // And to whom nobody knows, or was erased, it means nothing.
    story.copy("nobody", price_drop(monday + 3h), monday + 3h);
    CHECK(story.customer("nobody").first_seen == Timestamp{});
    CHECK(story.customer("nobody").counters.empty());
}

TEST_CASE("who is reached by two ids gets one copy", "[journeys]") {
    Story story{{cheaper}};
    story.track("anonymous:a1", "Product Viewed", monday, R"({"product_id":"boots"})");
    story.identify("ada", monday + 1min, "{}", "a1");
    const auto drop = price_drop(monday + 1h);
    story.copy("anonymous:a1", drop, monday + 1h); // Passed on.
    CHECK(story.copy("user:ada", drop, monday + 1h) == Applied::duplicate);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter cheaper boots"});
}

TEST_CASE("an audience's entry lets in who is in it when it arrives", "[journeys]") {
    Story story{{preview}, std::nullopt, vips()};
    for (const auto* who : {"ada", "kai", "lea"})
        story.identify(who, monday, who == std::string{"lea"} ? "{}" : R"({"plan":"gold"})");
    order(story, "ada", monday);
    order(story, "lea", monday);
    const auto& journey = *story.catalog().journey("preview");
    const auto entry = audience_event(journey, "vips", monday + 1h);
    for (const auto* who : {"ada", "kai", "lea"}) story.copy(who, entry, monday + 1h);
    CHECK(story.happened() ==
          Lines{"enter preview", "no_entry preview/4 when", "no_entry preview/4 when"});
    // Whoever is let in later waits until later.
    order(story, "kai", monday + 2h);
    story.copy("kai", audience_event(journey, "vips", monday + 1min), monday + 3h);
    story.until(monday + 4h);
    CHECK(story.last_at(EntryKind::send) == monday + 4h);

    SECTION("by hand it may be another audience") {
        story.identify("tom", monday + 5h, R"({"plan":"gold","staff":true})");
        story.copy("tom", audience_event(journey, "staff", monday + 5h), monday + 5h);
        CHECK(story.happened(EntryKind::enter).back() == "enter preview");
        story.copy("tom", audience_event(journey, "gone", monday + 9h), monday + 9h);
        CHECK(story.happened(EntryKind::no_entry) == Lines{"no_entry preview/4 when"});
    }
}

TEST_CASE("an audience's instants are local, once or again and again", "[journeys]") {
    journeys::AudienceEntry entry;
    CHECK_FALSE(next_entry(entry, monday)); // By hand only.
    entry.at = monday + 1h;
    CHECK(next_entry(entry, monday) == monday + 1h);
    CHECK_FALSE(next_entry(entry, monday + 1h));
    entry.at.reset();
    entry.time = std::chrono::hours{9};
    entry.zone = "Europe/Berlin";
    entry.weekdays = 0b0001000; // Wednesday.
    // Monday, 2 March, 10:00 UTC; the clocks change on the 29th.
    const auto wednesday = monday + 24h * 2 - 2h;
    CHECK(next_entry(entry, monday) == wednesday);
    CHECK(next_entry(entry, wednesday) == wednesday + 24h * 7);
    CHECK(next_entry(entry, wednesday + 24h * 21) == wednesday + 24h * 28 - 1h);
}
