#include "tests/bench/measure.hpp"

#include <catch2/catch.hpp>

using bench::share_of;
using bench::spread_of;

TEST_CASE("the median of an even number of rounds lies between the middle two", "[bench]") {
    CHECK(spread_of({3}).median == 3);
    CHECK(spread_of({3, 1}).median == 2);
    CHECK(spread_of({9, 1, 2}).median == 2);
    CHECK(spread_of({9, 1, 2, 4}).median == 3);
    CHECK(spread_of({9, 1, 2}).least == 1);
    CHECK(spread_of({9, 1, 2}).most == 9);
    CHECK_THROWS(spread_of({}));
}

TEST_CASE("of a hundred values the 99th share is the largest", "[bench]") {
    std::vector<double> values;
    for (int i = 100; i > 0; --i) values.push_back(i);
    CHECK(share_of(values, 0.5) == 51);
    CHECK(share_of(values, 0.99) == 100);
    CHECK(share_of({7}, 0.99) == 7);
    CHECK_THROWS(share_of({}, 0.5));
}

TEST_CASE("a ratio is one of each round, not of the medians", "[bench]") {
    const auto figure = bench::figure_of("f", "s", {2, 30, 4}, {1, 10, 4});
    CHECK(figure.ours.median == 4);
    CHECK(figure.raw.median == 4);
    CHECK(figure.ratio.median == 2);
    CHECK(figure.ratio.least == 1);
    CHECK(figure.ratio.most == 3);
}
