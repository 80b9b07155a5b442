#include "tests/support/fake_provider.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace support {

using namespace std::chrono_literals;

FakeProvider::FakeProvider() : listening_(listen_on_loopback(64)) {
    threads_.emplace_back([this] { serve(); });
}

FakeProvider::~FakeProvider() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
    }
    ::shutdown(listening_.socket, SHUT_RDWR);
    threads_.front().join();
    for (std::size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
    for (const int connection : open_) ::close(connection);
    ::close(listening_.socket);
}

std::vector<std::string> FakeProvider::bodies() const {
    const std::scoped_lock lock{mutex_};
    return bodies_;
}

void FakeProvider::answer(std::string text, std::string body) {
    const std::scoped_lock lock{mutex_};
    answer_ = std::move(text);
    answer_body_ = std::move(body);
}

bool FakeProvider::has(std::size_t requests) const {
    for (int i = 0; i < 300; ++i) {
        if (bodies().size() >= requests) return true;
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

void FakeProvider::serve() {
    while (true) {
        const int connection = ::accept4(listening_.socket, nullptr, nullptr, SOCK_CLOEXEC);
        const std::scoped_lock lock{mutex_};
        if (connection < 0 || stopping_) {
            if (connection >= 0) ::close(connection);
            return;
        }
        open_.push_back(connection);
        threads_.emplace_back([this, connection] { take(connection); });
    }
}

void FakeProvider::take(int connection) {
    std::string text;
    char bytes[4096];
    while (true) {
        auto head = text.find("\r\n\r\n");
        std::size_t size = 0;
        if (head != std::string::npos) {
            const auto at = text.find("ength: ");
            size = at < head ? std::strtoul(text.c_str() + at + 7, nullptr, 10) : 0;
        }
        if (head == std::string::npos || text.size() < head + 4 + size) {
            const auto got = ::read(connection, bytes, sizeof bytes);
            if (got <= 0) return;
            text.append(bytes, static_cast<std::size_t>(got));
            continue;
        }
        std::string out;
        {
            const std::scoped_lock lock{mutex_};
            bodies_.push_back(text.substr(head + 4, size));
            out = "HTTP/1.1 " + answer_ + "Content-Length: " + std::to_string(answer_body_.size()) +
                  "\r\n\r\n" + answer_body_;
        }
        text.erase(0, head + 4 + size);
        if (::write(connection, out.data(), out.size()) < 0) return;
    }
}

} // namespace support
