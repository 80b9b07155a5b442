/// A shop whose customers get copies of one event: what the benchmarks of walks have in common.
#pragma once

#include "tests/bench/client.hpp"
#include "tests/bench/live_service.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace bench {

/// Every call throws where something goes wrong.
class WalkShop {
public:
    /// A service with `journeys` beside its own (name to text), an audience `bench-everybody` and
    /// an event `Bench Message`.
    WalkShop(const std::filesystem::path& config, const std::filesystem::path& folder,
             const std::map<std::string, std::string>& journeys);

    using MessageOf = std::function<std::string(std::uint32_t customer)>;
    /// One message each of the next `count` customers, none of whom is known yet, in frames of 100;
    /// until all are applied and in snapshots. Their numbers go on where the last call ended.
    void meet(std::uint32_t count, const MessageOf& message_of);
    /// One message each of the first `count` customers; until all are acked.
    void send(std::uint32_t count, const MessageOf& message_of);
    void post(const std::string& target, const std::string& body);

    /// Waits until so many runs of the journey have ended. Throws where by the stored timelines not
    /// exactly `customers` have entered it, each `times` times, or where a record was a duplicate
    /// or parked.
    void check_entered(const std::string& journey, std::uint32_t customers, int times) const;
    /// Throws where there are not so many walks that are over, of so many copies each.
    void check_walks(std::uint32_t copies, int walks) const;

    const LiveService& service() const { return service_; }
    double metric(const std::string& name) const { return service_.metric(name); }

    static constexpr double patience = 300;

private:
    void send(std::uint32_t first, std::uint32_t count, const MessageOf& message_of);
    /// Until the query gives so much, and all is in snapshots.
    void wait_for(const std::string& query, double count) const;

    LiveService service_;
    std::uint32_t known_ = 0;
};

/// A message of the customer; `id` is unique, `properties` a JSON object.
std::string track_message(std::uint32_t customer, const std::string& event, const std::string& id,
                          const std::string& properties);

} // namespace bench
