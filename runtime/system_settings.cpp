#include "runtime/system_settings.hpp"

#include "actors/rules.hpp"

#include <thread>

namespace runtime {

actors::SystemSettings system_settings(const schema::Config& config, double clock_speed) {
    actors::SystemSettings result;
    result.partitions = partition_count;
    result.shards = std::clamp(std::thread::hardware_concurrency(), 1u, unsigned{partition_count});
    result.partition.active_customers_max = std::max<std::size_t>(
        1, static_cast<std::size_t>(config.limits.active_customers) / partition_count);
    auto& partition = result.partition;
    partition.idle_after = paced(config.limits.passivate_after, clock_speed);
    partition.timer_window = paced(partition.timer_window, clock_speed);
    partition.retry_min = paced(partition.retry_min, clock_speed);
    partition.retry_max = paced(partition.retry_max, clock_speed);
    auto& flush = result.flush;
    flush.checkpoint = paced(config.storage.checkpoint, clock_speed);
    flush.checkpoint_max = paced(flush.checkpoint_max, clock_speed);
    flush.slice = paced(flush.slice, clock_speed);
    flush.retry_min = paced(flush.retry_min, clock_speed);
    flush.retry_max = paced(flush.retry_max, clock_speed);
    auto& walks = result.walks;
    walks.look_every = paced(walks.look_every, clock_speed);
    walks.retry = paced(walks.retry, clock_speed);
    result.rules = &actors::product_rules();
    for (const auto& channel : config.channels) {
        const auto* rules = config.settings.channel(channel.name);
        actors::ChannelSettings one;
        one.name = channel.name;
        one.deduplicates = rules && rules->deduplicates;
        one.concurrency = static_cast<std::size_t>(channel.concurrency);
        one.rate = channel.rate / std::max(1.0, clock_speed);
        one.burst = channel.burst > 0 ? channel.burst : std::max(1.0, channel.rate);
        one.per_minute = channel.per_minute / std::max(1.0, clock_speed);
        one.attempts_max = channel.attempts;
        for (auto* const span : {&one.breaker_open, &one.breaker_open_max, &one.backoff,
                                 &one.backoff_max, &one.claim_age_max})
            *span = paced(*span, clock_speed);
        one.seed = journeys::hash(channel.name, config.settings.seed);
        result.channels.push_back(one);
    }
    return result;
}

} // namespace runtime
