/// What is recommended to whom, from sessions as they end.
#include "journeys/environment.hpp"
#include "journeys/recommending.hpp"
#include "schema/actions_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::Recommendation;
using journeys::Recommendations;

namespace {

constexpr auto idle = 30min;

/// A catalogue with these rules; products are learned from stories.
journeys::CatalogPtr with_rules(const std::string& recommend) {
    auto offers = schema::load_actions("actions.yaml", recommend + "\nactions: []\n");
    for (const auto& mistake : offers.mistakes) FAIL(schema::to_text(mistake));
    return std::make_shared<const journeys::Catalog>(
        1, journeys::Settings{}, std::vector<journeys::JourneyPtr>{},
        std::vector<journeys::JourneyPtr>{},
        std::map<std::string, std::shared_ptr<const journeys::Template>>{}, nullptr,
        journeys::Lookups{}, std::make_shared<const journeys::Offers>(std::move(offers)));
}

void views(Story& story, const std::string& who, Timestamp at,
           std::initializer_list<const char*> products) {
    for (const auto* product : products)
        story.track(who, "Product Viewed", at += 1s,
                    std::string{R"({"product_id":")"} + product + "\"}");
}

std::vector<std::string> ids(const std::vector<Recommendation>& all) {
    std::vector<std::string> list;
    for (const auto& [product, why] : all)
        list.push_back(product.id + ' ' + std::string{to_text(why)});
    return list;
}

/// Twenty people have looked at lamp and bulb, five at lamp and desk; then all went.
struct Shop {
    Story story{std::vector<std::string>{}};
    Recommendations learned;
    Shop() {
        for (int i = 0; i < 25; ++i) {
            const auto who = "p" + std::to_string(i);
            views(story, who, monday + i * 1s, {"lamp", i < 20 ? "bulb" : "desk"});
            learned.see(story.customer(who), idle);
        }
        views(story, "late", monday + 2h, {"chair"});
        learned.see(story.customer("late"), idle);
    }
    std::vector<std::string> recommend(const std::string& who, std::size_t n,
                                       const std::string& rules = {},
                                       const journeys::ProductLookup& lookup = {}) {
        return ids(learned.recommend(who.empty() ? nullptr : &story.customer(who), n, monday + 3h,
                                     *with_rules(rules), lookup));
    }
};

} // namespace

TEST_CASE("what sessions like this one held comes first, then what was viewed, then the popular",
          "[recommend]") {
    Shop shop;
    CHECK(shop.learned.sessions() == 25); // Who is still there has not been learned from.
    views(shop.story, "ada", monday + 2h, {"lamp"});
    CHECK(shop.recommend("ada", 5) ==
          std::vector<std::string>{"bulb related", "desk related", "lamp viewed"});
    CHECK(shop.recommend("ada", 1) == std::vector<std::string>{"bulb related"});
    CHECK(shop.recommend("", 2) == std::vector<std::string>{"lamp popular", "bulb popular"});
}

TEST_CASE("nothing that was bought or lies in the cart is recommended", "[recommend]") {
    Shop shop;
    shop.story.track(
        "ada", "Order Completed", monday + 1h,
        R"({"order_id":"o","total":5,"products":[{"product_id":"bulb","quantity":1}]})");
    views(shop.story, "ada", monday + 2h, {"lamp"});
    CHECK(shop.recommend("ada", 5) == std::vector<std::string>{"desk related", "lamp viewed"});
    shop.story.track("ada", "Product Added", monday + 2h + 5min,
                     R"({"cart_id":"c","product_id":"lamp","price":30,"quantity":1})");
    CHECK(shop.recommend("ada", 5) == std::vector<std::string>{"desk related"});
    // What was sent back may be recommended again.
    shop.story.track("ada", "Order Cancelled", monday + 2h + 6min, R"({"order_id":"o"})");
    CHECK(shop.recommend("ada", 5) == std::vector<std::string>{"bulb related", "desk related"});
}

TEST_CASE("rules are asked of each product, and the catalogue knows better than what was seen",
          "[recommend]") {
    Shop shop;
    views(shop.story, "ada", monday + 2h, {"lamp"});
    const journeys::ProductLookup lookup =
        [](std::string_view id) -> std::optional<journeys::ProductFacts> {
        if (id == "desk")
            return journeys::ProductFacts{.id = "desk", .category = "office", .price = 200};
        if (id == "bulb")
            return journeys::ProductFacts{
                .id = "bulb", .category = "light", .price = 5, .in_stock = true};
        if (id == "lamp")
            return journeys::ProductFacts{
                .id = "lamp", .category = "light", .price = 50, .in_stock = false};
        return std::nullopt;
    };
    CHECK(shop.recommend("ada", 5, "", lookup) ==
          std::vector<std::string>{"bulb related", "desk related"});
    CHECK(shop.recommend("ada", 5, "recommend: { when: product.price <= 100.0 }", lookup) ==
          std::vector<std::string>{"bulb related"});
    CHECK(shop.recommend("ada", 5, "recommend: { when: product.in_stock == true }", lookup) ==
          std::vector<std::string>{"bulb related"});
    CHECK(shop.recommend("ada", 5,
                         "recommend: { when: [product.price > 1.0, customer.orders > 0] }", lookup)
              .empty());
    // Where nobody says a price, a rule about it is not met.
    CHECK(shop.recommend("ada", 5, "recommend: { when: product.price <= 100.0 }").empty());
}

TEST_CASE("the shop's products say what is known of them", "[recommend]") {
    class Shelf final : public journeys::Products {
    public:
        std::shared_ptr<const std::string> find(std::string_view id) const override {
            if (id == "gone") return nullptr;
            journeys::PackedWriter writer;
            const auto mark = writer.begin_map();
            writer.key("name");
            writer.string("Lamp");
            writer.key("price");
            writer.floating(12.5);
            writer.key("stock");
            writer.integer(id == "empty" ? 0 : 3);
            if (id == "kept") {
                writer.key("available");
                writer.boolean(false);
            }
            writer.end_map(mark, id == "kept" ? 4 : 3);
            return std::make_shared<const std::string>(writer.take());
        }
    };
    const auto lookup = journeys::lookup_in(std::make_shared<const Shelf>());
    CHECK_FALSE(lookup("gone"));
    CHECK(lookup("lamp")->name == "Lamp");
    CHECK(lookup("lamp")->price == 12.5);
    CHECK(lookup("lamp")->in_stock == true);
    CHECK(lookup("empty")->in_stock == false);
    CHECK(lookup("kept")->in_stock == false); // It is there, and cannot be bought.
    CHECK_FALSE(journeys::lookup_in(nullptr));
}

TEST_CASE("of one category there are at most so many", "[recommend]") {
    Shop shop;
    views(shop.story, "ada", monday + 2h, {"lamp"});
    const journeys::ProductLookup lookup = [](std::string_view id) {
        return std::optional{journeys::ProductFacts{.id = std::string{id}, .category = "home"}};
    };
    CHECK(shop.recommend("ada", 5, "recommend: { per_category: 2 }", lookup) ==
          std::vector<std::string>{"bulb related", "desk related"});
    CHECK(shop.recommend("ada", 5, "recommend: { per_category: 3 }", lookup).size() == 3);
}

TEST_CASE("memory is bounded, and sessions are learned from once", "[recommend]") {
    Story story{std::vector<std::string>{}};
    Recommendations learned{{.products = 10, .open_sessions = 4, .sessions = 5}};
    for (int i = 0; i < 50; ++i) {
        const auto who = "p" + std::to_string(i);
        const auto product = "x" + std::to_string(i);
        views(story, who, monday + i * 1s, {product.c_str(), "lamp"});
        learned.see(story.customer(who), idle);
        learned.see(story.customer(who), idle); // Flushed again: nothing new.
    }
    CHECK(learned.products() <= 10);
    CHECK(learned.sessions() == 46);            // All but the four that are open.
    views(story, "p49", monday + 5h, {"lamp"}); // Another session of theirs ends the one before.
    learned.see(story.customer("p49"), idle);
    CHECK(learned.sessions() == 50);
    learned.see(story.customer("p3"), idle); // A timer of theirs, long after they went.
    CHECK(learned.sessions() == 50);

    Recommendations begun; // After a start: whoever was there has gone.
    begun.see(story.customer("p49"), idle, true);
    begun.see(story.customer("p3"), idle, true);
    begun.see(story.customer("p4"), idle, true);
    CHECK(begun.sessions() == 2);
}

TEST_CASE("mistakes in the rules of recommendations are told by their place", "[recommend]") {
    const auto told = [](const std::string& text) {
        std::string all;
        for (const auto& mistake : schema::load_actions("a.yaml", text).mistakes)
            all += schema::to_text(mistake) + '\n';
        return all;
    };
    CHECK(told("recommend: { when: run.key == 'x' }\nactions: []\n") ==
          "a.yaml:1:20: a rule of recommendations looks at no run\n");
    CHECK(told("recommend: { per_category: 0 }\nactions: []\n").find("a.yaml:1:28: ") == 0);
    CHECK(told("recommend: { whne: true }\nactions: []\n").find("unknown key \"whne\"") !=
          std::string::npos);
}

TEST_CASE("a message may hold recommendations, and nothing else may hang on them", "[recommend]") {
    const auto load = [](const std::string& step) {
        return schema::load_journey(
            "j.yaml", "id: j\nenter: { on: Product Viewed, reentry: always }\nsteps:\n" + step, {});
    };
    CHECK(load("  - name: mail\n    call:\n      channel: crm\n      data:\n        items: "
               "recommend(3)\n")
              .mistakes.empty());
    const auto refused =
        load("  - branch:\n      - when: size(recommend(3)) > 0\n        steps: []\n");
    REQUIRE(refused.mistakes.size() == 1);
    CHECK(refused.mistakes[0].line == 5);
    CHECK(refused.mistakes[0].message.find("recommend may stand under data only") == 0);

    class Source final : public journeys::RecommendationSource {
    public:
        std::vector<Recommendation> recommend(const journeys::Customer* customer, std::size_t n,
                                              Timestamp, const journeys::Catalog&) const override {
            CHECK(journeys::display(customer->id) == "ada");
            const Recommendation lamp{
                {.id = "lamp", .name = "Lamp", .url = "https://s/lamp", .price = 12.5}};
            return std::vector<Recommendation>(n, lamp);
        }
    };
    const auto shown = [](const std::string& expression,
                          std::shared_ptr<const journeys::RecommendationSource> source) {
        const journeys::Catalog catalog{1, {}, {}, {}, {}, nullptr, {}, nullptr, std::move(source)};
        const journeys::Customer ada{.id = {journeys::IdNamespace::user, "ada"}};
        journeys::Evaluator evaluator;
        evaluator.look_at({.customer = &ada, .now = monday, .catalog = &catalog});
        const auto compiled = journeys::cel::compile(
            expression, journeys::environment(journeys::Scope::step), journeys::cel::Expect::any);
        REQUIRE(compiled.program);
        return journeys::cel::to_text(evaluator.value(*compiled.program));
    };
    const auto source = std::make_shared<const Source>();
    CHECK(shown("recommend(2)[1].name", source) == "\"Lamp\"");
    CHECK(shown("recommend(2)[0].price", source) == "12.5");
    CHECK(shown("recommend(2)[0].category", source) == "null"); // Nobody knows it.
    CHECK(shown("size(recommend(1000000))", source) == "50");
    CHECK(shown("size(recommend(-1))", source) == "0");
    CHECK(shown("size(recommend(5))", nullptr) == "0");
}
