/// What expressions look up beside the customer, and the events that a run keeps.
#include "journeys/products.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/packed_json.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

/// A shelf that the test changes meanwhile.
struct Shelf final : journeys::Products {
    std::shared_ptr<const std::string> find(std::string_view id) const override {
        const auto found = all.find(std::string{id});
        return found == all.end() ? nullptr : std::make_shared<const std::string>(found->second);
    }
    void put(const std::string& id, std::string_view json) {
        all[id] = schema::packed_from_json(json).value();
    }
    std::map<std::string, std::string> all;
};

journeys::Lookups lookups(std::string_view vars, std::string_view table = "product_id,days:int\n",
                          std::string_view audiences = "") {
    journeys::Lookups made;
    made.vars = schema::load_vars("vars.yaml", vars).values;
    made.tables["refills"] = schema::load_table("refills.csv", table).table;
    made.audiences = schema::load_audiences("audiences.yaml", audiences, {}).audiences;
    return made;
}

const std::string refill = R"(
id: refill
status: live
vars: { subject: Time again }
enter:
  on: Order Completed
  each: event.properties.products.filter(p, lookup("refills", p.product_id) != null)
  key: run.item.product_id
  reentry: always
steps:
  - name: own-pace
    wait:
      until:
        date: run.entered_at + days(lookup("refills", run.key).days)
  - name: mail
    send:
      channel: email
      template: refill
      topic: offers
      data:
        subject: vars.subject
        shop: vars.shop
)";

constexpr auto order =
    R"({"order_id":"o-1","revenue":9,"products":[{"product_id":"p1"},{"product_id":7},{"product_id":"p9"}]})";

} // namespace

TEST_CASE("a table tells each product's own interval, by ids that are texts or numbers",
          "[engine]") {
    Story story{{refill},
                std::nullopt,
                lookups("{ shop: Lamps and more, subject: never seen }",
                        "product_id,days:int\np1,30\n7,45\n")};
    story.track("ada", "Order Completed", monday, order);
    CHECK(story.happened() == Lines{"enter refill p1", "enter refill 7"});
    story.until(monday + 31 * 24h);
    CHECK(story.happened(EntryKind::send) == Lines{"send refill/mail p1"});
    CHECK(story.last_at(EntryKind::send) == monday + 30 * 24h);
    story.until(monday + 46 * 24h);
    CHECK(story.happened(EntryKind::send) == Lines{"send refill/mail 7"});
    CHECK(story.last_at(EntryKind::send) == monday + 45 * 24h);
    // The file's own value stands above that of all files.
    CHECK(story.granted.back().payload.find("Time again") != std::string::npos);
    CHECK(story.granted.back().payload.find("Lamps and more") != std::string::npos);
}

TEST_CASE("a table finds 7.0 where it has 7, and nothing for a part of it", "[engine]") {
    Story story{{R"(
id: refill
status: live
enter:
  on: Order Completed
  when: lookup("refills", event.properties.id) != null
  reentry: always
steps:
  - exit:
)"},
                std::nullopt,
                lookups("", "product_id:int,days:int\n07,45\n9007199254740992,3\n")};
    int hour = 0;
    const auto enters = [&](const std::string& id) {
        ++hour;
        story.track("ada", "Order Completed", monday + std::chrono::hours{hour},
                    R"({"order_id":"o-)" + std::to_string(hour) + R"(","revenue":9,"id":)" + id +
                        "}");
        return story.happened().front() == "enter refill";
    };
    CHECK(enters("7"));
    CHECK(enters("7.0"));
    CHECK(enters("\"7\""));
    CHECK_FALSE(enters("7.5"));
    CHECK_FALSE(enters("-7.0"));
    CHECK(enters("9007199254740992.0"));
    CHECK_FALSE(enters("1e300"));
    CHECK_FALSE(enters("true"));
}

TEST_CASE("an edit of values reaches open runs, whatever version they are on", "[engine]") {
    Story story{
        {refill}, std::nullopt, lookups("shop: Old name", "product_id,days:int\np1,30\n7,45\n")};
    story.track("ada", "Order Completed", monday, order);
    auto newer = refill;
    newer.replace(newer.find("Time again"), 10, "Once more ");
    story.publish({newer});
    story.use_lookups(lookups("shop: New name"));
    story.until(monday + 31 * 24h);
    REQUIRE(story.granted.size() == 1);
    CHECK(story.granted[0].payload.find("New name") != std::string::npos);
    CHECK(story.granted[0].payload.find("Time again") != std::string::npos); // The run's own file.
}

TEST_CASE("an audience is asked by its name, and keeps what it counts", "[engine]") {
    const std::string journey = R"(
id: vip
status: live
enter:
  on: Product Added
  when: audience("keen")
  reentry: always
steps:
  - name: mail
    send: { channel: email, template: t, topic: offers, when: audience("buyers") }
)";
    Story story{{journey},
                std::nullopt,
                lookups("", "product_id\n",
                        "keen: count(\"Product Viewed\", \"7d\") >= 2\n"
                        "buyers: customer.orders > 0\n")};
    story.track("ada", "Product Viewed", monday);
    story.track("ada", "Product Added", monday + 1h);
    CHECK(story.happened() == Lines{"no_entry vip/6 when"}); // With the condition's line.
    story.track("ada", "Product Viewed", monday + 2h);
    story.track("ada", "Product Added", monday + 3h);
    CHECK(story.happened() ==
          Lines{"enter vip", "suppress vip/mail condition", "end vip/mail completed"});
    story.track("ada", "Order Completed", monday + 4h, R"({"order_id":"o-1","revenue":9})");
    story.track("ada", "Product Added", monday + 5h);
    CHECK(story.happened() == Lines{"enter vip", "send vip/mail", "end vip/mail completed"});
}

TEST_CASE("a product is as the catalogue has it when the message is handed over", "[engine]") {
    const std::string journey = R"(
id: alert
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - name: an-hour
    wait: { for: 1h }
  - name: mail
    send:
      channel: email
      template: t
      topic: offers
      when: product(run.event.properties.product_id).stock > 0
      data:
        price: product(run.event.properties.product_id).price
        colour: product(run.event.properties.product_id).properties.colour
)";
    const auto shelf = std::make_shared<Shelf>();
    auto known = lookups("");
    known.products = shelf;
    Story story{{journey}, std::nullopt, known};
    shelf->put("p1", R"({"id":"p1","stock":0,"price":30.0})");
    story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
    SECTION("it has come back meanwhile, at another price") {
        shelf->put("p1", R"({"id":"p1","stock":2,"price":19.5,"properties":{"colour":"red"}})");
        story.until(monday + 2h);
        CHECK(story.happened(EntryKind::send) == Lines{"send alert/mail"});
        CHECK(story.granted.at(0).payload.find("19.5") != std::string::npos);
        CHECK(story.granted.at(0).payload.find("red") != std::string::npos);
    }
    SECTION("it is sold out") {
        story.until(monday + 2h);
        CHECK(story.happened(EntryKind::suppress) == Lines{"suppress alert/mail condition"});
    }
    SECTION("the catalogue does not know it") {
        shelf->all.clear();
        story.until(monday + 2h);
        CHECK(story.happened(EntryKind::suppress) == Lines{"suppress alert/mail condition"});
    }
}

TEST_CASE("a run keeps the events that would have opened it again, the newest twenty", "[engine]") {
    const std::string journey = R"(
id: digest
status: live
enter: { on: Product Viewed, when: event.properties.price > 0, reentry: always }
steps:
  - name: a-day
    wait: { for: 24h }
  - name: mail
    send:
      channel: email
      template: t
      topic: offers
      data:
        seen: run.events.map(e, e.properties.product_id)
)";
    Story story{{journey}};
    const auto view = [&](const std::string& product, Timestamp at, int price = 1) {
        story.track("ada", "Product Viewed", at,
                    R"({"product_id":")" + product + R"(","price":)" + std::to_string(price) + "}");
    };
    view("p0", monday);
    view("free", monday + 1min, 0);
    SECTION("in their order, without those that open nothing") {
        view("p1", monday + 2min);
        view("p2", monday + 3min);
        story.until(monday + 25h);
        REQUIRE(story.granted.size() == 1);
        CHECK(story.granted[0].payload.find(R"("seen":["p1","p2"])") != std::string::npos);
    }
    SECTION("the oldest go first") {
        for (int i = 1; i <= 21; ++i) view("p" + std::to_string(i), monday + i * 2min);
        CHECK(story.customer("ada").runs.at(0).events.size() == 20);
        story.until(monday + 25h);
        CHECK(story.granted.at(0).payload.find(R"("seen":["p2","p3")") != std::string::npos);
    }
    SECTION("within the bytes that a run may have") {
        for (int i = 1; i <= 9; ++i)
            view(std::string(1000, static_cast<char>('a' + i)), monday + i * 2min);
        const auto& kept = story.customer("ada").runs.at(0).events;
        CHECK(kept.size() == 7);
        CHECK(kept.back().find("jjjj") != std::string::npos);
    }
}

TEST_CASE("a run whose journey does not read them keeps no events", "[engine]") {
    Story story{{R"(
id: plain
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - wait: { for: 24h }
)"}};
    story.track("ada", "Product Viewed", monday);
    story.track("ada", "Product Viewed", monday + 1h);
    CHECK(story.happened() == Lines{"enter plain", "no_entry plain open_run"});
    CHECK(story.customer("ada").runs.at(0).events.empty());
}

TEST_CASE("who is no tester of a test journey is told so", "[engine]") {
    journeys::Settings settings;
    settings.assume_permission = true;
    settings.testers = {"ada"};
    Story story{{R"(
id: trial
status: test
enter: { on: Product Viewed, reentry: always }
steps:
  - wait: { for: 1h }
)"},
                settings};
    story.track("ada", "Product Viewed", monday);
    story.track("bob", "Product Viewed", monday);
    CHECK(story.happened() == Lines{"enter trial", "no_entry trial testers"});
}
