/// A long run with customers that come and go: `soak --minutes N [--rate N]`. Fails where the
/// resident memory, threads, descriptors or sessions of PostgreSQL have a slope, and where the
/// proof that ends it does.
#include "tests/faults/options.hpp"
#include "tests/faults/proof.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>

namespace faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// One number of the service over time, and what it may have risen by at the end, by its slope.
struct Curve {
    const char* what;
    double allowed;
    struct Point {
        double minute = 0, value = 0;
    };
    std::vector<Point> points{};

    /// Of one minute, by least squares.
    double slope() const {
        double x = 0, y = 0, xx = 0, xy = 0;
        const auto n = static_cast<double>(points.size());
        for (const auto& one : points) {
            x += one.minute;
            y += one.value;
            xx += one.minute * one.minute;
            xy += one.minute * one.value;
        }
        const double spread = n * xx - x * x;
        return spread == 0 ? 0 : (n * xy - x * y) / spread;
    }
    double most() const {
        return points.empty() ? 0 : std::ranges::max(points, {}, &Point::value).value;
    }
    /// Whether it holds, and a line that says so.
    bool tells(double minutes) const {
        const double grown = slope() * minutes;
        std::printf("%s: %+.2f a minute over the last two thirds (%+.1f, at most %+.1f), %.0f at "
                    "most\n",
                    what, slope(), grown, allowed, most());
        return grown < allowed;
    }
};

/// What is unbounded by nature: the customers are never deleted.
constexpr std::uintmax_t free_bytes_min = 2ull << 30;
/// How many customers the proof takes on: each is held twice, and read from a log of all.
constexpr double proved_max = 30'000;
constexpr std::uint64_t events_each = 4;

std::string customer_of(std::uint64_t message) {
    return "u" + std::to_string(message / events_each);
}

/// Of a long run every tenth customer, or every hundredth, and so on: all of theirs is proved, and
/// of the others that they are as many as they must be, by the metrics. No two are ever linked.
Sample sample_of(double customers) {
    std::string end;
    for (; customers > proved_max; customers /= 10) end += '0';
    if (end.empty()) return {};
    std::printf("proved are customers whose number ends in %s\n", end.c_str());
    return {.customers = "customer LIKE '%" + end + "'", .has = [end](const std::string& id) {
                return customer_of(std::stoull(id)).ends_with(end);
            }};
}

/// Each customer has some events and is never seen again.
Message next_message(std::uint64_t number) {
    const auto customer = std::to_string(number / events_each);
    const auto id = std::to_string(number);
    const char* const names[events_each] = {"Product Viewed", "Product Added", "Signed Up",
                                            "Order Completed"};
    const auto which = number % events_each;
    return {id, R"({"type":"track","messageId":")" + id + R"(","userId":"u)" + customer +
                    R"(","event":")" + names[which] + R"(","properties":{"cart_id":"c)" + customer +
                    R"(","product_id":"p","price":10,"order_id":"o)" + id + R"(","number":"n)" +
                    id + "\"}}"};
}

/// All of it within the 30 days after which messages expire: for each that had to wait, that
/// instant may stay behind as the customer's stored time, and calm waits for those that are near.
double clock_speed_of(double minutes) {
    constexpr double minutes_max = 27 * 24 * 60, settling = 10;
    return std::min(600.0, minutes_max / (minutes + settling));
}

double sessions_of(const World& world) {
    return std::stod(world.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                               "'sojourn/%' AND application_name NOT LIKE 'sojourn/harness/%'"));
}

int soak(double minutes, double rate) {
    World world{{.clock_speed = clock_speed_of(minutes),
                 .limits = "active_customers: 20000, passivate_after: 2s"}};
    world.start();
    const auto sample = sample_of(minutes * 60 * rate / events_each);
    auto number = std::make_shared<std::uint64_t>(0);
    Producers producers{world.loop,
                        {.port = world.port(),
                         .connections = 1,
                         .rate = rate,
                         .messages_per_frame = 20,
                         .keeps = sample.has},
                        [number](int) { return next_message((*number)++); }};
    // A few of each come and go; what leaks does so with customers, who are many.
    Curve memory{.what = "MB of resident memory", .allowed = 0},
        threads{.what = "threads", .allowed = 2}, files{.what = "descriptors", .allowed = 8},
        sessions{.what = "sessions of PostgreSQL", .allowed = 4};
    double sessions_at_first = 0;
    const auto begin = Clock::now();
    const auto passed = [&] {
        return std::chrono::duration<double, std::ratio<60>>(Clock::now() - begin).count();
    };
    std::printf("%8s %10s %10s %8s %8s %8s %10s\n", "minute", "customers", "resident", "threads",
                "files", "sessions", "active");
    for (double next_line = 0; passed() < minutes;) {
        std::this_thread::sleep_for(1s);
        const auto usage = world.service().usage();
        if (usage.resident_bytes == 0) {
            std::printf("the service has ended\n");
            return 1;
        }
        const auto minute = passed();
        const auto megabytes = static_cast<double>(usage.resident_bytes) / (1 << 20);
        const auto open = sessions_of(world);
        if (minute <= minutes / 3) { // It still fills up.
            sessions_at_first = std::max(sessions_at_first, open);
        } else {
            memory.points.push_back({minute, megabytes});
            threads.points.push_back({minute, static_cast<double>(usage.threads)});
            files.points.push_back({minute, static_cast<double>(usage.descriptors)});
            sessions.points.push_back({minute, open});
        }
        if (minute < next_line) continue;
        next_line += minutes / 20;
        std::printf("%8.1f %10llu %7.0f MB %8llu %8llu %8.0f %10.0f\n", minute,
                    static_cast<unsigned long long>(producers.totals().acked / events_each),
                    megabytes, static_cast<unsigned long long>(usage.threads),
                    static_cast<unsigned long long>(usage.descriptors), open,
                    world.metric("sojourn_active_customers").value_or(-1));
        std::fflush(stdout);
        if (std::filesystem::space(world.folder()).available < free_bytes_min) {
            std::printf("the disk is nearly full\n");
            return 1;
        }
    }
    const double measured = minutes - minutes / 3;
    const auto customers = static_cast<double>(producers.totals().acked) / events_each;
    // Noise of the allocator is a few megabytes, and what it never gives back of so many that come
    // and go some forty bytes each; a leak of a hundred bytes is more, once there were 100,000.
    constexpr double noise = 5, bytes_each = 64;
    memory.allowed = std::max(noise, bytes_each * customers * 2 / 3 / (1 << 20));
    bool holds = true;
    for (const auto* curve : {&memory, &threads, &files, &sessions})
        holds = curve->tells(measured) && holds;
    std::printf("%.0f bytes a customer that came\n",
                memory.slope() * measured * (1 << 20) / (customers * 2 / 3));
    if (sessions.most() > sessions_at_first + sessions.allowed) {
        std::printf("sessions of PostgreSQL: %.0f in the first third\n", sessions_at_first);
        holds = false;
    }
    const auto wrong = settle_and_prove(world, producers, {.every_intent_is_accepted = true},
                                        {.calm = 600s, .stop = 60s}, {}, sample);
    for (const auto& line : wrong) std::printf("%s\n", line.c_str());
    return holds && wrong.empty() ? 0 : 1;
}

} // namespace
} // namespace faults

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app{"Customers come and go, and what they took is given back"};
    double minutes = 10, rate = 2000;
    app.add_option("--minutes", minutes)->capture_default_str()->check(CLI::Range(0.1, 1e6));
    app.add_option("--rate", rate, "Events a second")
        ->capture_default_str()
        ->check(CLI::Range(1.0, 1e6));
    app.add_option("--binary", faults::options().binary, "The service under test")
        ->capture_default_str()
        ->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);
    try {
        return faults::soak(minutes, rate);
    } catch (const std::exception& failure) { // PostgreSQL gives no session, for one.
        std::printf("%s\n", failure.what());
        return 1;
    }
}
