#include "runtime/postgres/upgrade.hpp"

#include "tests/runtime/postgres_fixture.hpp"

#include <catch2/catch.hpp>

#include <optional>

namespace runtime::test {

using namespace std::chrono_literals;

namespace {

bool has_table(const Database& database, const char* table) {
    auto connection = database.connect();
    SqlParams params;
    params.add_text(table);
    return must(connection.run("SELECT to_regclass($1) IS NOT NULL", params)).boolean(0, 0);
}

/// A database of the release before, on which a process of that release may work.
struct Before {
    Before() { newer.push_back({9001, "9001_more", "-- Additive.\nCREATE TABLE more ()"}); }

    PrimacySettings primacy() const {
        return {.connection = database.settings(), .beat = 1s, .silence = 1h, .look = 1ms};
    }
    static bool take(Primacy& primacy) {
        return primacy.acquire([] {}, [] { return true; });
    }
    journeys::Result<bool> upgrade(std::function<bool(int)> gives_up) {
        return bring_to_schema(
            database.settings(), own, [&] { ++waits; },
            [&, gives_up = std::move(gives_up)] { return gives_up(++asked); }, newer);
    }

    Database database;
    std::vector<Migration> newer = migrations();
    Primacy own{primacy()};
    int waits = 0, asked = 0;
};

} // namespace

TEST_CASE("what an older process can live with is added while it works", "[.postgres]") {
    Before before;
    Primacy older{before.primacy()};
    REQUIRE(Before::take(older));
    CHECK(must(before.upgrade([](int) { return true; })));
    CHECK(before.waits == 0);
    CHECK(has_table(before.database, "more"));
    CHECK_FALSE(Before::take(before.own)); // It stands by, as ever.
}

TEST_CASE("what an older process cannot live with waits until that has ended", "[.postgres]") {
    Before before;
    before.newer.push_back({9002, "9002_less", "CREATE TABLE other (); DROP TABLE more"});
    before.newer.push_back({9003, "9003_again", "-- Additive.\nCREATE TABLE again ()"});
    const auto is_untouched = [&] {
        // What is additive in front of it is there, what is behind it is not.
        return has_table(before.database, "more") && !has_table(before.database, "other") &&
               !has_table(before.database, "again");
    };
    const auto is_changed = [&] {
        return !has_table(before.database, "more") && has_table(before.database, "other") &&
               has_table(before.database, "again");
    };

    SECTION("at once where nobody works") {
        CHECK(must(before.upgrade([](int) { return true; })));
        CHECK(before.waits == 0);
        CHECK(is_changed());
        Primacy third{before.primacy()};
        CHECK_FALSE(Before::take(third)); // So nobody begins to work meanwhile.
        CHECK(Before::take(before.own));  // Who has it may ask again.
    }
    SECTION("the older one ends") {
        std::optional<Primacy> older{std::in_place, before.primacy()};
        REQUIRE(Before::take(*older));
        CHECK(must(before.upgrade([&](int asked) {
            CHECK(is_untouched());
            if (asked == 3) older.reset();
            return false;
        })));
        CHECK(before.waits == 1);
        CHECK(before.asked >= 3);
        CHECK(is_changed());
    }
    SECTION("it is asked to end itself") {
        Primacy older{before.primacy()};
        REQUIRE(Before::take(older));
        CHECK_FALSE(must(before.upgrade([](int asked) { return asked == 2; })));
        CHECK(before.asked == 2);
        CHECK(is_untouched());
    }
    SECTION("another of the new release has done it meanwhile, and works") {
        Primacy other{before.primacy()};
        REQUIRE(Before::take(other));
        CHECK(must(before.upgrade([&](int) {
            auto connection = before.database.connect();
            must(migrate(connection, before.newer));
            return false;
        })));
        CHECK(before.asked == 1);
        CHECK(is_changed());
        CHECK_FALSE(Before::take(before.own));
    }
    SECTION("the connection is lost while it waits") {
        std::optional<Primacy> older{std::in_place, before.primacy()};
        REQUIRE(Before::take(*older));
        CHECK(must(before.upgrade([&](int asked) {
            auto connection = before.database.connect();
            if (asked == 1)
                must(connection.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
                                    "WHERE application_name LIKE '%/migrate/%' "
                                    "AND datname = current_database()"));
            if (asked == 3) older.reset();
            return false;
        })));
        CHECK(is_changed());
    }
    SECTION("the older one has lost the primacy and does not know it: its epoch is over") {
        auto connection = before.database.connect();
        must(connection.run(
            "INSERT INTO partitions (partition, epoch, owner) VALUES (0, 5, 'old'), (1, 7, '')"));
        auto stuck = must(Connection::open(before.database.settings("old"), "journal"));
        must(stuck.run_script("BEGIN; SELECT epoch FROM partitions FOR SHARE"));
        CHECK(must(before.upgrade([](int) { return true; })));
        CHECK(is_changed());
        CHECK(must(connection.run("SELECT sum(epoch)::bigint FROM partitions")).int8(0, 0) == 14);
        CHECK_FALSE(stuck.run_script("COMMIT").has_value());
    }
    SECTION("a database that a still newer release has changed is refused, not waited for") {
        Primacy older{before.primacy()};
        REQUIRE(Before::take(older));
        auto connection = before.database.connect();
        auto newest = before.newer;
        newest.push_back({9004, "9004_newest", "DROP TABLE again"});
        must(migrate(connection, newest));
        const auto refused = before.upgrade([](int) { return true; });
        REQUIRE(refused.has_error());
        CHECK(refused.error().detail.find("9004_newest") != std::string::npos);
        CHECK(before.asked == 0);
    }
}

} // namespace runtime::test
