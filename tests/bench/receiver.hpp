/// A provider on loopback: takes every call, and notes when it came.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// Answers 200 to every HTTP request with a `Content-Length`, whose body names itself by `"n":` and
/// a number.
class Receiver {
public:
    Receiver();
    ~Receiver();
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    std::uint16_t port() const { return port_; }
    /// By number: when it came last, as `seconds_now`, and how often.
    struct Call {
        double at = 0;
        int times = 0;
    };
    std::map<std::uint64_t, Call> calls() const;
    std::size_t count() const;
    void forget();
    double cpu(); ///< Seconds that its thread has spent.

private:
    struct Connection {
        int socket;
        std::string in;
    };
    void run();
    /// False where the other side has gone.
    bool read(Connection& connection);
    void take(const std::string& body, double at);

    int listening_, wake_[2];
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Call> calls_; ///< Guarded by `mutex_`.
    std::thread thread_;
};

/// One request to `port` on loopback and its answer, over a connection that is kept.
class Caller {
public:
    explicit Caller(std::uint16_t port);
    ~Caller();
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    void call(std::uint64_t n);

private:
    int socket_;
};

} // namespace bench
