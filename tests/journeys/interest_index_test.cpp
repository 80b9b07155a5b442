#include "journeys/interest_index.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

CustomerId user(const std::string& id) { return {IdNamespace::user, id}; }
constexpr Timestamp noon = from_millis(1'772'452'800'000);

} // namespace

TEST_CASE("who did something with a product is found by it, each once", "[journeys]") {
    InterestIndex index;
    for (const auto* who : {"zoe", "ada", "zoe"}) index.note(user(who), "boots", noon);
    index.note(user("kai"), "lamp", noon);
    index.note(user("kai"), "", noon);
    CHECK(index.interested_in("boots") == std::vector{user("ada"), user("zoe")});
    CHECK(index.interested_in("lamp") == std::vector{user("kai")});
    CHECK(index.interested_in("vase").empty());
    CHECK(index.pairs() == 3);
    index.forget(user("zoe"));
    index.forget(user("nobody"));
    CHECK(index.interested_in("boots") == std::vector{user("ada")});
    index.note(user("zoe"), "boots", noon);
    CHECK(index.interested_in("boots") == std::vector{user("ada"), user("zoe")});
    index.clear();
    CHECK(index.interested_in("boots").empty());
    CHECK(index.pairs() == 0);
}

TEST_CASE("the newest fifty products of a customer count", "[journeys]") {
    InterestIndex index;
    for (std::size_t i = 0; i < products_of_interest; ++i)
        index.note(user("ada"), "p" + std::to_string(i), noon + i * 1min);
    CHECK(index.interested_in("p0").size() == 1);
    index.note(user("ada"), "p0", noon + 2h); // Looked at again: not the oldest any more.
    index.note(user("ada"), "one-more", noon + 3h);
    CHECK(index.interested_in("p0").size() == 1);
    CHECK(index.interested_in("p1").empty());
    CHECK(index.interested_in("one-more").size() == 1);
    index.note(user("ada"), "of-old", noon - 24h);
    CHECK(index.interested_in("of-old").empty());
    CHECK(index.pairs() == products_of_interest);

    // Whoever looks at more than that again and again takes no more place for it.
    for (int round = 0; round < 100; ++round)
        for (std::size_t i = 0; i <= products_of_interest; ++i)
            index.note(user("robot"), "r" + std::to_string(i), noon + round * 1h + i * 1min);
    CHECK(index.interested_in("r50") == std::vector{user("robot")});
    CHECK(index.pairs() == 2 * products_of_interest);
}

TEST_CASE("where there would be too many pairs, the older half is forgotten", "[journeys]") {
    InterestIndex index{100};
    for (int i = 0; i < 101; ++i)
        index.note(user("u" + std::to_string(i)), "boots", noon + i * 1min);
    CHECK(index.pairs() <= 51);
    CHECK(index.pairs() >= 45);
    const auto left = index.interested_in("boots");
    CHECK(left.size() == index.pairs());
    CHECK(std::ranges::find(left, user("u100")) != left.end());
    CHECK(std::ranges::find(left, user("u0")) == left.end());
}
