/// What it takes to be told the next best action, beside a shop's traffic.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct DecideOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 20'000;
    double seconds = 4; ///< Each round and side.
    double requests_a_second = 1'000, events_a_second = 10'000;
    std::size_t messages_max = 800'000; ///< Events of one side; bounds the disk.
    std::size_t connections = 16;
    bool is_durable = true; ///< Whether an answer waits for the log.
};

/// Milliseconds that 99 of 100 answers of `POST /v1/decide` need at most, counted from the instant
/// at which the request was to be sent, at 1,000 requests a second over 16 connections beside
/// 10,000 events a second, whether or not the service keeps up. Raw: in its place, where the answer
/// waits until the decision is durable, `POST /v1/track` of one event, which is durable too; else
/// `GET /v1/customers/ID`, which the same actor answers.
/// Throws where an answer is not 200 or an event is refused.
Figure bench_decide(const DecideOptions& options);

} // namespace bench
