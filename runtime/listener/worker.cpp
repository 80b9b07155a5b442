#include "runtime/listener/worker.hpp"

#include "runtime/thread_name.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace runtime::listener {
namespace {

/// Often enough that no time-out is late by much more than a quarter.
Steady::duration tick_interval(const ListenerLimits& limits) {
    const auto shortest = std::min({limits.header_timeout, limits.body_timeout, limits.idle_timeout,
                                    limits.ping_interval, limits.pong_timeout, limits.write_timeout,
                                    limits.close_timeout, limits.webhook_timeout});
    return std::clamp<std::chrono::milliseconds>(shortest / 4, std::chrono::milliseconds{2},
                                                 std::chrono::milliseconds{1000});
}

} // namespace

std::shared_ptr<Client> Clients::find(const std::string& address) {
    const std::lock_guard lock{mutex_};
    if (by_address_.size() >= sweep_at_) {
        std::erase_if(by_address_, [](const auto& entry) { return entry.second.expired(); });
        sweep_at_ = std::max<std::size_t>(1024, by_address_.size() * 2);
    }
    auto& known = by_address_[address];
    auto client = known.lock();
    if (!client) known = client = std::make_shared<Client>();
    return client;
}

Place::Place(std::shared_ptr<Door> door, std::shared_ptr<Client> client, bool is_local)
    : door_(std::move(door)), client_(std::move(client)), is_local_(is_local) {
    client_->connections.fetch_add(1);
    const auto open = door_->connections.fetch_add(1) + 1;
    door_->observer().connections(static_cast<std::int64_t>(open));
}

Place::~Place() {
    if (!door_) return;
    client_->connections.fetch_sub(1);
    const auto open = door_->connections.fetch_sub(1) - 1;
    // An append under way may keep a connection longer than the listener, and what it tells, lives.
    if (!door_->stopping) door_->observer().connections(static_cast<std::int64_t>(open));
    if (open == 0) {
        const std::lock_guard lock{door_->mutex};
        door_->all_gone.notify_all();
    }
}

bool Place::is_within_limits() const {
    const auto& limits = door_->config.limits;
    return door_->connections.load() <= limits.connections_max &&
           (is_local_ || client_->connections.load() <= limits.connections_per_address_max);
}

bool Place::may_take_more() const {
    return client_->bytes_in_flight.load(std::memory_order_relaxed) <
           door_->config.limits.address_bytes_in_flight_max;
}

void Connection::append(std::uint64_t number, std::vector<actors::Draft> drafts) {
    worker_.door().ports.log.append(std::move(drafts),
                                    [worker = worker_.shared_from_this(), self = shared_from_this(),
                                     number](journeys::Result<void> result) {
                                        worker->complete(self, number, std::move(result));
                                    });
}

Worker::Worker(std::shared_ptr<Door> door)
    : door_(std::move(door)), tick_interval_(tick_interval(door_->config.limits)),
      ingest_(door_->config.identity) {}

void Worker::run() {
    name_thread("listener");
    tick();
    io_.run();
}

void Worker::complete(std::shared_ptr<Connection> connection, std::uint64_t number,
                      journeys::Result<void> result) {
    bool first = false;
    {
        const std::lock_guard lock{mutex_};
        first = completions_.empty();
        completions_.push_back({std::move(connection), number, std::move(result)});
    }
    if (first) net::post(io_, [this] { drain(); });
}

void Worker::drain() {
    std::vector<Completion> completions;
    {
        const std::lock_guard lock{mutex_};
        completions.swap(completions_);
    }
    // What the cache believes to be linked may be in no log now. Forgetting it makes the next
    // message that shows the link append it again.
    if (std::ranges::any_of(completions, [](const auto& one) { return one.result.has_error(); }))
        ingest_.forget_links();
    for (auto& completion : completions)
        completion.connection->completed(completion.number, completion.result);
    for (auto& completion : completions) completion.connection->flush();
}

void Worker::add(const std::shared_ptr<Connection>& connection) {
    connections_.emplace(connection.get(), connection);
    connection->start();
}

void Worker::remove(Connection& connection) { connections_.erase(&connection); }

void Worker::pause(Connection& connection) {
    paused_.push_back(connection.weak_from_this());
    if (paused_.size() > 1) return;
    pauser_.expires_after(limits().credit_pause);
    pauser_.async_wait([this](boost::system::error_code error) {
        if (!error) look_at_paused();
    });
}

void Worker::look_at_paused() {
    const auto paused = std::exchange(paused_, {});
    for (const auto& weak : paused)
        if (const auto connection = weak.lock()) connection->resume();
}

std::vector<std::shared_ptr<Connection>> Worker::all() const {
    std::vector<std::shared_ptr<Connection>> list;
    list.reserve(connections_.size());
    for (const auto& [address, connection] : connections_) list.push_back(connection);
    return list;
}

void Worker::tick() {
    now_ = Steady::now();
    for (const auto& connection : all()) connection->tick(now_);
    ticker_.expires_after(tick_interval_);
    ticker_.async_wait([this](boost::system::error_code error) {
        if (!error) tick();
    });
}

void Worker::stop_all() {
    for (const auto& connection : all()) connection->stop();
}

void Worker::abort_all() {
    for (const auto& connection : all()) connection->abort();
}

void Worker::end() {
    work_.reset();
    io_.stop();
}

void Worker::report(std::vector<RejectedMessage> refused) {
    for (auto& message : refused) {
        door_->observer().rejected(message.reason, 1);
        if (door_->ports.reject) door_->ports.reject(std::move(message));
    }
}

void Worker::report(const schema::Reject& reject, std::string_view text, std::string_view key) {
    RejectedMessage message;
    message.reason = reject.reason;
    message.detail = reject.detail;
    message.raw = text.substr(0, RejectedMessage::raw_bytes_max);
    message.key = key;
    message.received_at = door_->ports.now();
    std::vector<RejectedMessage> one;
    one.push_back(std::move(message));
    report(std::move(one));
}

} // namespace runtime::listener
