#include "runtime/log_and_store.hpp"

#include "runtime/product_codec.hpp"
#include "runtime/system_settings.hpp"

#include <functional>
#include <utility>

namespace runtime {
namespace {

EventLogSettings log_settings(const ConnectionSettings& connection, const schema::Config& config,
                              const ServiceClock& clock) {
    EventLogSettings settings;
    settings.connection = connection;
    settings.partitions = partition_count;
    settings.clock = [&clock] { return clock.now(); };
    settings.codec = product_codec();
    settings.segment_span = paced(settings.segment_span, clock.speed());
    settings.retention = paced(config.storage.retention, clock.speed());
    settings.bytes_max = config.storage.retention_bytes;
    return settings;
}

StoreSettings store_settings(const EventLogSettings& log, std::function<void()> on_moves) {
    StoreSettings settings;
    settings.connection = log.connection;
    settings.clock = log.clock;
    settings.codec = log.codec;
    settings.on_moves = std::move(on_moves);
    return settings;
}

} // namespace

LogAndStore::LogAndStore(const ConnectionSettings& connection, const schema::Config& config,
                         const ServiceClock& clock, Ownership& ownership)
    : LogAndStore(log_settings(connection, config, clock), ownership) {}

LogAndStore::LogAndStore(const EventLogSettings& settings, Ownership& ownership)
    : ownership_(ownership), log_(settings, ownership), mover_(settings, log_),
      sweep_(WakeSweepSettings{.connection = settings.connection, .clock = settings.clock}),
      store_(store_settings(settings, [this] { mover_.wake(); }), ownership) {}

std::string LogAndStore::why_not_ready() const {
    if (!log_.healthy()) return "storage is not reachable";
    const auto owned = ownership_.all();
    if (owned.size() < partition_count) return "partitions are being taken over";
    for (const auto& [partition, state] : owned)
        if (state.lost)
            return "another process has taken partition " + std::to_string(partition) + " over";
    return {};
}

} // namespace runtime
