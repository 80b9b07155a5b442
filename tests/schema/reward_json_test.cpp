/// What was learned of actions, written and read.
#include "schema/reward_json.hpp"

#include "journeys/time.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace journeys::models;

namespace {

LearnedRewards learned() {
    std::mt19937 random{5};
    std::uniform_real_distribution<double> unit{0, 1};
    LearnedRewards made;
    made.settled_until = journeys::from_millis(1'795'435'200'123);
    for (const auto* action : {"gift", "note"})
        for (int i = 0; i < 50; ++i)
            made.evidence[{action, "Order Completed"}].add(
                features_of({.cart_value = unit(random) * 90, .churn_risk = unit(random)}),
                random() % 3 == 0 ? 1 : 0);
    return made;
}

} // namespace

TEST_CASE("what was learned reads back to the bit, under the name of its text", "[schema]") {
    const auto made = learned();
    const auto text = schema::to_json(made);
    const auto read = schema::parse_rewards(text);
    REQUIRE(read.has_value());
    CHECK(read->settled_until == made.settled_until);
    CHECK(read->evidence == made.evidence);
    CHECK(read->version != 0);
    CHECK(schema::to_json(*read) == text);
    CHECK(schema::parse_rewards(text)->version == read->version);
    auto more = made;
    more.evidence[{"gift", "Order Completed"}].add(features_of({}), 1);
    CHECK(schema::parse_rewards(schema::to_json(more))->version != read->version);
}

TEST_CASE("what is no evidence is refused, and says why", "[schema]") {
    const auto text = schema::to_json(learned());
    const auto why = [&](const std::string& from, const std::string& to) {
        auto changed = text;
        const auto at = changed.find(from);
        REQUIRE(at != changed.npos);
        changed.replace(at, from.size(), to);
        const auto read = schema::parse_rewards(changed);
        REQUIRE_FALSE(read.has_value());
        return read.error().detail;
    };
    CHECK(why("\"one\"", "\"two\"").find("other features") != std::string::npos);
    CHECK(why("\"decisions\":50", "\"decisions\":1").find("more rewards") != std::string::npos);
    CHECK(why("\"weighted\":[", "\"weighted\":[1,").find("7 numbers") != std::string::npos);
    CHECK(why("\"squares\":[", "\"squares\":[1e400,").find("nothing that was learned") !=
          std::string::npos);
    CHECK(why("2026", "long ago").find("no time") != std::string::npos);
    CHECK_FALSE(schema::parse_rewards("[]").has_value());
    CHECK_FALSE(schema::parse_rewards("{").has_value());
}
