/// A provider on loopback that takes every request, answers as it is told, and keeps what it was
/// sent.
#pragma once

#include "tests/support/loopback.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace support {

class FakeProvider {
public:
    FakeProvider();
    ~FakeProvider();
    FakeProvider(const FakeProvider&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(listening_.port); }
    /// The bodies of the requests so far.
    std::vector<std::string> bodies() const;
    /// The status line and what follows it, each line with its end, and a body; from now on.
    void answer(std::string text, std::string body = {});
    /// Waits, at most some seconds, until there are as many.
    bool has(std::size_t requests) const;

private:
    void serve();
    void take(int connection);

    ListeningSocket listening_;
    mutable std::mutex mutex_;
    std::string answer_ = "202 Accepted\r\nX-Message-Id: m1\r\n", answer_body_;
    std::vector<std::string> bodies_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
    std::vector<int> open_;
};

} // namespace support
