#include "journeys/links.hpp"
#include "runtime/links.hpp"

#include <catch2/catch.hpp>

using namespace runtime;

TEST_CASE("a link's token is read back, and a forged one is not", "[links]") {
    const Links links{"https://shop.example", "key"};
    for (const auto action :
         {LinkAction::unsubscribe, LinkAction::preferences, LinkAction::confirm}) {
        const auto text = links.text({{0x0123456789abcdef, 0xfedcba9876543210}, action});
        CHECK(text.size() == 44);
        CHECK(text.find_first_of("+/=") == std::string::npos);
        const auto read = links.read(text);
        REQUIRE(read);
        CHECK(read->intent == journeys::IntentId{0x0123456789abcdef, 0xfedcba9876543210});
        CHECK(read->action == action);
        for (std::size_t i = 0; i < text.size(); ++i) {
            auto forged = text;
            forged[i] = forged[i] == 'A' ? 'B' : 'A';
            CHECK_FALSE(links.read(forged));
        }
        CHECK_FALSE(Links("https://shop.example", "another").read(text));
    }
    CHECK_FALSE(links.read(""));
    CHECK_FALSE(links.read("nonsense"));
    CHECK_FALSE(links.read(std::string(10'000, 'A')));
}

TEST_CASE("marks in a payload become links, each its own, and the rest stays", "[links]") {
    const Links links{"https://shop.example", "key"};
    const journeys::IntentId intent{1, 2};
    const auto filled = links.fill("a " + std::string{journeys::links::unsubscribe} + " b " +
                                       std::string{journeys::links::preferences} + " c " +
                                       std::string{journeys::links::unsubscribe} + " d",
                                   intent);
    const auto unsubscribe = links.url({intent, LinkAction::unsubscribe});
    const auto preferences = links.url({intent, LinkAction::preferences});
    CHECK(filled == "a " + unsubscribe + " b " + preferences + " c " + unsubscribe + " d");
    CHECK(links.fill("nothing here", intent) == "nothing here");
    CHECK(links.fill(filled, intent) == filled);
}
