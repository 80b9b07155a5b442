#include "tests/runtime/postgres_fixture.hpp"

#include "journeys/customer.hpp"
#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/state_version.hpp"

#include <catch2/catch.hpp>

namespace runtime::test {

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

} // namespace runtime::test
