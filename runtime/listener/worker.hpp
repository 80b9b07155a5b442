/// One thread of the listener: its event loop, its decoder, its connections. Only for `listener/`.
#pragma once

#include "runtime/listener/listener.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace runtime::listener {

namespace net = boost::asio;
using Steady = std::chrono::steady_clock;

/// TCP and Unix sockets alike, with the executor known at compile time.
using Socket =
    net::basic_stream_socket<net::generic::stream_protocol, net::io_context::executor_type>;

/// What one client address holds of the listener.
struct Client {
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> bytes_in_flight{0};
};

/// The addresses that have connections. Threads share it.
class Clients {
public:
    std::shared_ptr<Client> find(const std::string& address);

private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<Client>> by_address_;
    std::size_t sweep_at_ = 1024;
};

/// What all threads of a listener share.
struct Door {
    ListenerConfig config;
    ListenerPorts ports;
    Clients clients;
    ListenerObserver nobody{};
    std::atomic<bool> stopping{false};
    std::atomic<std::size_t> connections{0};
    std::mutex mutex;
    std::condition_variable all_gone; ///< Of connections; waited for with `mutex`.

    ListenerObserver& observer() { return ports.observer ? *ports.observer : nobody; }
    std::string not_ready() const { return ports.not_ready ? ports.not_ready() : std::string{}; }
    /// Why it takes no events now; empty: it does.
    std::string why_closed() const {
        return stopping ? std::string{"the service is going down"} : not_ready();
    }
};

/// A connection's place in the counts, for as long as it lives. Passed on when HTTP becomes
/// WebSocket.
class Place {
public:
    Place(std::shared_ptr<Door> door, std::shared_ptr<Client> client, bool is_local);
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

    bool is_within_limits() const;
    /// Comes through the local socket: whoever may open that is the operator.
    bool is_local() const { return is_local_; }
    /// Bytes read from this address and not yet durable.
    void take(std::size_t bytes) {
        client_->bytes_in_flight.fetch_add(bytes, std::memory_order_relaxed);
    }
    void give_back(std::size_t bytes) {
        client_->bytes_in_flight.fetch_sub(bytes, std::memory_order_relaxed);
    }
    bool may_take_more() const;

private:
    std::shared_ptr<Door> door_;
    std::shared_ptr<Client> client_;
    bool is_local_;
};

class Worker;

/// What a worker does with all of its connections. Everything happens on the worker's thread.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Worker& worker, Place place) : worker_(worker), place_(std::move(place)) {}
    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    virtual void start() = 0;
    /// Looks whether something has lasted too long.
    virtual void tick(Steady::time_point now) = 0;
    /// Credit may be there again.
    virtual void resume() {}
    /// The log's answer to the append with this number.
    virtual void completed(std::uint64_t number, const journeys::Result<void>& result) = 0;
    /// After the last `completed` of several.
    virtual void flush() {}
    /// Ends in good order: the service goes down.
    virtual void stop() = 0;
    /// Ends now.
    virtual void abort() = 0;

protected:
    /// Appends; `completed(number, …)` follows, on this thread.
    void append(std::uint64_t number, std::vector<actors::Draft> drafts);

    Worker& worker_; ///< Outlives its connections.
    Place place_;
};

class Worker : public std::enable_shared_from_this<Worker> {
public:
    explicit Worker(std::shared_ptr<Door> door);

    void run();
    /// From any thread.
    void complete(std::shared_ptr<Connection> connection, std::uint64_t number,
                  journeys::Result<void> result);

    void add(const std::shared_ptr<Connection>& connection);
    void remove(Connection& connection);
    /// `resume` is called again soon.
    void pause(Connection& connection);
    /// Of the worker's thread: every connection, told to stop or ended.
    void stop_all();
    void abort_all();
    /// Ends the loop, so that `run` returns.
    void end();

    Door& door() { return *door_; }
    const std::shared_ptr<Door>& shared_door() { return door_; }
    Ingest& ingest() { return ingest_; }
    net::io_context& io() { return io_; }
    const ListenerLimits& limits() const { return door_->config.limits; }
    Steady::time_point now() const { return now_; } ///< As of the last tick; for time-outs.
    /// Tells operators and metrics about refused messages.
    void report(std::vector<RejectedMessage> refused);
    /// A frame refused as a whole.
    void report(const schema::Reject& reject, std::string_view text, std::string_view key);

private:
    void tick();
    void look_at_paused();
    void drain();
    std::vector<std::shared_ptr<Connection>> all() const;

    std::shared_ptr<Door> door_;
    net::io_context io_{1};
    net::executor_work_guard<net::io_context::executor_type> work_{io_.get_executor()};
    net::basic_waitable_timer<Steady, net::wait_traits<Steady>, net::io_context::executor_type>
        ticker_{io_};
    net::basic_waitable_timer<Steady, net::wait_traits<Steady>, net::io_context::executor_type>
        pauser_{io_};
    Steady::duration tick_interval_;
    Steady::time_point now_ = Steady::now();
    Ingest ingest_;
    /// Holds them: one that waits for credit has no operation under way that would.
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
    std::vector<std::weak_ptr<Connection>> paused_;

    struct Completion {
        std::shared_ptr<Connection> connection;
        std::uint64_t number;
        journeys::Result<void> result;
    };
    std::mutex mutex_; ///< Guards `completions_`: the log's threads bring them.
    std::vector<Completion> completions_;
};

/// HTTP, until it ends or becomes a WebSocket.
std::shared_ptr<Connection> make_http_connection(Worker& worker, Place place, Socket socket);

} // namespace runtime::listener
