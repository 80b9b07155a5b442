/// Which walks there are, as time goes by and journeys are edited: no copy is made here.

#include "runtime/walk_desk.hpp"

#include "journeys/local_time.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "tests/runtime/log_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace runtime::test {
namespace {

const Timestamp midnight{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26}};
const Timestamp eight = midnight + 8h;

constexpr auto at_eight = R"(time: "08:00")";

/// A desk over a database that outlives it.
struct Shop {
    ~Shop() { stop(); }

    /// A journey at eight, and a desk that has looked before that.
    void start_before_eight() {
        publish(at_eight);
        start();
        REQUIRE(open_at(eight - 5min).empty());
    }

    /// Publishes it with that entry, beside all its versions before.
    void publish(const std::string& entry, const std::string& status = "live") {
        auto loaded = schema::load_journey("preview.yaml",
                                           "id: preview\nstatus: " + status +
                                               "\nenter: { audience: everybody, reentry: always, " +
                                               entry + " }\nsteps:\n  - wait: { for: 1h }\n",
                                           {});
        REQUIRE(loaded.journey);
        known.push_back(loaded.journey);
        journeys::Lookups lookups;
        lookups.audiences =
            schema::load_audiences("audiences.yaml", "everybody: customer.orders >= 0", {})
                .audiences;
        catalog = std::make_shared<const journeys::Catalog>(
            known.size(), journeys::Settings{}, std::vector{loaded.journey}, known,
            std::map<std::string, std::shared_ptr<const journeys::Template>>{}, nullptr, lookups);
    }
    void start() {
        desk.emplace(WalkDeskParts{.conninfo = conninfo,
                                   .interests = interests,
                                   .log = log,
                                   .catalog = [this] { return catalog; },
                                   .now = [this] { return now; }});
    }
    void stop() {
        if (desk) desk->stop();
        desk.reset();
    }
    /// The walks that are open at that time.
    std::vector<actors::Walk> open_at(Timestamp at) {
        now = at;
        desk->open_walks(listener.actor());
        auto answer = listener.next<actors::OpenWalks>();
        REQUIRE_FALSE(answer.failed);
        return std::move(answer.walks);
    }
    actors::WalkPage page_of(const actors::Walk& walk) {
        desk->next_page(walk, 10, listener.actor());
        return listener.next<actors::WalkPage>();
    }
    void finish(const actors::Walk& walk) {
        desk->finish({walk.id, walk.after, walk.after, 0, true, now});
    }

    Database database;
    const std::string conninfo = database.settings().conninfo;
    std::vector<std::string> lines; ///< Of the log; by the desk's thread, read between its answers.
    Log log{LogFormat::text, LogLevel::info,
            [this](std::string_view line) { lines.emplace_back(line); }};
    InterestDesk interests{conninfo, log};
    std::vector<journeys::JourneyPtr> known;
    journeys::CatalogPtr catalog;
    Timestamp now = midnight;
    Listener listener;
    std::optional<WalkDesk> desk;
};

} // namespace

TEST_CASE("an instant that comes while nothing runs is made up for within six hours",
          "[.postgres]") {
    Shop shop;
    shop.start_before_eight();
    shop.stop();
    shop.start();
    SECTION("in time") {
        for (const auto late : {6h, 7h}) {
            const auto walks = shop.open_at(eight + late);
            REQUIRE(walks.size() == 1); // Once.
            CHECK(walks[0].audience == "everybody");
            CHECK(walks[0].event.at == eight);
        }
    }
    SECTION("too late") {
        CHECK(shop.open_at(eight + 6h + 1ms).empty());
        CHECK(shop.open_at(eight + 24h).size() == 1);
    }
}

TEST_CASE("an instant that was missed counts also where the journey was edited meanwhile",
          "[.postgres]") {
    Shop shop;
    shop.start_before_eight();
    shop.stop();
    SECTION("its instant is still one") {
        shop.publish(R"(time: "08:00", pace: 9/s)");
        shop.start();
        const auto walks = shop.open_at(eight + 5min);
        REQUIRE(walks.size() == 1);
        CHECK(walks[0].event.at == eight);
        CHECK(walks[0].pace == 9);
        CHECK(shop.open_at(eight + 6min).size() == 1);
    }
    SECTION("it has another one, which nobody was promised before it was over") {
        shop.publish(R"(time: "08:02")");
        shop.start();
        CHECK(shop.open_at(eight + 5min).empty());
        CHECK(shop.open_at(eight + 24h).empty());
        CHECK(shop.open_at(eight + 24h + 2min).size() == 1);
    }
    SECTION("it lets nobody in any more") {
        shop.publish(at_eight, "closed");
        shop.start();
        CHECK(shop.open_at(eight + 5min).empty());
    }
    SECTION("it was paused then") {
        shop.publish(at_eight, "paused");
        shop.start();
        REQUIRE(shop.open_at(eight - 1min).empty());
        shop.stop();
        shop.publish(at_eight);
        shop.start();
        CHECK(shop.open_at(eight + 5min).empty());
        CHECK(shop.open_at(eight + 24h).size() == 1);
    }
}

TEST_CASE("a walk stands still while its journey is paused, and ends where it is closed",
          "[.postgres]") {
    Shop shop;
    shop.start_before_eight();
    auto walks = shop.open_at(eight);
    REQUIRE(walks.size() == 1);
    CHECK_FALSE(walks[0].is_held);
    CHECK_FALSE(shop.desk->is_held(walks[0]));

    shop.publish(at_eight, "paused");
    walks = shop.open_at(eight + 1min);
    REQUIRE(walks.size() == 1);
    CHECK(walks[0].is_held);
    CHECK(shop.desk->is_held(walks[0]));
    CHECK(shop.page_of(walks[0]).failed);

    shop.publish(at_eight);
    walks = shop.open_at(eight + 2min);
    REQUIRE(walks.size() == 1);
    CHECK_FALSE(walks[0].is_held);
    auto page = shop.page_of(walks[0]);
    CHECK_FALSE(page.failed);

    shop.publish(at_eight, "closed");
    CHECK_FALSE(shop.open_at(eight + 3min)[0].is_held);
    page = shop.page_of(walks[0]);
    CHECK_FALSE(page.failed);
    CHECK(page.is_last);
}

TEST_CASE("that a walk is over is told, however many others are under way", "[.postgres]") {
    Shop shop;
    shop.publish(at_eight);
    shop.start();
    WalkBook book{shop.conninfo};
    for (int i = 0; i <= WalkBook::walks_at_once; ++i) {
        journeys::CopiedEvent event;
        event.name = std::string{journeys::price_dropped};
        journeys::PackedWriter writer;
        writer.end_map(writer.begin_map(), 0);
        event.properties = writer.take();
        event.at = midnight + i * 1s;
        event.message_hash = static_cast<std::uint64_t>(i) + 1;
        must(book.begin(walk_of(event, "p" + std::to_string(i))));
    }
    const auto told = [&] {
        return std::ranges::count_if(shop.lines, [](const std::string& line) {
            return line.find("copies to many are made") != std::string::npos;
        });
    };
    const auto walks = shop.open_at(midnight + 1h);
    REQUIRE(walks.size() == WalkBook::walks_at_once);
    shop.finish(walks[0]);
    REQUIRE(shop.open_at(midnight + 1h).size() == WalkBook::walks_at_once);
    CHECK(told() == 1);
    shop.finish(walks[1]);
    REQUIRE(shop.open_at(midnight + 1h).size() == WalkBook::walks_at_once - 1);
    CHECK(told() == 2);
    shop.open_at(midnight + 1h);
    CHECK(told() == 2);
}

} // namespace runtime::test
