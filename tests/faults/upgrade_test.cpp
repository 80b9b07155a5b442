/// The release before, this one, and back, on one database and under traffic; and states that
/// earlier releases really wrote.
#include "journeys/customer.hpp"
#include "journeys/local_time.hpp"
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <set>
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

constexpr int oldest_version = 1, newest_version = journeys::customer_schema_version;

static_assert(newest_version < 10); // Or the ids of all are no longer equally long.
std::string id_of(int version) { return "u-104" + std::to_string(version); }

/// What a release with this version of states has written: recorded bytes, the digit of the id
/// apart, so that the customers are several.
std::string written_by(int version) {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v" + std::to_string(version) +
                       ".bin.hex"};
    std::string block;
    for (char high = 0, low = 0; file >> high >> low;)
        block += static_cast<char>(std::stoi(std::string{high, low}, nullptr, 16));
    REQUIRE(static_cast<int>(block.at(0)) == version);
    const std::string recorded = "u-1042", own = id_of(version);
    for (auto at = block.find(recorded); at != block.npos; at = block.find(recorded, at + 1))
        block.replace(at, own.size(), own);
    return block;
}

journeys::Customer unpacked(std::string_view block) {
    auto customer = journeys::unpack(block);
    REQUIRE(customer.has_value());
    return std::move(*customer);
}

/// What no event of this test changes, and what the release before has a field for. Not the runs:
/// theirs is of a version that this database has never seen, and ends.
struct Kept {
    const char* name;
    void (*take)(journeys::Customer& to, const journeys::Customer& from);
};

const Kept all_kept[]{
    {"ids", [](auto& to, auto& from) { to.known_ids = from.known_ids; }},
    {"first seen", [](auto& to, auto& from) { to.first_seen = from.first_seen; }},
    {"traits", [](auto& to, auto& from) { to.traits = from.traits; }},
    {"times of traits", [](auto& to, auto& from) { to.traits_at = from.traits_at; }},
    {"place",
     [](auto& to, auto& from) {
         to.timezone = from.timezone;
         to.locale = from.locale;
         to.country = from.country;
     }},
    {"consents", [](auto& to, auto& from) { to.consents = from.consents; }},
    {"suppressions", [](auto& to, auto& from) { to.suppressions = from.suppressions; }},
    {"carts", [](auto& to, auto& from) { to.carts = from.carts; }},
    {"carts made", [](auto& to, auto& from) { to.carts_made = from.carts_made; }},
    {"orders", [](auto& to, auto& from) { to.orders = from.orders; }},
    {"count of orders", [](auto& to, auto& from) { to.order_count = from.order_count; }},
    {"purchases", [](auto& to, auto& from) { to.purchases = from.purchases; }},
    {"decisions", [](auto& to, auto& from) { to.decisions = from.decisions; }}};

std::string packed(const Kept& kept, const journeys::Customer& customer) {
    journeys::Customer only;
    only.id = customer.id;
    kept.take(only, customer);
    return journeys::pack(only);
}

/// Rows as the releases left them, their logs long cut off.
void put_states_of_every_version(World& world) {
    const auto partitions = std::stoull(world.sql("SELECT partitions FROM deployment"));
    auto connection = world.connect();
    for (int version = oldest_version; version <= newest_version; ++version) {
        const auto block = written_by(version);
        const auto customer = unpacked(block);
        runtime::SqlParams params;
        params.add_bytes(journeys::to_text(customer.id))
            .add(static_cast<std::int16_t>(journeys::hash(customer.id) % partitions))
            .add(static_cast<std::int16_t>(version))
            .add(static_cast<std::int64_t>(customer.revision))
            .add(static_cast<std::int64_t>(customer.applied))
            .add_bytes(block);
        REQUIRE(connection
                    .run("INSERT INTO snapshots (customer, partition, schema_version, revision, "
                         "applied, wake_at, block) VALUES ($1, $2, $3, $4, $5, NULL, $6)",
                         params)
                    .has_value());
    }
    world.sql("UPDATE log_positions SET last_offset = last_offset + 100000");
    world.sql("UPDATE progress SET watermark = watermark + 100000");
}

void require_kept(const World& world, int version) {
    auto connection = world.connect();
    for (int of = oldest_version; of <= newest_version; ++of) {
        CAPTURE(of);
        runtime::SqlParams params;
        params.add_bytes("user:" + id_of(of));
        const auto rows = connection.run(
            "SELECT block, schema_version FROM snapshots WHERE customer = $1", params);
        REQUIRE(rows.has_value());
        REQUIRE(rows->size() == 1);
        CHECK(rows->int2(0, 1) == version);
        const auto before = unpacked(written_by(of)), after = unpacked(rows->bytes(0, 0));
        for (const auto& kept : all_kept) {
            CAPTURE(kept.name);
            CHECK((packed(kept, after) == packed(kept, before)));
        }
        CHECK(after.revision > before.revision);
        CHECK(after.applied > before.applied);
    }
    CHECK(world.sql("SELECT count(*) FROM parked") == "0");
}

/// In place of the proof: a reference run begins with the first event of a customer, and the logs
/// of these are cut off, their states rewritten by a release before. So many events were acked
/// since.
void require_once(const World& world, std::size_t messages) {
    const auto count = [&](const std::string& rows) {
        return std::stoul(world.sql("SELECT count(*) FROM " + rows));
    };
    // Nothing is lost: each is in the log, and its customer remembers it; each opened its runs.
    CHECK(count("log WHERE kind = 1") == messages);
    auto connection = world.connect();
    const auto rows = connection.run(
        "SELECT l.message_hash, s.block FROM log l JOIN snapshots s USING (customer) "
        "WHERE l.kind = 1");
    REQUIRE(rows.has_value());
    REQUIRE(static_cast<std::size_t>(rows->size()) == messages);
    std::set<std::uint64_t> hashes;
    for (int row = 0; row < rows->size(); ++row) {
        const auto hash = rows->uint8(row, 0);
        CHECK(hashes.insert(hash).second);
        const auto customer = unpacked(rows->bytes(row, 1));
        CHECK(std::ranges::count(customer.dedup, hash) == 1);
    }
    for (const char* journey : {"welcome", "hello"}) {
        CAPTURE(journey);
        CHECK(count("timeline WHERE kind = 'enter' AND journey = '" + std::string{journey} + "'") ==
              messages);
    }
    // Nothing is sent twice, nor without an intent. Not all have agreed to `hello`.
    const auto seen = world.provider->seen();
    CHECK(count("outbox WHERE state = 'accepted'") == seen.size());
    for (const auto& [id, call] : seen) {
        CAPTURE(id);
        CHECK(call.requests == 1);
        CHECK(world.sql("SELECT state FROM outbox WHERE intent = '" + id + "'") == "accepted");
    }
    CHECK(count("outbox WHERE state NOT IN ('accepted', 'recalled')") == 0);
}

/// One event of each of them, which sends a message at once; until `messages` were sent in all.
void sign_everybody_up(World& world, const std::string& number, std::size_t messages) {
    RawClient client{world.port()};
    REQUIRE(client.open_stream("/v1/stream?write_key=test-key").status == 101);
    for (int of = oldest_version; of <= newest_version; ++of) {
        const auto id = id_of(of);
        client.send_text(R"({"type":"track","messageId":")" + id + number + R"(","userId":")" + id +
                         R"(","event":"Signed Up","properties":{"number":")" + number + "\"}}");
        CHECK(client.read_text().find(R"("accepted":1)") != std::string::npos);
    }
    const std::string accepted =
        "SELECT count(*) FROM outbox WHERE channel = 'crm' AND state = 'accepted'";
    for (int i = 0; i < 300 && world.sql(accepted) != std::to_string(messages); ++i)
        std::this_thread::sleep_for(50ms);
    CHECK(world.sql(accepted) == std::to_string(messages));
    const std::string open = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')";
    for (int i = 0; i < 300 && world.sql(open) != "0"; ++i) std::this_thread::sleep_for(50ms);
    CHECK(world.sql(open) == "0");
}

} // namespace

TEST_CASE("an upgrade and the way back lose nothing and double nothing") {
    const auto before = std::to_string(newest_version - 1);
    World world;
    world.start(release_before);
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1500ms);
    REQUIRE(world.stop() == 0);
    CHECK(versions(world) == before);

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
    CHECK(versions(world).find(std::to_string(newest_version)) != std::string::npos);

    // The release before does not begin to park what it cannot read: it says what is to be done.
    world.launch(release_before);
    CHECK(world.service().wait(30s) == 3);
    CHECK(text_of(world.log()).find("sojourn downgrade") != std::string::npos);

    const auto back = downgrade(world, "back");
    INFO(back.second);
    REQUIRE(back.first == 0);
    CHECK(versions(world) == before);
    world.start(release_before);
    std::this_thread::sleep_for(1500ms);
    REQUIRE(world.stop() == 0);
    CHECK(versions(world) == before);

    world.start(); // And up again.
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

TEST_CASE("an upgrade from every version that states ever had, and the way back") {
    World world{{.clock_speed = 1}};
    // Some seconds behind the last event of the recorded customers.
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto then = *journeys::parse_timestamp("2026-06-01T12:00:10Z");
    const auto offset = std::chrono::floor<std::chrono::seconds>(then) - now;
    const Environment this_release{{"SOJOURN_CLOCK_OFFSET", std::to_string(offset.count())}};
    Environment before = this_release;
    before.insert(release_before.begin(), release_before.end());
    constexpr std::size_t everybody = newest_version - oldest_version + 1;

    world.start(before);
    REQUIRE(world.stop() == 0);
    put_states_of_every_version(world);
    world.start(this_release);
    sign_everybody_up(world, "1", everybody);
    REQUIRE(world.stop() == 0);
    require_kept(world, newest_version);

    const auto back = downgrade(world, "back");
    INFO(back.second);
    REQUIRE(back.first == 0);
    CHECK(back.second.find("1 customers: an order that is undone") != std::string::npos);
    require_kept(world, newest_version - 1);
    world.start(before);
    sign_everybody_up(world, "2", 2 * everybody);
    REQUIRE(world.stop() == 0);
    require_kept(world, newest_version - 1);

    world.start(this_release);
    sign_everybody_up(world, "3", 3 * everybody);
    REQUIRE(world.stop() == 0);
    require_kept(world, newest_version);
    require_once(world, 3 * everybody);
}

} // namespace faults
