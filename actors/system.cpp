#include "actors/system.hpp"

#include "actors/messages.hpp"
#include "actors/partition_actor.hpp"
#include "actors/permits.hpp"
#include "actors/scratch.hpp"
#include "actors/ticker.hpp"
#include "actors/walk_actor.hpp"

#include <caf/logger.hpp>

#include <atomic>
#include <memory>

namespace actors {

namespace {

/// Calls `done` when it was itself called `count` times; at once for 0.
std::function<void()> after(std::size_t count, std::function<void()> done) {
    if (count == 0) {
        done();
        return [] {};
    }
    auto left = std::make_shared<std::atomic<std::size_t>>(count);
    return [left, done = std::move(done)] {
        if (left->fetch_sub(1) == 1) done();
    };
}

} // namespace

void let_go_of_logger() { caf::logger::set_current_actor_system(nullptr); }

System::System(const Ports& ports, SystemSettings settings)
    : ports_(ports), settings_(std::move(settings)),
      credit_(std::make_shared<Credit>(settings_.partitions, settings_.credit)) {
    for (unsigned i = 0; i < settings_.shards; ++i) {
        auto shard = std::make_unique<ActorSystem>();
        shard->config.set("scheduler.max-threads", std::size_t{1});
        shard->config.set("scheduler.max-throughput", settings_.max_throughput);
        // A worker of the other policy, which steals, sleeps up to 10 ms before it looks for work
        // again, and polls in between; this one is woken.
        shard->config.set("scheduler.policy",
                          settings_.testing ? caf::atom("testing") : caf::atom("sharing"));
        shard->system = std::make_unique<caf::actor_system>(shard->config);
        shard->system->await_actors_before_shutdown(false);
        shards_.push_back(std::move(shard));
    }
    const auto pulse = std::make_shared<Pulse>();
    for (const auto& channel : settings_.channels) {
        const auto permits = std::make_shared<Permits>(settings_.partitions);
        permits_.emplace(channel.name, permits);
        channels_.emplace(channel.name,
                          shards_[0]->system->spawn<ChannelActor>(ports_, channel, permits, pulse));
    }
    // Those of one that stands by, too: they are asked to drain before it has ever started.
    std::vector<caf::actor> channels;
    for (const auto& [name, channel] : channels_) channels.push_back(channel);
    tick(0, std::move(channels), pulse);
    let_go_of_logger();
}

System::~System() { end(); }

void System::start() {
    std::vector<std::shared_ptr<Pulse>> pulses;
    for (std::size_t i = 0; i < shards_.size(); ++i) pulses.push_back(std::make_shared<Pulse>());
    for (Partition partition = 0; partition < settings_.partitions; ++partition) {
        contexts_.push_back(std::make_unique<Shard>(Shard{partition,
                                                          *settings_.rules,
                                                          ports_,
                                                          settings_.partition,
                                                          settings_.flush,
                                                          *credit_,
                                                          channels_,
                                                          {},
                                                          std::make_shared<Scratch>(),
                                                          permits_,
                                                          pulses[partition % shards_.size()]}));
        auto& home = *shards_[partition % shards_.size()]->system;
        partitions_.push_back(home.spawn<PartitionActor>(std::ref(*contexts_.back())));
    }
    for (const auto& [name, channel] : channels_) caf::anon_send(channel, Owners{partitions_});
    if (ports_.walks)
        walks_ = shards_[0]->system->spawn<WalkActor>(ports_, settings_.walks, *credit_,
                                                      partitions_, pulses[0]);
    std::vector<std::vector<caf::actor>> told(shards_.size());
    if (walks_) told[0].push_back(walks_);
    for (std::size_t i = 0; i < partitions_.size(); ++i)
        told[i % shards_.size()].push_back(partitions_[i]);
    for (unsigned i = 0; i < shards_.size(); ++i) tick(i, std::move(told[i]), pulses[i]);
    started_ = true;
    let_go_of_logger();
}

void System::tick(unsigned shard, std::vector<caf::actor> told, std::shared_ptr<Pulse> pulse) {
    if (!told.empty())
        tickers_.push_back(shards_[shard]->system->spawn<Ticker>(settings_.tick, std::move(told),
                                                                 std::move(pulse)));
}

void System::query(journeys::CustomerId customer, caf::actor asker) {
    if (!started_) return caf::anon_send(asker, CustomerState{std::move(customer), nullptr, {}});
    const Partition partition = partition_of(customer, settings_.partitions);
    caf::anon_send(partitions_[partition], Query{std::move(customer), std::move(asker)});
}

void System::release(journeys::CustomerId customer, std::function<void(std::string)> done) {
    const Partition partition = partition_of(customer, settings_.partitions);
    caf::anon_send(partitions_[partition], Release{std::move(customer), std::move(done)});
}

void System::drain_channels(std::function<void()> done) {
    const auto each = after(channels_.size(), std::move(done));
    for (const auto& [name, channel] : channels_)
        caf::anon_send(channel, ChannelControl{ChannelCommand::drain, each, nullptr});
}

void System::stop_partitions(std::function<void()> done) {
    stop_walks();
    const auto each = after(partitions_.size(), std::move(done));
    for (const auto& partition : partitions_) caf::anon_send(partition, StopPartition{each});
}

void System::stop_walks() {
    if (walks_) caf::anon_send_exit(walks_, caf::exit_reason::user_shutdown);
    walks_ = nullptr;
}

void System::end() {
    stop_walks();
    for (const auto& ticker : tickers_)
        caf::anon_send_exit(ticker, caf::exit_reason::user_shutdown);
    tickers_.clear();
    for (const auto& [name, channel] : channels_)
        caf::anon_send_exit(channel, caf::exit_reason::user_shutdown);
    for (const auto& partition : partitions_)
        caf::anon_send_exit(partition, caf::exit_reason::user_shutdown);
    partitions_.clear();
    channels_.clear();
    if (!settings_.testing)
        for (const auto& shard : shards_) shard->system->await_all_actors_done();
    for (const auto& context : contexts_) context->channels.clear();
    shards_.clear();
    contexts_.clear();
}

} // namespace actors
