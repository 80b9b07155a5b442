#include "journeys/models/purchases.hpp"
#include "tests/support/cdnow.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace journeys::models;
using journeys::Money;

namespace {

Money euros(std::int64_t amount) { return Money::of_ten_thousandths(10'000 * amount); }

journeys::Timestamp noon(std::int32_t day) {
    return support::midnight(day) + std::chrono::hours{12};
}

} // namespace

TEST_CASE("orders of one day are one purchase, and the first is not counted") {
    Purchases purchases;
    CHECK(purchases.history(noon(100)).T == 0);
    add_order(purchases, 100, euros(10));
    add_order(purchases, 100, euros(5));
    CHECK(purchases.history(noon(100)).x == 0);
    CHECK(purchases.history(noon(100)).z == 0);
    CHECK(purchases.history(noon(100)).T == Approx(.5 / 7));
    add_order(purchases, 114, euros(20));
    add_order(purchases, 114, euros(6));
    add_order(purchases, 121, euros(0));
    const auto history = purchases.history(support::midnight(128));
    CHECK(history.x == 2);
    CHECK(history.t_x == 3);
    CHECK(history.T == 4);
    CHECK(history.z == 13);
    // A clock that lags behind the newest order does not make T less than t_x.
    CHECK(purchases.history(support::midnight(90)).T == 3);
}

TEST_CASE("what is taken back was never there") {
    Purchases purchases, expected;
    add_order(purchases, 100, euros(10));
    add_order(purchases, 107, euros(10));
    add_order(purchases, 107, euros(3));
    remove_order(purchases, 100, euros(10)); // The first order was cancelled.
    add_order(expected, 107, euros(10));
    add_order(expected, 107, euros(3));
    CHECK(purchases == expected);
    remove_order(purchases, 107, euros(3)); // One of two of a day.
    CHECK(purchases.history(noon(108)).T == Approx(1.5 / 7));
    remove_order(purchases, 55, euros(3)); // Nothing was there.
    remove_order(purchases, 107, euros(10));
    CHECK(purchases.empty());
    remove_order(purchases, 107, euros(10));
    CHECK(purchases == Purchases{});
}

TEST_CASE("an order older than the first moves the beginning") {
    Purchases purchases;
    add_order(purchases, 107, euros(10));
    add_order(purchases, 114, euros(30));
    add_order(purchases, 100, euros(50));
    const auto history = purchases.history(support::midnight(121));
    CHECK(history.x == 2);
    CHECK(history.t_x == 2);
    CHECK(history.T == 3);
    CHECK(history.z == 20);
}

TEST_CASE("beyond the bound the oldest days become a sum, and the history stays what it was") {
    Purchases purchases;
    const int count = 2 * static_cast<int>(Purchases::days_max);
    for (int i = 0; i < count; ++i) add_order(purchases, 100 + 7 * i, euros(i));
    CHECK(purchases.days.size() == Purchases::days_max);
    const auto now = support::midnight(100 + 7 * count);
    const auto history = purchases.history(now);
    CHECK(history.x == count - 1);
    CHECK(history.t_x == count - 1);
    CHECK(history.T == count);
    CHECK(history.z == Approx(count / 2.0));
    add_order(purchases, 101, euros(0)); // Of the folded time: money, but no further day.
    CHECK(purchases.history(now).x == count - 1);
    remove_order(purchases, 100, euros(0)); // The origin stays where the next day is not known.
    CHECK(purchases.history(now).T == count);
    add_order(purchases, 93, euros(1)); // Older than all: what was the first joins the sum.
    CHECK(purchases.history(now).x == count);
    CHECK(purchases.history(now).T == count + 1);
    CHECK(purchases.days.size() <= Purchases::days_max);
}

TEST_CASE("two histories that turn out to be one person's unite") {
    Purchases a, b, both;
    for (const int day : {100, 107, 130}) {
        add_order(a, day, euros(day));
        add_order(both, day, euros(day));
    }
    for (const int day : {90, 107, 140}) {
        add_order(b, day, euros(day));
        add_order(both, day, euros(day));
    }
    auto one = a, other = b;
    unite(one, b);
    unite(other, a);
    CHECK(one == both);
    CHECK(other == both);
    Purchases none;
    unite(none, a);
    CHECK(none == a);
    unite(none, Purchases{});
    CHECK(none == a);
    Purchases many;
    for (int day = 0; day < 300; ++day) add_order(many, day * 2, euros(1));
    unite(many, a);
    CHECK(many.days.size() <= Purchases::days_max);
    CHECK(many.history(support::midnight(900)).t_x == Approx(598 / 7.0));
}

TEST_CASE("CDNOW's orders one by one give the published summary") {
    const auto path = support::shared_data("cdnow/CDNOW_sample.txt.gz");
    const auto summary =
        support::shared_data("cdnow/cdnow_customers_summary_with_transactions.csv.gz");
    if (!path || !summary) return;
    // The summary is in the order of the sample's own ids, as the customers are in the file.
    auto customers = support::cdnow_purchases(support::cdnow_orders(*path, true),
                                              support::cdnow_calibration_end);
    const auto lines = support::read_lines(*summary);
    REQUIRE(lines.size() == customers.size() + 1);
    auto line = lines.begin() + 1;
    int wrong = 0;
    for (const auto& [id, purchases] : customers) {
        int number = 0;
        double x = 0, t_x = 0, T = 0, z = 0;
        REQUIRE(std::sscanf(line->c_str(), "%d,%lf,%lf,%lf,%lf", &number, &x, &t_x, &T, &z) == 5);
        const auto history = purchases.history(support::midnight(support::cdnow_calibration_end));
        if (history.x != x || std::abs(history.t_x - t_x) > .0051 ||
            std::abs(history.T - T) > .0051 || std::abs(history.z - z) > .0051)
            if (++wrong <= 3) CHECK((id + " " + *line) == "");
        ++line;
    }
    CHECK(wrong == 0);
}

TEST_CASE("CDNOW's orders shuffled, late and partly taken back give what the batch gives") {
    const auto path = support::shared_data("cdnow/CDNOW_master.txt.gz");
    if (!path) return;
    auto orders = support::cdnow_orders(*path, false);
    REQUIRE(orders.size() == 69'659);
    struct Batch {
        std::map<std::int32_t, double> days;
    };
    std::map<std::string, Batch> batch;
    for (const auto& order : orders)
        batch[order.customer].days[order.day] += order.spend.to_double();
    REQUIRE(batch.size() == 23'570);

    std::mt19937 random{5};
    std::ranges::shuffle(orders, random);
    support::CdnowHistories customers;
    for (const auto& order : orders) {
        auto& purchases = customers[order.customer];
        if (random() % 4 == 0) { // Cancelled and placed again.
            add_order(purchases, order.day, order.spend);
            remove_order(purchases, order.day, order.spend);
        }
        add_order(purchases, order.day, order.spend);
    }
    const auto end = support::midnight(support::cdnow_end);
    int wrong = 0;
    for (const auto& [id, each] : batch) {
        const auto history = customers.at(id).history(end);
        const auto first = each.days.begin()->first, last = each.days.rbegin()->first;
        double spend = 0;
        for (auto day = std::next(each.days.begin()); day != each.days.end(); ++day)
            spend += day->second;
        const auto x = static_cast<double>(each.days.size() - 1);
        if (history.x != x || history.t_x != (last - first) / 7.0 ||
            history.T != (support::cdnow_end - first) / 7.0 ||
            std::abs(history.z - (x > 0 ? spend / x : 0)) > 1e-9)
            ++wrong;
    }
    CHECK(wrong == 0);
}
