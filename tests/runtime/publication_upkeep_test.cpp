// What was learned goes, what people have written stays.

#include "runtime/publication_upkeep.hpp"

#include "journeys/ids.hpp"
#include "journeys/models/learned_rewards.hpp"
#include "runtime/archive.hpp"
#include "runtime/publication.hpp"
#include "runtime/retention.hpp"
#include "schema/reward_json.hpp"
#include "tests/runtime/postgres_fixture.hpp"

#include <catch2/catch.hpp>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using journeys::Timestamp;

const Timestamp begin = journeys::from_millis(1'800'000'000'000);

std::string learned(std::uint64_t decisions) {
    journeys::models::LearnedRewards rewards;
    rewards.settled_until = begin + 1h * static_cast<int>(decisions);
    for (std::uint64_t i = 0; i < decisions; ++i)
        rewards.evidence[{"gift", "Order Completed"}].add({1}, 0);
    return schema::to_json(rewards);
}

Files files(const std::string& journey, std::uint64_t lessons) {
    Files made;
    made.journeys["j.yaml"] = journey;
    if (lessons > 0) made.rewards = learned(lessons);
    return made;
}

struct Shelf {
    /// Hour by hour.
    std::uint64_t publish(const Files& published) {
        const auto number = publication_of(published);
        must(archive.save_publication(number, to_text(published), begin + 1h * ++hours));
        return number;
    }
    std::vector<std::uint64_t> prune(std::uint64_t in_force, Timestamp before) {
        return must(prune_learned(database.settings().conninfo, in_force, before));
    }
    std::size_t left() { return must(archive.publications()).size(); }
    std::string word(const char* sql) {
        auto connection = database.connect();
        return std::string{must(connection.run_script(sql)).bytes(0, 0)};
    }

    Database database;
    Archive archive{database.settings().conninfo};
    int hours = 0;
};

constexpr auto old_journey =
    "id: j\nenter: { on: Ordered, reentry: never }\nsteps:\n  - wait: { for: 1h }\n";
constexpr auto new_journey =
    "id: j\nenter: { on: Viewed, reentry: never }\nsteps:\n  - wait: { for: 1h }\n";

} // namespace

TEST_CASE("of publications that differ in what was learned alone the newest stays", "[.postgres]") {
    Shelf shelf;
    const auto first = shelf.publish(files(old_journey, 0));
    const auto second = shelf.publish(files(old_journey, 1));
    const auto last_of_old = shelf.publish(files(old_journey, 2));
    const auto third = shelf.publish(files(new_journey, 2));
    const auto fourth = shelf.publish(files(new_journey, 3));
    const auto newest = shelf.publish(files(new_journey, 4));
    const auto later = begin + 24h;
    using Numbers = std::vector<std::uint64_t>;

    SECTION("none before its time") {
        CHECK(shelf.prune(newest, begin + 1h).empty());
        CHECK(shelf.prune(newest, begin + 2h) == Numbers{first});
        CHECK(shelf.left() == 5);
    }
    SECTION("runs find the text of their version, and decisions what had been learned") {
        CHECK(shelf.prune(newest, later) == Numbers{first, second, third, fourth});
        CHECK(shelf.left() == 2);
        CHECK(shelf.prune(newest, later).empty());
        CHECK(shelf.word("SELECT string_agg(content, '' ORDER BY published_at) FROM "
                         "learned_versions") == learned(1) + learned(2) + learned(3));
        const auto version = must(schema::parse_rewards(learned(2))).version;
        CHECK(shelf.word(("SELECT count(*)::text FROM learned_versions WHERE kind = 'rewards' AND "
                          "version = '" +
                          journeys::version_text(version) + "'")
                             .c_str()) == "1");
        // What is newest is known after a start as before.
        CHECK(newest_rewards(must(shelf.archive.publications())) == learned(4));
        const std::vector<RetentionRule> rules{{"learned_versions", "published_at", 1h}};
        CHECK(must(delete_old(shelf.database.settings().conninfo, rules, later)) == 3);
    }
    SECTION("nor what is in force, or a partition's position names") {
        auto connection = shelf.database.connect();
        const auto number = [](std::uint64_t publication) {
            return std::to_string(static_cast<std::int64_t>(publication));
        };
        must(connection.run_script(
            ("INSERT INTO partitions (partition) VALUES (0); INSERT INTO progress (partition, "
             "publication, swept) VALUES (0, " +
             number(fourth) + ", " + number(third) +
             "); INSERT INTO publication_eras (partition, n, publication, until) VALUES (0, 0, " +
             number(second) + ", now())")
                .c_str()));
        CHECK(shelf.prune(first, later).empty());
        CHECK(shelf.prune(last_of_old, later) == Numbers{first});
    }
}

} // namespace runtime::test
