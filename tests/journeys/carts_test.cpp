#include "tests/journeys/person.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <random>

using namespace tests;

namespace {

Event added(std::string_view product, Timestamp at, std::string_view cart = "c", int quantity = 1) {
    std::string json = R"({"product_id":")" + std::string{product} +
                       R"(","price":10.5,"currency":"EUR","quantity":)" + std::to_string(quantity);
    if (!cart.empty()) json += R"(,"cart_id":")" + std::string{cart} + '"';
    return track("Product Added", at, json + "}");
}
Event removed(std::string_view product, Timestamp at, std::string_view cart = "c") {
    std::string json = R"({"product_id":")" + std::string{product} + '"';
    if (!cart.empty()) json += R"(,"cart_id":")" + std::string{cart} + '"';
    return track("Product Removed", at, json + "}");
}
std::string products(std::initializer_list<const char*> ids) {
    std::string json = R"("products":[)";
    for (const auto* id : ids) {
        if (json.back() != '[') json += ',';
        json += std::string{R"({"product_id":")"} + id + R"(","price":10.5,"quantity":1})";
    }
    return json + "]";
}
Event bought(std::string_view order, std::initializer_list<const char*> ids, Timestamp at,
             std::string more = "", const char* name = "Order Completed") {
    return track(name, at,
                 R"({"order_id":")" + std::string{order} + R"(","total":21,"currency":"EUR",)" +
                     products(ids) + std::move(more) + "}");
}

} // namespace

TEST_CASE("adding one product again adds up, removing takes out", "[profile][carts]") {
    Person ada;
    ada.meets(added("p", noon));
    ada.meets(added("p", noon + 1min, "c", 2));
    CHECK(ada.cart() == "p*3");
    CHECK(current_cart(ada.customer)->value() == Money::of(31.5));
    CHECK(current_cart(ada.customer)->currency == "EUR");

    SECTION("some pieces where the removal says how many") {
        ada.meets(track("Product Removed", noon + 2min,
                        R"({"cart_id":"c","product_id":"p","quantity":1})"));
        CHECK(ada.cart() == "p*2");
    }
    SECTION("all of it where it does not") {
        ada.meets(removed("p", noon + 2min));
        CHECK(ada.cart() == "");
        CHECK(current_cart(ada.customer)->is_empty());
    }
    SECTION("more than there is leaves nothing") {
        ada.meets(track("Product Removed", noon + 2min,
                        R"({"cart_id":"c","product_id":"p","quantity":9})"));
        CHECK(ada.cart() == "");
    }
}

TEST_CASE("a late edit does not bring back what a newer one removed", "[profile][carts]") {
    Person ada;
    SECTION("the removal overtook its addition") {
        ada.meets(removed("p", noon + 2min));
        CHECK(ada.meets(added("p", noon)).late);
        CHECK(ada.cart() == "");
    }
    SECTION("the cart was emptied as a whole") {
        ada.meets(added("p", noon));
        ada.meets(track("Cart Updated", noon + 2min, R"({"cart_id":"c","products":[]})"));
        ada.meets(added("q", noon + 1min));
        CHECK(ada.cart() == "");
        ada.meets(added("q", noon + 3min));
        CHECK(ada.cart() == "q");
    }
    SECTION("an older snapshot of the whole cart arrives after an empty one") {
        ada.meets(track("Cart Updated", noon + 2min, R"({"cart_id":"c","products":[]})"));
        ada.meets(track("Cart Viewed", noon, R"({"cart_id":"c",)" + products({"p"}) + "}"));
        CHECK(ada.cart() == "");
    }
    SECTION("a late removal leaves what was added after it") {
        ada.meets(added("p", noon + 2min));
        ada.meets(removed("p", noon));
        CHECK(ada.cart() == "p");
    }
}

TEST_CASE("a whole cart replaces what was there before it and keeps what came after",
          "[profile][carts]") {
    Person ada;
    ada.meets(added("old", noon));
    ada.meets(added("new", noon + 5min));
    ada.meets(track("Cart Viewed", noon + 2min, R"({"cart_id":"c",)" + products({"p", "q"}) + "}"));
    CHECK(ada.cart() == "p q new");
    ada.meets(track("Cart Viewed", noon + 6min, R"({"cart_id":"c"})"));
    CHECK(ada.cart() == "p q new"); // It lists nothing, so it says nothing.
}

TEST_CASE("a cart of two currencies has none", "[profile][carts]") {
    Person ada;
    ada.meets(added("p", noon));
    CHECK_FALSE(current_cart(ada.customer)->mixed_currencies);
    ada.meets(track("Product Added", noon + 1min,
                    R"({"cart_id":"c","product_id":"q","price":1,"currency":"USD"})"));
    CHECK(current_cart(ada.customer)->mixed_currencies);
    ada.meets(removed("p", noon + 2min));
    ada.meets(removed("q", noon + 2min));
    ada.meets(added("p", noon + 3min));
    CHECK_FALSE(current_cart(ada.customer)->mixed_currencies);
}

TEST_CASE("without a cart_id the cart is made here, and a new one after an order",
          "[profile][carts]") {
    Person ada;
    ada.meets(added("p", noon, ""));
    const auto first = current_cart(ada.customer)->id;
    ada.meets(added("q", noon + 1min, ""));
    CHECK(current_cart(ada.customer)->id == first);
    ada.meets(bought("o", {"p", "q"}, noon + 2min));
    CHECK(current_cart(ada.customer)->ordered);
    CHECK(ada.cart() == "");
    ada.meets(added("p", noon + 3min, ""));
    CHECK(current_cart(ada.customer)->id != first);
    CHECK(ada.cart() == "p");

    Person again; // The same events name the same carts.
    again.meets(added("p", noon, ""));
    CHECK(current_cart(again.customer)->id == first);
}

TEST_CASE("an order takes its products out of the carts", "[profile][carts]") {
    Person ada;
    ada.meets(added("p", noon, "one"));
    ada.meets(added("p", noon + 1min, "two"));
    ada.meets(added("q", noon + 1min, "two"));

    SECTION("of the one that it names") {
        ada.meets(bought("o", {"p"}, noon + 2min, R"(,"cart_id":"one")"));
        CHECK(ada.cart("one") == "");
        CHECK(find_cart(ada.customer, "one")->ordered);
        CHECK(ada.cart("two") == "p q");
        CHECK_FALSE(find_cart(ada.customer, "two")->ordered);
    }
    SECTION("of the one whose checkout named the order") {
        ada.meets(track("Checkout Started", noon + 2min, R"({"cart_id":"one","order_id":"o"})"));
        ada.meets(bought("o", {"p"}, noon + 3min));
        CHECK(ada.cart("one") == "");
        CHECK(ada.cart("two") == "p q");
    }
    SECTION("of all where it names none") {
        ada.meets(bought("o", {"p"}, noon + 2min));
        CHECK(ada.cart("one") == "");
        CHECK(ada.cart("two") == "q");
        CHECK(find_cart(ada.customer, "one")->ordered);
        CHECK(find_cart(ada.customer, "two")->ordered);
    }
    SECTION("late, also from lines that seem newer") {
        CHECK(ada.meets(bought("o", {"p"}, noon - 1min)).late);
        CHECK(ada.cart("one") == "");
        CHECK(ada.cart("two") == "q");
    }
    SECTION("of a cart that goes on, which is then no longer the ordered one") {
        ada.meets(bought("o", {"p"}, noon + 2min, R"(,"cart_id":"one")"));
        ada.meets(added("q", noon + 3min, "one"));
        CHECK(ada.cart("one") == "q");
        CHECK_FALSE(find_cart(ada.customer, "one")->ordered);
    }
    SECTION("all of it where the order lists nothing") {
        ada.meets(track("Order Completed", noon + 2min, R"({"order_id":"o","cart_id":"two"})"));
        CHECK(ada.cart("two") == "");
        CHECK(ada.cart("one") == "p");
    }
}

TEST_CASE("an order that overtakes its cart leaves nothing to remind of", "[profile][carts]") {
    Person ada;
    ada.meets(bought("o", {"p"}, noon + 5min));
    ada.meets(added("p", noon));
    CHECK(ada.cart() == "");
    CHECK(current_cart(ada.customer)->ordered);
    ada.meets(added("p", noon + 6min)); // Again, and not bought yet.
    CHECK(ada.cart() == "p");
    CHECK_FALSE(current_cart(ada.customer)->ordered);
}

TEST_CASE("in whatever order the events of a purchase arrive, nothing bought stays in a cart",
          "[profile][carts]") {
    const auto end_empty = [](std::vector<Event> events) {
        std::vector<std::size_t> order(events.size());
        std::iota(order.begin(), order.end(), 0u);
        do {
            Person ada;
            for (const auto i : order) ada.meets(events[i]);
            for (const auto i : order) ada.meets(events[i]); // Duplicates have no second effect.
            for (const auto& cart : ada.customer.carts)
                for (const auto& line : cart.lines)
                    if (line.product_id == "p" || line.product_id == "q")
                        if (line.quantity != 0) {
                            std::string text;
                            for (const auto n : order) text += ' ' + events[n].name;
                            FAIL(line.product_id << " is left in " << cart.id << " after" << text);
                        }
            CHECK(ada.customer.order_count == 1);
            CHECK(ada.customer.revenue == Money::of(21));
            CHECK(ada.customer.last_order_at == noon + 5min);
        } while (std::ranges::next_permutation(order).found);
    };
    SECTION("with a cart_id") {
        end_empty(
            {added("p", noon), added("q", noon + 1min),
             track("Cart Viewed", noon + 2min, R"({"cart_id":"c",)" + products({"p", "q"}) + "}"),
             track("Checkout Started", noon + 3min,
                   R"({"order_id":"o",)" + products({"p", "q"}) + "}"),
             bought("o", {"p", "q"}, noon + 5min),
             bought("o", {"p", "q"}, noon + 6min, "", "Order Completed")});
    }
    SECTION("without") {
        end_empty(
            {added("p", noon, ""), added("q", noon + 1min, ""), added("p", noon + 2min, ""),
             removed("q", noon + 3min, ""),
             track("Checkout Started", noon + 4min, R"({"order_id":"o",)" + products({"p"}) + "}"),
             bought("o", {"p", "q"}, noon + 5min)});
    }
    SECTION("the order names the cart") {
        end_empty({added("p", noon), added("q", noon + 1min), removed("q", noon + 2min),
                   added("q", noon + 3min),
                   bought("o", {"p", "q"}, noon + 5min, R"(,"cart_id":"c")"),
                   bought("o", {"p", "q"}, noon + 7min, "", "Order Updated")});
    }
}

TEST_CASE("carts are few, short, and forgotten after their time", "[profile][carts]") {
    Person ada;
    for (int i = 0; i < 5; ++i) ada.meets(added("p", noon + i * 1min, "c" + std::to_string(i)));
    CHECK(ada.customer.carts.size() == bounds::carts);
    CHECK(ada.cart("c0") == "none");
    CHECK(ada.cart("c1") == "p");
    for (int i = 0; i < 101; ++i)
        ada.meets(added("p" + std::to_string(i), noon + 1h + i * 1s, "big"));
    CHECK(find_cart(ada.customer, "big")->lines.size() == bounds::cart_lines);
    const auto edge = noon + 1h + 100s + bounds::cart_age;
    ada.meets(track("Product Viewed", edge));
    CHECK(ada.cart("big") != "none");
    ada.meets(track("Product Viewed", edge + 1ms));
    CHECK(ada.cart("big") == "none");
    CHECK(ada.customer.carts.empty());
}

TEST_CASE("an order counts once and is amended by what comes later", "[profile][orders]") {
    Person ada;
    ada.meets(bought("o", {"p"}, noon));
    ada.meets(bought("o", {"p"}, noon + 3s, R"(,"coupon":"X")")); // By webhook.
    CHECK(ada.customer.order_count == 1);
    CHECK(ada.customer.revenue == Money::of(21));
    CHECK(ada.customer.orders.front().coupon == "X");
    CHECK(ada.customer.last_order_at == noon);

    SECTION("an older word does not change a newer one") {
        ada.meets(track("Order Updated", noon + 2min, R"({"order_id":"o","total":30})"));
        ada.meets(track("Order Updated", noon + 1min, R"({"order_id":"o","total":25})"));
        CHECK(ada.customer.revenue == Money::of(30));
    }
    SECTION("cancelled") {
        ada.meets(track("Order Cancelled", noon + 1min, R"({"order_id":"o"})"));
        CHECK(ada.customer.order_count == 0);
        CHECK(ada.customer.revenue == Money{});
        CHECK(ada.customer.last_order_at == Timestamp{});
    }
    SECTION("refunded in part, then by product, then more than there was") {
        ada.meets(track("Order Refunded", noon + 1min, R"({"order_id":"o","total":5})"));
        CHECK(ada.customer.revenue == Money::of(16));
        ada.meets(track("Order Refunded", noon + 2min,
                        R"({"order_id":"o","products":[{"product_id":"p"}]})"));
        CHECK(ada.customer.revenue == Money::of(5.5));
        CHECK(ada.customer.order_count == 1);
        ada.meets(track("Order Refunded", noon + 3min, R"({"order_id":"o","total":"5.50"})"));
        CHECK(ada.customer.revenue == Money{});
        CHECK(ada.customer.order_count == 0);
        CHECK(ada.customer.orders.front().status == OrderStatus::refunded);
    }
    SECTION("refunded whole") {
        ada.meets(track("Order Refunded", noon + 1min, R"({"order_id":"o"})"));
        CHECK(ada.customer.revenue == Money{});
        CHECK(net(ada.customer.orders.front()) == Money{});
    }
}

TEST_CASE("a cancellation that overtakes its order still cancels it", "[profile][orders]") {
    Person ada;
    ada.meets(added("p", noon));
    ada.meets(track("Order Cancelled", noon + 2min, R"({"order_id":"o"})"));
    CHECK(ada.cart() == "p"); // A declined order was none.
    CHECK(ada.customer.order_count == 0);
    ada.meets(bought("o", {"p"}, noon + 1min));
    CHECK(ada.customer.order_count == 0);
    CHECK(ada.customer.revenue == Money{});
    CHECK(ada.cart() == "");
}

TEST_CASE("orders without an id count by message, and of another currency not into the revenue",
          "[profile][orders]") {
    Person ada;
    const auto order = track("Order Completed", noon, R"({"revenue":10,"currency":"EUR"})");
    ada.meets(order);
    ada.meets(order);
    ada.meets(track("Order Completed", noon + 1min, R"({"revenue":10,"currency":"EUR"})"));
    CHECK(ada.customer.order_count == 2);
    ada.meets(
        track("Order Completed", noon + 2min, R"({"order_id":7,"revenue":10,"currency":"USD"})"));
    CHECK(ada.customer.order_count == 3);
    CHECK(ada.customer.revenue == Money::of(20));
    CHECK(ada.customer.orders.back().id == "7");
    ada.meets(track(
        "Order Completed", noon + 3min,
        R"({"order_id":"m","total":9,"products":[{"sku":"a","currency":"EUR"},{"sku":"b","currency":"USD"}]})"));
    CHECK(ada.customer.orders.back().total == Money{});
}

TEST_CASE("an order that is no longer listed does not count again", "[profile][orders]") {
    Person ada;
    for (int i = 0; i < 84; ++i) ada.meets(bought("o" + std::to_string(i), {"p"}, noon + i * 1min));
    CHECK(ada.customer.orders.size() == bounds::orders);
    CHECK(ada.customer.older_orders.size() == bounds::order_ids);
    CHECK(ada.customer.order_count == 84);
    ada.meets(bought("o0", {"p"}, noon + 200min, R"(,"again":1)"));
    CHECK(ada.customer.order_count == 84);
}

TEST_CASE("whatever happens, what is remembered stays within its bounds", "[profile][carts]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto one_of = [&](int count) {
        return static_cast<int>(random() % static_cast<unsigned>(count));
    };
    Person ada;
    for (int i = 0; i < 3000; ++i) {
        const auto at = noon + one_of(60 * 24 * 40) * 1min;
        const auto product = "p" + std::to_string(one_of(150));
        const auto cart = one_of(3) ? "c" + std::to_string(one_of(7)) : std::string{};
        switch (one_of(6)) {
        case 0: ada.meets(removed(product, at, cart)); break;
        case 1: ada.meets(bought("o" + std::to_string(one_of(200)), {"p1", "p2"}, at)); break;
        case 2: ada.meets(track("Order Refunded", at, R"({"order_id":"o1","total":1})")); break;
        case 3:
            ada.meets(
                track("Checkout Started", at, R"({"order_id":"o5",)" + products({"p3"}) + "}"));
            break;
        case 4:
            ada.meets(track("Product Viewed", at, R"({"product_id":")" + product + "\"}"));
            break;
        default: ada.meets(added(product, at, cart)); break;
        }
        REQUIRE(ada.customer.carts.size() <= bounds::carts);
        REQUIRE(std::ranges::is_sorted(ada.customer.carts, {}, &Cart::updated_at));
        for (const auto& some : ada.customer.carts)
            REQUIRE(some.lines.size() <= bounds::cart_lines);
        REQUIRE(ada.customer.orders.size() <= bounds::orders);
        REQUIRE(ada.customer.older_orders.size() <= bounds::order_ids);
        REQUIRE(ada.customer.dedup.size() <= bounds::dedup_ring_max);
        REQUIRE(ada.customer.order_count >= 0);
    }
    CHECK(unpack(pack(ada.customer)).has_value());
}
