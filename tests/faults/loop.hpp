/// The thread on which the harness's own sockets live: proxies, provider, producers.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace faults {

namespace asio = boost::asio;

/// Everything that runs on it must go before it.
class Loop {
public:
    Loop() : thread_([this] { context_.run(); }) {}
    ~Loop() {
        context_.stop();
        thread_.join();
    }
    Loop(const Loop&) = delete;
    asio::io_context& context() { return context_; }

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::thread thread_;
};

} // namespace faults
