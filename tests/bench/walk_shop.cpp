#include "tests/bench/walk_shop.hpp"

#include "runtime/producer/stream_producer.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr std::uint32_t frame_messages = 100;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"walks: " + what};
}

} // namespace

WalkShop::WalkShop(const std::filesystem::path& config, const std::filesystem::path& folder,
                   const std::map<std::string, std::string>& journeys)
    : service_(config, folder, [&](std::string&) {
          const auto copy = folder / "config";
          for (const auto& [name, text] : journeys)
              std::ofstream{copy / "journeys" / (name + ".yaml")} << text;
          std::ofstream{copy / "audiences.yaml", std::ios::app}
              << "\nbench-everybody: customer.orders >= 0\n";
          std::ofstream{copy / "events.yaml", std::ios::app}
              << "\n  Bench Message:\n    properties: { product_id: string }\n";
      }) {}

void WalkShop::send(std::uint32_t first, std::uint32_t count, const MessageOf& message_of) {
    runtime::StreamProducer::Options producing;
    producing.url = {"127.0.0.1", std::to_string(service_.port()), "/v1/stream"};
    producing.write_key = "demo";
    const auto end = first + count;
    auto next = first;
    runtime::StreamProducer::Callbacks callbacks;
    callbacks.next = [&]() -> std::optional<runtime::StreamProducer::Frame> {
        if (next == end) return std::nullopt;
        runtime::StreamProducer::Frame frame{"[", 0};
        for (; next < end && frame.messages < frame_messages; ++next, ++frame.messages)
            frame.text += (frame.messages > 0 ? "," : "") + message_of(next);
        frame.text += ']';
        return frame;
    };
    const auto totals = runtime::StreamProducer::run(producing, callbacks);
    check(totals.has_value(), "the producer failed");
    check(totals->accepted == count && totals->rejected == 0, "messages were refused");
}

void WalkShop::send(std::uint32_t count, const MessageOf& message_of) {
    send(0, count, message_of);
}

void WalkShop::meet(std::uint32_t count, const MessageOf& message_of) {
    const auto applied = metric("sojourn_applied_total");
    send(known_, count, message_of);
    known_ += count;
    check(service_.wait_until_applied(applied + count, patience), "events were not applied");
    wait_for("SELECT count(*) FROM snapshots", known_);
}

void WalkShop::post(const std::string& target, const std::string& body) {
    Client{service_.port()}.post(target, body);
}

void WalkShop::wait_for(const std::string& query, double count) const {
    const auto until = seconds_now() + patience;
    while (service_.sql(query) < count) {
        check(seconds_now() < until, "this stays below " + std::to_string(count) + ": " + query);
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    check(service_.wait_until_flushed(patience), "not all events were flushed");
}

void WalkShop::check_entered(const std::string& journey, std::uint32_t customers, int times) const {
    const auto all = static_cast<double>(customers) * times;
    wait_for("SELECT count(*) FROM timeline WHERE kind = 'end' AND journey = '" + journey + "'",
             all);
    const auto entries = "FROM timeline WHERE kind = 'enter' AND journey = '" + journey + "'";
    check(service_.sql("SELECT count(DISTINCT customer) " + entries) == customers,
          "not everybody was let in, or too many were");
    check(service_.sql("SELECT count(*) FROM (SELECT 1 " + entries +
                       " GROUP BY customer HAVING count(*) <> " + std::to_string(times) +
                       ") AS wrong") == 0,
          "somebody was let in twice or left out");
    for (const auto* result : {"duplicate", "parked"})
        check(metric(std::string{"sojourn_applied_total{result=\""} + result + "\"}") == 0,
              std::string{"there are events "} + result);
}

void WalkShop::check_walks(std::uint32_t copies, int walks) const {
    check(service_.sql("SELECT count(*) FROM walks WHERE over_at IS NULL OR copied <> " +
                       std::to_string(copies)) == 0,
          "a walk is not over, or has made another number of copies");
    check(service_.sql("SELECT count(*) FROM walks") == walks, "there are other walks");
}

std::string track_message(std::uint32_t customer, const std::string& event, const std::string& id,
                          const std::string& properties) {
    const auto now = std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
    return R"({"type":"track","event":")" + event + R"(","userId":")" + user_of(customer) +
           R"(","messageId":")" + id + R"(","timestamp":")" + schema::timestamp_text(now) +
           R"(","properties":)" + properties + '}';
}

} // namespace bench
