#include "tests/bench/lateness_bench.hpp"

#include "schema/timestamp_text.hpp"
#include "tests/bench/loaded_pipeline.hpp"
#include "tests/bench/loaded_service.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t frame_messages = 100;
constexpr auto look_every = 5ms;
constexpr double patience = 120;
constexpr const char* event = "Bench Due: { properties: { due: time } }";
constexpr const char* journey = R"(id: bench-due
status: live
enter: { on: Bench Due, reentry: always }
steps:
  - name: until-then
    wait: { until: { date: run.event.properties.due, past: go_on } }
)";

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"lateness: " + what};
}

class Ours {
public:
    explicit Ours(const LatenessOptions& options)
        : customers_(options.customers / frame_messages * frame_messages),
          service_(options.config, options.folder / "ours", [&](std::string&) {
              add_journey(options.folder / "ours/config", "bench-due", journey, event, true);
          }) {}

    double round() {
        // Time enough for all of them to come, and to be in snapshots.
        const auto due = wall_now() + 15s + customers_ / 2 * 1ms;
        let_wait_until(due);
        ++rounds_;
        auto connection = service_.service().connect();
        const auto waiting =
            "SELECT count(*) FROM snapshots WHERE wake_at <= '" + schema::timestamp_text(due) + "'";
        const auto wait = number_of(connection, waiting);
        check(wait == customers_, std::to_string(wait) + " wait");
        check(wall_now() < due, "they came too slowly");
        std::optional<double> half;
        std::optional<double> late;
        const auto all = static_cast<double>(customers_);
        const auto millis_after = [&] { return static_cast<double>((wall_now() - due).count()); };
        while (true) {
            const auto over = all - number_of(connection, waiting);
            const auto at = millis_after();
            check(at >= 0 || over == 0, "a wait is over too early");
            if (!half && over >= all / 2) half = at;
            if (!late && over >= all * 0.99) late = at;
            if (over == all) break;
            check(at < patience * 1000, "waits are never over");
            std::this_thread::sleep_for(look_every);
        }
        halves.push_back(*half);
        lasts.push_back(millis_after());
        check_once(connection);
        return *late;
    }

    std::vector<double> halves, lasts;

private:
    void let_wait_until(journeys::Timestamp due) {
        std::uint32_t next = 0;
        const auto text = schema::timestamp_text(due);
        service_.run({.frame_messages = frame_messages,
                      .seconds = 1e9,
                      .frames_max = customers_ / frame_messages},
                     [&](std::size_t messages) {
                         std::string frame{"["};
                         const auto now = schema::timestamp_text(wall_now());
                         for (std::size_t i = 0; i < messages; ++i, ++next) {
                             if (i > 0) frame += ',';
                             frame += R"({"type":"track","event":"Bench Due","userId":")" +
                                      user_of(next) + R"(","messageId":"bench-due-)" +
                                      std::to_string(rounds_) + '-' + std::to_string(next) +
                                      R"(","timestamp":")" + now + R"(","properties":{"due":")" +
                                      text + R"("}})";
                         }
                         return frame + ']';
                     });
    }

    void check_once(runtime::Connection& connection) const {
        const std::string ends{"FROM timeline WHERE kind = 'end' AND journey = 'bench-due'"};
        check(number_of(connection, "SELECT count(*) " + ends) ==
                  static_cast<double>(customers_) * rounds_,
              "some are over twice or never");
        check(number_of(connection, "SELECT count(*) FROM (SELECT 1 " + ends +
                                        " GROUP BY customer HAVING count(*) <> " +
                                        std::to_string(rounds_) + ") AS wrong") == 0,
              "somebody's is over twice");
    }

    const std::uint32_t customers_;
    LoadedService service_;
    int rounds_ = 0;
};

class Raw {
public:
    explicit Raw(const LatenessOptions& options)
        : server_(start_postgres(options.folder / "raw")),
          customers_(std::to_string(options.customers)) {
        auto opened = runtime::Connection::open(
            {.conninfo = server_.conninfo(), .instance = "bench"}, "bench");
        check(opened.has_value(), opened ? "" : opened.error().detail);
        connection_.emplace(std::move(*opened));
        run("CREATE TABLE bare (customer bytea PRIMARY KEY, wake_at timestamptz) "
            "WITH (fillfactor = 70)");
        run("CREATE INDEX ON bare (wake_at) WHERE wake_at IS NOT NULL");
        run("INSERT INTO bare SELECT convert_to('user:u' || n, 'UTF8'), NULL FROM "
            "generate_series(1, " +
            customers_ + ") AS n");
    }

    double round() {
        run("UPDATE bare SET wake_at = now()");
        const auto begin = seconds_now();
        run("UPDATE bare SET wake_at = NULL WHERE wake_at <= now()");
        return (seconds_now() - begin) * 1000;
    }

private:
    void run(const std::string& sql) {
        const auto done = connection_->run_script(sql);
        check(done.has_value(), done ? "" : done.error().detail);
    }

    runtime::EmbeddedPostgres server_;
    const std::string customers_;
    std::optional<runtime::Connection> connection_;
};

} // namespace

Figure bench_lateness(const LatenessOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    Raw raw{options};
    auto figure = compare(
        "lateness, all due at once", "ms, p99", options.rounds, [&] { return ours.round(); },
        [&] { return raw.round(); });
    figure.goal = "<= " + std::to_string(static_cast<int>(options.goal_ms)) + " ms";
    figure.reached = figure.ours.median <= options.goal_ms;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"ours: p50, ms", spread_of(ours.halves).median},
                      {"ours: the last, ms", spread_of(ours.lasts).median}};
    return figure;
}

} // namespace bench
