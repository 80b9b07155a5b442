/// One HTTP request after the other over a connection that is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

/// With the demo key, which may do everything. Blocking; one thread.
class Client {
public:
    /// Throws where nothing listens.
    explicit Client(std::uint16_t port);
    ~Client();

    /// The body of the answer. Throws where that is not 200.
    std::string post(const std::string& target, std::string body);
    std::string get(const std::string& target);

private:
    std::string ask(bool is_post, const std::string& target, std::string body);

    struct Connection;
    std::unique_ptr<Connection> connection_;
};

} // namespace bench
