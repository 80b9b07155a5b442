/// Files that are published, replaced, and published again.

#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/publication.hpp"
#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <vector>

namespace runtime::test {
namespace {

constexpr auto waits_an_hour = R"(id: j
status: live
on_publish: exit
enter: { on: Product Viewed, reentry: never }
steps:
  - wait: { for: 1h }
)";
constexpr auto waits_two_hours = R"(id: j
status: live
on_publish: exit
enter: { on: Product Viewed, reentry: never }
steps:
  - wait: { for: 2h }
)";

std::vector<std::uint64_t> numbers(ServiceFolder& folder) {
    const auto database = must(open_database(folder.config()));
    Archive archive{database.conninfo};
    return must(archive.publication_numbers());
}

} // namespace

TEST_CASE("files that come back are another publication, of the same content", "[publication]") {
    Files files;
    files.journeys["j.yaml"] = waits_an_hour;
    const auto first = publication_of(files);
    std::set<std::uint64_t> taken;
    const auto is_taken = [&](std::uint64_t publication) { return taken.contains(publication); };
    tell_apart(files, is_taken);
    CHECK(publication_of(files) == first);
    taken.insert(first);
    tell_apart(files, is_taken);
    const auto second = publication_of(files);
    CHECK(second != first);
    taken.insert(second);
    tell_apart(files, is_taken);
    CHECK_FALSE(taken.contains(publication_of(files)));
    CHECK(files.returned == 2);

    const auto read = must(files_from_text(to_text(files)));
    CHECK(read.returned == 2);
    CHECK(publication_of(read) == publication_of(files));
}

TEST_CASE("what a publication did to runs is done, though the files before it come back",
          "[.postgres]") {
    ServiceFolder folder;
    folder.write("journeys/j.yaml", waits_an_hour);
    folder.start();
    folder.send({R"([{"type":"track","messageId":"m1","userId":"ada","event":"Product Viewed",
                      "properties":{"product_id":"p1"}}])"});
    folder.wait_for_customer("ada", "\"journey\":\"j\"");

    folder.write("journeys/j.yaml", waits_two_hours);
    REQUIRE(folder.service().reload() == "published");
    folder.write("journeys/j.yaml", waits_an_hour);
    REQUIRE(folder.service().reload() == "published");
    CHECK(folder.service().reload() == "no file has changed");
    folder.wait_for_customer("ada/timeline", "superseded");
    const auto three = numbers(folder);
    CHECK(std::set(three.begin(), three.end()).size() == 3);

    folder.stop();
    folder.start(); // The files are those that ran.
    CHECK(folder.service().reload() == "no file has changed");
    CHECK(numbers(folder) == three);

    folder.stop();
    folder.write("journeys/j.yaml", waits_two_hours);
    folder.start();
    CHECK(numbers(folder).size() == 4);
    folder.stop();
}

} // namespace runtime::test
