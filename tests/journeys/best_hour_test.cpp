#include "journeys/best_hour.hpp"
#include "journeys/local_time.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

const Timestamp ten = from_millis(1'772'445'600'000); // Monday, 2 March 2026, 10:00 UTC.
const IntentId intent{3, 4};

Customer ada(std::vector<std::pair<int, int>> opens = {}) {
    Customer customer{.id = {IdNamespace::user, "ada"}};
    customer.timezone = "Europe/Berlin"; // 11:00 there.
    if (!opens.empty()) customer.active_hours.resize(24);
    for (const auto& [hour, count] : opens)
        customer.active_hours[static_cast<std::size_t>(hour)] = static_cast<std::uint16_t>(count);
    return customer;
}

Settings settings(bool prior) {
    Settings made;
    if (!prior) return made;
    made.active_hours.assign(24, 1);
    made.active_hours[20] = 10; // People read in the evening.
    return made;
}

/// The hour of the customer's day, or -1 for now.
int hour(const Customer& customer, const Settings& rules, const Send& send = {},
         Duration expires = 48h) {
    const auto at = best_hour(customer, send, intent, ten, ten + expires, rules);
    if (!at) return -1;
    CHECK(*at > ten);
    CHECK(*at <= ten + 24h);
    return static_cast<int>(to_local("Europe/Berlin", *at).minutes.count() / 60);
}

} // namespace

TEST_CASE("the best hour is one's own, by and by, and until then everybody's", "[best_hour]") {
    CHECK(hour(ada(), settings(true)) == 20);
    CHECK(hour(ada({{7, 1}}), settings(true)) == 20); // One open is no habit.
    CHECK(hour(ada({{7, 30}}), settings(true)) == 7);
    CHECK(hour(ada({{7, 30}, {20, 40}}), settings(true)) == 20);
}

TEST_CASE("without a prior three reports of one's own are asked for", "[best_hour]") {
    CHECK(hour(ada(), settings(false)) == -1);
    CHECK(hour(ada({{7, 2}}), settings(false)) == -1);
    CHECK(hour(ada({{7, 3}}), settings(false)) == 7);
}

TEST_CASE("an hour that has begun is now", "[best_hour]") {
    CHECK(hour(ada({{11, 50}}), settings(true)) == -1);
}

TEST_CASE("an hour of the night is not the best", "[best_hour]") {
    auto rules = settings(true);
    rules.channels.push_back({.name = "email"});
    rules.quiet_hours.push_back({{}, 19h, 8h});
    Send send;
    send.channel = "email";
    CHECK(hour(ada({{7, 30}, {9, 20}}), rules, send) == 9);
    send.quiet_hours = OnQuietHours::ignore;
    CHECK(hour(ada({{7, 30}, {9, 20}}), rules, send) == 7);
}

TEST_CASE("a message that would expire before it is sent earlier", "[best_hour]") {
    CHECK(hour(ada({{20, 50}}), settings(true), {}, 24h) == 20);
    CHECK(hour(ada({{20, 50}, {13, 5}}), settings(true), {}, 4h) == 13);
    CHECK(hour(ada({{20, 50}}), settings(false), {}, 1h) == -1);
}

TEST_CASE("not everybody is written to at the stroke of the hour", "[best_hour]") {
    const auto rules = settings(true);
    std::set<Timestamp> instants;
    for (std::uint64_t i = 0; i < 50; ++i) {
        const auto at = best_hour(ada(), {}, {i, i}, ten, ten + 48h, rules);
        REQUIRE(at);
        CHECK(to_local("Europe/Berlin", *at).minutes < 20h + 30min);
        instants.insert(*at);
    }
    CHECK(instants.size() > 40);
}
