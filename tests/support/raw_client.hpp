/// A client that sends exactly the bytes it is given: HTTP and WebSocket, right or wrong, blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    explicit RawClient(const std::string& local_socket);
    RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    RawClient& operator=(RawClient&& other) noexcept {
        std::swap(socket_, other.socket_);
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    ~RawClient();

    /// False once the other side has reset the connection.
    bool send(std::string_view bytes);
    /// Sends as much as fits into the socket's buffers within some milliseconds; how much that was.
    std::size_t send_what_fits(std::string_view bytes);
    void shut_down_sending();

    struct Answer {
        int status = 0; ///< 0: the connection ended instead.
        std::string head;
        std::string body;
        std::string header(std::string_view name) const;
    };
    Answer read_answer(bool has_body = true);
    /// Whether the other side closes, within the patience, without a further byte.
    bool is_closed();

    /// Upgrades; the answer where it is refused.
    Answer open_stream(std::string_view target = "/v1/stream?write_key=shop-key",
                       std::string_view headers = {});
    bool send_text(std::string_view payload) { return send(frame(1, payload)); }
    bool send_frame(unsigned opcode, std::string_view payload, bool is_last = true) {
        return send(frame(opcode, payload, is_last));
    }
    static std::string frame(unsigned opcode, std::string_view payload, bool is_last = true);

    struct Frame {
        unsigned opcode = 0;
        std::string payload;
        /// Of a close.
        unsigned code() const {
            return payload.size() < 2
                       ? 0
                       : static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                             static_cast<unsigned char>(payload[1]);
        }
    };
    /// Nothing once the connection has ended.
    std::optional<Frame> read_frame();
    /// The next text; empty where something else comes.
    std::string read_text();
    /// The code of the close that comes next, texts skipped; 0 where the connection just ends.
    unsigned read_close();

private:
    bool fill();
    std::string buffer_;
    int socket_ = -1;
};
