#include "journeys/lift.hpp"

#include <catch2/catch.hpp>

using namespace journeys;

TEST_CASE("a difference of shares has the interval of Newcombe's own examples", "[lift]") {
    // Newcombe 1998, table II, method 10: seven of the eight contrasts.
    struct Row {
        Arm first, second;
        double low, high;
    };
    for (const auto& row :
         {Row{{70, 56}, {80, 48}, 0.0524, 0.3339}, Row{{10, 9}, {10, 3}, 0.1705, 0.8090},
          Row{{56, 5}, {29, 0}, -0.0381, 0.1926}, Row{{10, 0}, {20, 0}, -0.1611, 0.2775},
          Row{{10, 0}, {10, 0}, -0.2775, 0.2775}, Row{{10, 10}, {20, 0}, 0.6791, 1.0000},
          Row{{10, 10}, {10, 0}, 0.6075, 1.0000}}) {
        const auto result = lift(row.first, row.second);
        CAPTURE(row.first.people, row.first.reached, row.second.people, row.second.reached);
        CHECK(result.is_measured);
        CHECK(result.interval.low == Approx(row.low).margin(0.0001));
        CHECK(result.interval.high == Approx(row.high).margin(0.0001));
    }
}

TEST_CASE("without people in one arm nothing is measured", "[lift]") {
    CHECK_FALSE(lift({0, 0}, {100, 10}).is_measured);
    CHECK_FALSE(lift({100, 10}, {0, 0}).is_measured);
    CHECK_FALSE(lift({100, 10}, {0, 0}).is_certain());
    CHECK(lift({10'000, 1'000}, {10'000, 800}).is_certain());
    CHECK_FALSE(lift({100, 10}, {100, 8}).is_certain());
    CHECK(wilson({0, 0}).high == 1);
}
