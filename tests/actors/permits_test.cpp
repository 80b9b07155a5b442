#include "actors/permits.hpp"

#include <catch2/catch.hpp>

using actors::Permit;
using actors::Permits;

TEST_CASE("a permit comes back unless it is kept", "[actors][permits]") {
    Permits permits{2};
    CHECK_FALSE(permits.take(0));
    permits.lend(2);
    REQUIRE(permits.take(0));
    { const Permit unused{permits, 0}; }
    REQUIRE(permits.take(1));
    {
        Permit used{permits, 1};
        used.keep();
    }
    REQUIRE(permits.take(0));
    CHECK_FALSE(permits.take(0));
    CHECK(permits.arrived(1));
    CHECK_FALSE(permits.arrived(1));
    CHECK(permits.call_in() == 0);
    permits.give_back(0);
    CHECK(permits.call_in() == 1);
}

TEST_CASE("what a lost partition has taken is counted once", "[actors][permits]") {
    Permits permits{2};
    permits.lend(3);
    REQUIRE(permits.take(0));
    REQUIRE(permits.take(0));
    REQUIRE(permits.take(1));
    CHECK(permits.forget(0) == 2);
    permits.give_back(0); // Too late.
    CHECK_FALSE(permits.arrived(0));
    CHECK(permits.call_in() == 0);
    permits.lend(1);
    CHECK_FALSE(permits.take(0));
    CHECK(permits.take(1));
}
