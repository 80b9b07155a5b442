/// How costs grow, as pictures: the shape, the knee and the limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

struct GrowthOptions {
    std::filesystem::path config = "config";
    std::filesystem::path folder;         ///< Empty, and is left so.
    std::filesystem::path plots;          ///< Where the pictures go; made where it is missing.
    std::string only;                     ///< One of `names_of_growth`; empty: all.
    double seconds = 4;                   ///< Of each load.
    std::size_t messages_max = 2'000'000; ///< Of each load; bounds the disk.
    /// The most that are active, and that sleep or are stored.
    std::uint32_t customers = 2'000'000;
    std::uint64_t events = 200'000; ///< Of one size, for the cost of an event.
};

const std::vector<std::string>& names_of_growth();

/// Measures everything and writes `throughput.svg` and `ack.svg` (against the offered load),
/// `cost.svg` (against active customers), `memory.svg` (against active and sleeping ones) and
/// `start.svg` (the first event after a start, against stored ones); returns their paths. To be
/// called before there are threads. Throws where an event is lost or doubled.
std::vector<std::filesystem::path> plot_growth(const GrowthOptions& options);

} // namespace bench
