#include "tests/runtime/postgres_fixture.hpp"

#include "runtime/archive.hpp"
#include "runtime/postgres/migrate.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
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

TEST_CASE("an embedded server inherits nothing that is open", "[.postgres]") {
    // As Asio's sockets are; it outlives us, and would hold the port that we listen on.
    std::array<int, 2> inherited{};
    REQUIRE(::pipe(inherited.data()) == 0);
    const auto target = [](const std::string& process, const std::string& descriptor) {
        std::error_code gone;
        return std::filesystem::read_symlink("/proc/" + process + "/fd/" + descriptor, gone);
    };
    const auto ours = target("self", std::to_string(inherited[0]));
    REQUIRE_FALSE(ours.empty());
    const TemporaryFolder folder;
    auto server = must(EmbeddedPostgres::start(folder.path() / "data"));
    const auto process = std::to_string(server.server_pid());
    std::size_t open = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/" + process + "/fd"}) {
        ++open;
        CHECK(target(process, entry.path().filename()) != ours);
    }
    CHECK(open > 3);
    ::close(inherited[0]);
    ::close(inherited[1]);
    must(server.stop());
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
