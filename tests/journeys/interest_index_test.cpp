#include "journeys/interest_index.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

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

TEST_CASE("of customers and products without a pair nothing is kept", "[journeys]") {
    InterestIndex index{1'000};
    for (int i = 0; i < 20'000; ++i) {
        index.note(user("u" + std::to_string(i)), "p" + std::to_string(i), noon + i * 1min);
        REQUIRE(index.customers() == index.pairs());
        REQUIRE(index.products() == index.pairs());
        REQUIRE(index.pairs() <= 1'010);
    }
    CHECK(index.interested_in("p19999") == std::vector{user("u19999")});
    index.forget(user("u19999"));
    CHECK(index.interested_in("p19999").empty());
    CHECK(index.products() == index.pairs());

    // A word that is too old to be kept leaves no product behind.
    for (std::size_t i = 0; i < products_of_interest; ++i)
        index.note(user("ada"), "a" + std::to_string(i), noon + 20'000min);
    const auto before = index.products();
    index.note(user("ada"), "of-old", noon);
    CHECK(index.products() == before);
}

TEST_CASE("what is too much is forgotten little by little", "[journeys]") {
    constexpr std::size_t pairs_max = 20'000;
    InterestIndex index{pairs_max};
    std::size_t before = 0, most = 0, least = pairs_max;
    for (int i = 0; i < 60'000; ++i) {
        index.note(user("u" + std::to_string(i)), "p" + std::to_string(i % 7), noon + i * 1min);
        REQUIRE(index.pairs() + InterestIndex::aged_at_once > before);
        before = index.pairs();
        most = std::max(most, before);
        if (i > static_cast<int>(pairs_max)) least = std::min(least, before);
    }
    CHECK(most <= pairs_max + pairs_max / 100);
    CHECK(least <= pairs_max * 11 / 20); // The older half went, and not much more.
    CHECK(least >= pairs_max * 9 / 20);
    std::size_t listed = 0;
    for (int product = 0; product < 7; ++product)
        listed += index.interested_in("p" + std::to_string(product)).size();
    CHECK(listed == index.pairs());
}

TEST_CASE("whatever is noted and forgotten, the index names whom a list of all would",
          "[journeys]") {
    constexpr std::uint32_t seed = 7;
    INFO("seed " << seed);
    std::mt19937 chance{seed};
    InterestIndex index;
    std::map<CustomerId, std::map<std::string, int>> all; // The minute of the newest word.
    for (int minute = 0; minute < 20'000; ++minute) {
        const auto who = user("u" + std::to_string(chance() % 12));
        if (chance() % 200 == 0) {
            index.forget(who);
            all.erase(who);
            continue;
        }
        const auto product = "p" + std::to_string(chance() % 70);
        index.note(who, product, noon + minute * 1min);
        auto& own = all[who];
        own[product] = minute;
        if (own.size() > products_of_interest)
            own.erase(
                std::ranges::min_element(own, {}, &std::pair<const std::string, int>::second));
    }
    std::size_t pairs = 0;
    for (int i = 0; i < 70; ++i) {
        const auto product = "p" + std::to_string(i);
        std::vector<CustomerId> expected;
        for (const auto& [who, own] : all)
            if (own.contains(product)) expected.push_back(who);
        CHECK(index.interested_in(product) == expected);
        pairs += expected.size();
    }
    CHECK(index.pairs() == pairs);
    CHECK(index.customers() == all.size());
}
