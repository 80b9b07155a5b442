/// Abandoned carts and visits of recorded shop traffic, counted by journeys and by a count of a few
/// lines that knows no journeys: the published sets of Taobao and OTTO, which are not part of the
/// repository.
#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"
#include "schema/clickstream.hpp"
#include "tests/support/shared_data.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace runtime;
namespace fs = std::filesystem;

namespace {

/// One timer for each visitor: every cart event starts it anew, a purchase takes it away.
std::string abandoned_cart(const std::string& wait) {
    return R"(
id: abandoned
status: live
enter: { on: Product Added, reentry: always }
exit: { on: Order Completed, reason: purchased }
goal: { on: Order Completed, within: 365d }
steps:
  - name: silence
    wait: { for: )" +
           wait + ", restart_on: [Product Added], at_most: 365d }" + R"(
  - name: reminder
    send: { channel: email, template: reminder, topic: cart }
)";
}

/// Visits that are over: looked at products and did no more, or left a cart behind.
const std::string abandoned_visits = R"(
id: browsed
status: live
enter:
  on: Session Ended
  when:
    - session.views > 0
    - last("Product Added") == null || last("Product Added") < session.started_at
    - last("Order Completed") == null || last("Order Completed") < session.started_at
  reentry: always
steps:
  - { name: note, exit: { reason: browsed } }
)";
const std::string abandoned_in_visit = R"(
id: left-cart
status: live
enter:
  on: Session Ended
  when:
    - last("Product Added") != null && last("Product Added") >= session.started_at
    - last("Order Completed") == null || last("Order Completed") < session.started_at
  reentry: always
steps:
  - { name: note, exit: { reason: left } }
)";
const std::string visits = R"(
id: visits
status: live
enter: { on: Session Ended, reentry: always }
steps:
  - { name: note, exit: { reason: over } }
)";

struct Counts {
    std::size_t armed = 0, disarmed = 0, fired = 0, lost = 0, censored = 0;
    auto operator<=>(const Counts&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Counts& c) {
    return out << c.armed << '/' << c.disarmed << '/' << c.fired << '/' << c.lost << '/'
               << c.censored;
}

/// The set as messages, in a file that goes with this.
class Recorded {
public:
    Recorded(const std::string& format, const fs::path& source)
        : path_(fs::temp_directory_path() /
                ("sojourn-" + source.filename().string() + "." + std::to_string(::getpid()))) {
        std::ofstream out{path_};
        const schema::LineSink write = [&](std::string_view line) { out << line << '\n'; };
        schema::TaobaoConverter taobao;
        for (const auto& line : support::read_lines(source))
            if (!line.empty())
                REQUIRE((format == "otto" ? schema::convert_otto(line, write)
                                          : taobao.convert(line, write))
                            .has_value());
        out.close();
        auto read = read_events({path_});
        REQUIRE(read.has_value());
        CHECK(read->refused_count == 0);
        events = std::move(*read);
    }
    ~Recorded() { fs::remove(path_); }
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;

    RecordedEvents events;

private:
    fs::path path_;
};

journeys::CatalogPtr catalog_of(const std::vector<std::string>& journeys) {
    Files files;
    for (std::size_t i = 0; i < journeys.size(); ++i)
        files.journeys[std::to_string(i) + ".yaml"] = journeys[i];
    CompileOptions options;
    options.trial = true;
    auto compiled = compile(files, options);
    for (const auto& mistake : compiled.mistakes)
        if (!mistake.is_warning) FAIL(schema::to_text(mistake));
    return compiled.catalog;
}

Counts count(const RecordedEvents& recorded, const std::string& wait) {
    Counts counts;
    std::set<std::pair<std::string, journeys::Timestamp>> bought;
    std::map<std::string, std::vector<journeys::Timestamp>> sent, purchases;
    simulate(catalog_of({abandoned_cart(wait)}), recorded.records, {},
             [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                 const auto who = journeys::to_text(customer);
                 switch (entry.kind) {
                 case journeys::EntryKind::enter: ++counts.armed; break;
                 case journeys::EntryKind::exit: ++counts.disarmed; break;
                 case journeys::EntryKind::send:
                     ++counts.fired;
                     sent[who].push_back(entry.at);
                     break;
                 case journeys::EntryKind::goal: purchases[who].push_back(entry.at); break;
                 default: break;
                 }
             });
    counts.censored = counts.armed - counts.disarmed - counts.fired;
    for (const auto& [who, instants] : sent)
        for (const auto at : instants)
            counts.lost +=
                std::ranges::none_of(purchases[who], [&](auto goal) { return goal > at; }) ? 1 : 0;
    return counts;
}

std::map<std::string, std::size_t> count_visits(const RecordedEvents& recorded) {
    std::map<std::string, std::size_t> entered;
    SimulationOptions options;
    options.until = recorded.records.back().accepted_at + std::chrono::hours{1};
    simulate(catalog_of({visits, abandoned_visits, abandoned_in_visit}), recorded.records, options,
             [&](const journeys::CustomerId&, const journeys::TimelineEntry& entry) {
                 if (entry.kind == journeys::EntryKind::enter) ++entered[entry.journey];
             });
    return entered;
}

} // namespace

TEST_CASE("two hours of Taobao: abandoned carts and visits are those of a plain count") {
    const auto path = support::shared_data("taobao/stream_2h.csv.gz");
    if (!path) return;
    const Recorded recorded{"taobao", *path};
    CHECK(count(recorded.events, "30m") == Counts{5683, 39, 4167, 4148, 1477});
    CHECK(count(recorded.events, "1h") == Counts{5635, 50, 2721, 2713, 2864});
    auto seen = count_visits(recorded.events);
    CHECK(seen["visits"] == 70'977);
    CHECK(seen["left-cart"] == 5'586);
    CHECK(seen["browsed"] == 61'399);
}

TEST_CASE("43 Taobao visitors over nine days: the same") {
    const auto path = support::shared_data("taobao/users43_9days.csv.gz");
    if (!path) return;
    const Recorded recorded{"taobao", *path};
    CHECK(count(recorded.events, "1h") == Counts{124, 8, 114, 73, 2});
    CHECK(count(recorded.events, "24h") == Counts{71, 20, 39, 26, 12});
    auto seen = count_visits(recorded.events);
    CHECK(seen["visits"] == 722);
    CHECK(seen["left-cart"] == 112);
    CHECK(seen["browsed"] == 540);
}

TEST_CASE("20 OTTO sessions: the same") {
    const Recorded recorded{"otto",
                            fs::path{SOJOURN_SOURCE_DIR} / "tests/data/otto/sessions20.jsonl"};
    CHECK(count(recorded.events, "24h") == Counts{15, 4, 10, 8, 1});
    auto seen = count_visits(recorded.events);
    CHECK(seen["visits"] == 144);
    CHECK(seen["left-cart"] == 17);
    CHECK(seen["browsed"] == 122);
}
