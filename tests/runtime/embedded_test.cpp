#include "tests/runtime/postgres_fixture.hpp"

#include "runtime/archive.hpp"
#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/state_version.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace runtime::test {

TEST_CASE("an embedded server is made, adopted while it runs, and stopped", "[.postgres]") {
    const TemporaryFolder folder;
    // Deep enough that a socket beside the data would have too long a path.
    const auto data = folder.path() / std::string(60, 'a') / std::string(60, 'b');
    auto first = must(EmbeddedPostgres::start(data));
    CHECK_FALSE(first.was_adopted());
    const auto pid = first.server_pid();
    auto connection =
        must(Connection::open({.conninfo = first.conninfo(), .instance = "test"}, "test"));
    CHECK(must(connection.run_script("SHOW fsync")).bytes(0, 0) == "on");
    CHECK(must(connection.run_script("SHOW listen_addresses")).bytes(0, 0).empty());
    first.leave_running(); // As if we had been killed.

    auto second = must(EmbeddedPostgres::start(data));
    CHECK(second.was_adopted());
    CHECK(second.server_pid() == pid);
    must(second.stop());
    CHECK(must(EmbeddedPostgres::start(data)).server_pid() != pid);
}

TEST_CASE("an embedded server that cannot be is one clear line", "[.postgres]") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "file";
    std::ofstream{file} << "not a folder";
    const auto refused = EmbeddedPostgres::start(file);
    REQUIRE(refused.has_error());
    CHECK(refused.error().detail.find("cannot make " + file.string()) == 0);
    CHECK(refused.error().detail.find('\n') == std::string::npos);

    if (::geteuid() == 0) {
        const auto closed = folder.path() / "closed";
        ::mkdir(closed.c_str(), 0700);
        const auto barred = EmbeddedPostgres::start(closed / "data");
        REQUIRE(barred.has_error());
        CHECK(barred.error().detail.find("may not enter " + closed.string()) != std::string::npos);
    }
}

TEST_CASE("migrations are applied once, and a changed one is refused", "[.postgres]") {
    const Database database;
    auto connection = database.connect();
    CHECK(must(migrate(connection)) == 0);

    must(connection.run_script("UPDATE migrations SET checksum = 'other' WHERE number = 2"));
    const auto changed = migrate(connection);
    REQUIRE(changed.has_error());
    CHECK(changed.error().detail.find("0002_log") != std::string::npos);
}

TEST_CASE("a release starts on what a newer one has only added to", "[.postgres]") {
    const Database database;
    auto connection = database.connect();
    auto newer = migrations();
    newer.push_back(
        {9001, "9001_more", "-- Additive: nobody else reads it.\nCREATE TABLE more ()"});
    CHECK(must(migrate(connection, newer)) == 1);
    CHECK(must(migrate(connection)) == 0);
    CHECK(must(migrate(connection, newer)) == 0);

    newer.push_back({9002, "9002_less", "DROP TABLE more"});
    CHECK(must(migrate(connection, newer)) == 1);
    const auto refused = migrate(connection);
    REQUIRE(refused.has_error());
    CHECK(refused.error().detail.find("9002_less") != std::string::npos);
}

TEST_CASE("states are rewritten for the release before, once and again", "[.postgres]") {
    const Database database;
    auto connection = database.connect();
    must(fix_partition_count(connection, 4));
    must(claim_state_version(connection));
    constexpr int customers = 2'500; // More than two batches.
    for (int i = 0; i < customers; ++i) {
        journeys::Customer customer;
        customer.id = {journeys::IdNamespace::user, std::to_string(i)};
        if (i < 3) customer.rewarded.push_back({});
        SqlParams params;
        params.add_bytes(journeys::to_text(customer.id))
            .add(std::int16_t{journeys::customer_schema_version})
            .add_bytes(i == 9 ? "\x06no state" : journeys::pack(customer));
        must(connection.run("INSERT INTO snapshots (customer, partition, schema_version, revision, "
                            "applied, block) VALUES ($1, 0, $2, 7, 3, $3)",
                            params));
    }
    must(connection.run("INSERT INTO partitions (partition, epoch) VALUES (0, 5)"));

    must(connection.run("INSERT INTO transfers (partition, customer, kind, message_hash, body) "
                        "VALUES (0, 'user:1', 4, 0, '')"));
    const auto refused = write_states_for_release_before(connection);
    REQUIRE(refused.has_error());
    CHECK(refused.error().detail.find("1 states are on their way") == 0);
    must(connection.run("DELETE FROM transfers"));

    const auto done = must(write_states_for_release_before(connection));
    CHECK(done.states == customers - 1);
    CHECK(done.rewarded == 3);
    CHECK(done.unreadable == 1);
    const auto rows = must(
        connection.run("SELECT count(*) FROM snapshots WHERE schema_version = get_byte(block, 0) "
                       "AND schema_version = 5 AND revision = 7 AND applied = 3"));
    CHECK(rows.int8(0, 0) == customers - 1);
    // Whoever owned the partition before is shut out.
    CHECK(must(connection.run("SELECT epoch FROM partitions")).int8(0, 0) > 5);

    const auto again = must(write_states_for_release_before(connection));
    CHECK(again.states == 0);
    CHECK(again.unreadable == 1);
    must(claim_state_version(connection)); // This release may come again,
    must(connection.run("UPDATE deployment SET state_version = 7"));
    const auto newer = claim_state_version(connection); // and not where a newer one has written.
    REQUIRE(newer.has_error());
    CHECK(newer.error().detail.find("states of version 7; this one reads up to 6") !=
          std::string::npos);
}

TEST_CASE("a database keeps the count of partitions that it was made with", "[.postgres]") {
    const Database database;
    auto connection = database.connect();
    must(fix_partition_count(connection, 4));
    must(fix_partition_count(connection, 4));
    CHECK(fix_partition_count(connection, 8).has_error());
}

TEST_CASE("publications are found again in their order, and never change", "[.postgres]") {
    const Database database;
    Archive archive{database.settings().conninfo};
    must(archive.save_publication(7, "text", journeys::from_millis(1)));
    must(archive.save_publication(9, "next", journeys::from_millis(2)));
    must(archive.save_publication(7, "other", journeys::from_millis(3)));
    CHECK(must(archive.publications()) == std::vector<std::string>{"text", "next"});
}

} // namespace runtime::test
