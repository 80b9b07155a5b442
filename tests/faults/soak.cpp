/// A long run with customers that come and go: `soak --minutes N [--rate N]`. Fails where the
/// resident memory has a slope.
#include "tests/faults/options.hpp"
#include "tests/faults/world.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <thread>

namespace faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Sample {
    double minute = 0, megabytes = 0;
};

/// Megabytes a minute, by least squares.
double slope_of(const std::vector<Sample>& samples) {
    double x = 0, y = 0, xx = 0, xy = 0;
    const auto n = static_cast<double>(samples.size());
    for (const auto& one : samples) {
        x += one.minute;
        y += one.megabytes;
        xx += one.minute * one.minute;
        xy += one.minute * one.megabytes;
    }
    const double spread = n * xx - x * x;
    return spread == 0 ? 0 : (n * xy - x * y) / spread;
}

/// Each customer has some events and is never seen again.
Message next_message(std::uint64_t number) {
    constexpr std::uint64_t events_each = 4;
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

int soak(double minutes, double rate) {
    World world{{.clock_speed = 600, .limits = "active_customers: 20000, passivate_after: 2s"}};
    world.start();
    auto number = std::make_shared<std::uint64_t>(0);
    Producers producers{
        world.loop,
        {.port = world.port(), .connections = 1, .rate = rate, .messages_per_frame = 20},
        [number](int) { return next_message((*number)++); }};
    std::vector<Sample> samples;
    const auto begin = Clock::now();
    const auto passed = [&] {
        return std::chrono::duration<double, std::ratio<60>>(Clock::now() - begin).count();
    };
    std::printf("%8s %10s %10s %8s %8s %10s\n", "minute", "customers", "resident", "threads",
                "files", "active");
    for (double next_line = 0; passed() < minutes;) {
        std::this_thread::sleep_for(1s);
        const auto usage = world.service().usage();
        if (usage.resident_bytes == 0) {
            std::printf("the service has ended\n");
            return 1;
        }
        const Sample sample{passed(), static_cast<double>(usage.resident_bytes) / (1 << 20)};
        if (sample.minute > minutes / 3) samples.push_back(sample); // Before it still fills up.
        if (sample.minute < next_line) continue;
        next_line += minutes / 20;
        std::printf("%8.1f %10llu %7.0f MB %8llu %8llu %10.0f\n", sample.minute,
                    static_cast<unsigned long long>(producers.totals().acked / 4), sample.megabytes,
                    static_cast<unsigned long long>(usage.threads),
                    static_cast<unsigned long long>(usage.descriptors),
                    world.metric("sojourn_active_customers").value_or(-1));
        std::fflush(stdout);
    }
    const auto slope = slope_of(samples);
    const auto customers = static_cast<double>(producers.totals().acked) / 4;
    const double grown = slope * (minutes - minutes / 3);
    std::printf("resident memory: %.2f MB a minute over the last two thirds (%.1f MB, %.0f bytes a "
                "customer that came)\n",
                slope, grown, grown * (1 << 20) / (customers * 2 / 3));
    producers.finish(60s);
    const bool ends = world.stop(60s) == 0;
    if (!ends) std::printf("it does not end\n");
    // Noise of the allocator is a few megabytes; a leak of 100 bytes a customer is more.
    return ends && grown < std::max(10.0, 0.03 * samples.back().megabytes) ? 0 : 1;
}

} // namespace
} // namespace faults

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app{"Customers come and go, and the memory stays"};
    double minutes = 10, rate = 2000;
    app.add_option("--minutes", minutes)->capture_default_str();
    app.add_option("--rate", rate, "Events a second")->capture_default_str();
    app.add_option("--binary", faults::options().binary, "The service under test")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return faults::soak(minutes, rate);
}
