/// The release before, this one, and back, on one database and under traffic.
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>
#include <thread>

namespace faults {

using namespace std::chrono_literals;

namespace {

const Environment release_before{{"SOJOURN_RELEASE", "before"}};

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

/// How the command ended, and what it said.
std::pair<std::optional<int>, std::string> downgrade(const World& world, const std::string& name) {
    const auto output = world.folder() / (name + ".txt");
    Process process{
        {options().binary, "downgrade", "--config", world.config().string()}, {}, output, {}};
    const auto end = process.wait(60s);
    return {end, text_of(output)};
}

std::string versions(const World& world) {
    return world.sql("SELECT string_agg(DISTINCT schema_version::text, ' ' ORDER BY "
                     "schema_version::text) FROM snapshots");
}

} // namespace

TEST_CASE("an upgrade and the way back lose nothing and double nothing") {
    World world;
    world.start(release_before);
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1500ms);
    REQUIRE(world.stop() == 0);
    CHECK(versions(world) == "5");

    // Up, twice: as it is done in order, and after a crash.
    world.start();
    std::this_thread::sleep_for(1500ms);
    const auto meanwhile = downgrade(world, "meanwhile");
    CHECK(meanwhile.first == 3);
    CHECK(meanwhile.second.find("a service works on this database") != std::string::npos);
    world.service().kill();
    world.start();
    std::this_thread::sleep_for(500ms);
    REQUIRE(world.stop() == 0);
    CHECK(versions(world).find('6') != std::string::npos);

    // The release before does not begin to park what it cannot read: it says what is to be done.
    world.launch(release_before);
    CHECK(world.service().wait(30s) == 3);
    CHECK(text_of(world.log()).find("sojourn downgrade") != std::string::npos);

    const auto back = downgrade(world, "back");
    INFO(back.second);
    REQUIRE(back.first == 0);
    CHECK(versions(world) == "5");
    world.start(release_before);
    std::this_thread::sleep_for(1500ms);
    REQUIRE(world.stop() == 0);
    CHECK(versions(world) == "5");

    world.start(); // And up again.
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

} // namespace faults
