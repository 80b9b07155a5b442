#include "runtime/listener/listener.hpp"

#include "runtime/listener/worker.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace runtime {
namespace {

using boost::system::error_code;
using listener::Steady;
namespace net = boost::asio;

journeys::Error cannot_open(const std::string& what, const error_code& error) {
    return {journeys::ErrorCode::unavailable, what + ": " + error.message()};
}

} // namespace

class Listener::Implementation {
public:
    explicit Implementation(ListenerConfig config, ListenerPorts ports)
        : door_(std::make_shared<listener::Door>(std::move(config), std::move(ports))) {}

    ~Implementation() {
        stop(std::chrono::milliseconds{0});
        for (auto& worker : workers_) worker->end();
        for (auto& thread : threads_) thread.join();
        if (!local_path_.empty()) ::unlink(local_path_.c_str());
        acceptor_.reset();
        local_acceptor_.reset();
    }

    journeys::Result<void> open() {
        const auto& config = door_->config;
        for (unsigned i = 0; i < std::max(1U, config.threads); ++i)
            workers_.push_back(std::make_shared<listener::Worker>(door_));
        if (auto opened = open_tcp(); !opened) return opened;
        if (!config.local_socket.empty())
            if (auto opened = open_local(); !opened) return opened;
        accept_tcp();
        if (local_acceptor_) accept_local();
        for (auto& worker : workers_) threads_.emplace_back([worker] { worker->run(); });
        return {};
    }

    std::uint16_t port() const { return port_; }
    void use_keys(std::vector<Key> keys) { door_->config.keys.replace(std::move(keys)); }

    void stop(std::chrono::milliseconds patience) {
        if (!door_->stopping.exchange(true)) {
            net::post(workers_.front()->io(), [this] {
                error_code ignored;
                if (acceptor_) acceptor_->close(ignored);
                if (local_acceptor_) local_acceptor_->close(ignored);
            });
            for (auto& worker : workers_)
                net::post(worker->io(), [own = worker.get()] { own->stop_all(); });
        }
        const auto all_gone = [this] { return door_->connections.load() == 0; };
        std::unique_lock lock{door_->mutex};
        if (door_->all_gone.wait_for(lock, patience, all_gone)) return;
        lock.unlock();
        for (auto& worker : workers_)
            net::post(worker->io(), [own = worker.get()] { own->abort_all(); });
    }

private:
    using Tcp = net::ip::tcp;
    using Local = net::local::stream_protocol;
    using Executor = net::io_context::executor_type;

    net::io_context& front() { return workers_.front()->io(); }

    journeys::Result<void> open_tcp() {
        const auto& config = door_->config;
        const auto what = "cannot listen on " + config.address + ":" + std::to_string(config.port);
        error_code error;
        const auto address = net::ip::make_address(config.address, error);
        if (error) return cannot_open(what, error);
        const Tcp::endpoint endpoint{address, config.port};
        acceptor_.emplace(front());
        acceptor_->open(endpoint.protocol(), error);
        if (!error) acceptor_->set_option(net::socket_base::reuse_address(true), error);
        if (!error) acceptor_->bind(endpoint, error);
        if (!error) acceptor_->listen(net::socket_base::max_listen_connections, error);
        if (!error) port_ = acceptor_->local_endpoint(error).port();
        if (error) return cannot_open(what, error);
        return {};
    }

    journeys::Result<void> open_local() {
        const auto path = door_->config.local_socket.string();
        const auto what = "cannot listen on " + path;
        if (path.size() >= sizeof(sockaddr_un::sun_path))
            return cannot_open(what, error_code{ENAMETOOLONG, boost::system::system_category()});
        ::unlink(path.c_str()); // What a killed service has left; the data folder's own lock guards
                                // a live one.
        error_code error;
        local_acceptor_.emplace(front());
        local_acceptor_->open(Local{}, error);
        if (!error) {
            // Before it listens nobody can connect, so nobody can before the mode is set.
            local_acceptor_->bind(Local::endpoint{path}, error);
            if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
                error = error_code{errno, boost::system::system_category()};
        }
        if (!error) local_acceptor_->listen(net::socket_base::max_listen_connections, error);
        if (error) return cannot_open(what, error);
        local_path_ = path;
        return {};
    }

    void accept_tcp() {
        auto& worker = *workers_[next_worker_++ % workers_.size()];
        acceptor_->async_accept(
            worker.io().get_executor(),
            [this, &worker](error_code error, net::basic_stream_socket<Tcp, Executor> socket) {
                if (error == net::error::operation_aborted || !acceptor_->is_open()) return;
                if (error) return again([this] { accept_tcp(); });
                error_code ignored;
                socket.set_option(Tcp::no_delay(true), ignored);
                const auto peer = socket.remote_endpoint(ignored);
                start(worker, listener::Socket{std::move(socket)}, peer.address().to_string(),
                      false);
                accept_tcp();
            });
    }

    void accept_local() {
        auto& worker = *workers_.front();
        local_acceptor_->async_accept(
            worker.io().get_executor(),
            [this, &worker](error_code error, net::basic_stream_socket<Local, Executor> socket) {
                if (error == net::error::operation_aborted || !local_acceptor_->is_open()) return;
                if (error) return again([this] { accept_local(); });
                start(worker, listener::Socket{std::move(socket)}, "local", true);
                accept_local();
            });
    }

    /// Out of descriptors, most likely: others end, then it works again.
    template <class Action> void again(Action action) {
        auto timer = std::make_shared<net::steady_timer>(front(), std::chrono::milliseconds{20});
        timer->async_wait([timer, action](error_code error) {
            if (!error) action();
        });
    }

    void start(listener::Worker& worker, listener::Socket socket, const std::string& address,
               bool is_local) {
        listener::Place place{door_, door_->clients.find(address), is_local};
        net::dispatch(worker.io(), [&worker, place = std::move(place),
                                    socket = std::move(socket)]() mutable {
            worker.add(listener::make_http_connection(worker, std::move(place), std::move(socket)));
        });
    }

    std::shared_ptr<listener::Door> door_;
    std::vector<std::shared_ptr<listener::Worker>> workers_;
    std::optional<net::basic_socket_acceptor<Tcp, Executor>> acceptor_;
    std::optional<net::basic_socket_acceptor<Local, Executor>> local_acceptor_;
    std::string local_path_;
    std::uint16_t port_ = 0;
    std::size_t next_worker_ = 0;
    std::vector<std::thread> threads_;
};

Listener::Listener(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Listener::~Listener() = default;

journeys::Result<std::unique_ptr<Listener>> Listener::open(ListenerConfig config,
                                                           ListenerPorts ports) {
    auto implementation = std::make_unique<Implementation>(std::move(config), std::move(ports));
    if (auto opened = implementation->open(); !opened) return std::move(opened).error();
    return std::unique_ptr<Listener>{new Listener{std::move(implementation)}};
}

std::uint16_t Listener::port() const { return implementation_->port(); }

void Listener::use_keys(std::vector<Key> keys) { implementation_->use_keys(std::move(keys)); }

void Listener::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

} // namespace runtime
