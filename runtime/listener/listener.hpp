/// The door: one HTTP/1.1 server that takes events over WebSocket and over Segment's HTTP API, and
/// passes every other path to the routes it is given.
///
/// What producers may rely on stands in the README; the parts that are decided here:
/// - An answer or ack that accepts a message is written after the log's `done`, never before.
/// - Answers of a connection come in the order of its requests and frames.
/// - Everything that can grow has a bound (`ListenerLimits`) and an answer for when it is reached.
/// - Over WebSocket, storage that fails closes with 1013 after the last ack: the producer sends
/// again.
#pragma once

#include "actors/credit.hpp"
#include "actors/ports.hpp"
#include "journeys/result.hpp"
#include "runtime/listener/ingest.hpp"
#include "runtime/listener/keys.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/listener/webhook_source.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace runtime {

struct ListenerLimits {
    schema::Limits messages{};
    std::size_t body_bytes_max = 4 * 1024 * 1024; ///< Of HTTP, unpacked.
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t connections_max = 10'000;
    std::size_t connections_per_address_max = 2'000;
    std::size_t frames_in_flight_max = 64; ///< Of one connection: read and not yet acked.
    std::size_t bytes_in_flight_max = 4 * 1024 * 1024; ///< Of one connection.
    std::size_t address_bytes_in_flight_max =
        64 * 1024 * 1024; ///< Of all connections of one address.
    std::size_t unsent_bytes_max =
        256 * 1024; ///< Acks that a connection's reader has not yet taken.

    std::chrono::milliseconds header_timeout{10'000}; ///< From a request's first byte to its body.
    std::chrono::milliseconds body_timeout{30'000};   ///< For the body, or for one frame.
    std::chrono::milliseconds idle_timeout{75'000};   ///< Of a connection between requests.
    std::chrono::milliseconds ping_interval{30'000};  ///< Of a WebSocket that says nothing.
    std::chrono::milliseconds pong_timeout{20'000};   ///< … after the ping.
    std::chrono::milliseconds write_timeout{30'000};  ///< For a reader that takes nothing.
    std::chrono::milliseconds close_timeout{5'000};   ///< For the other side to agree to a close.
    std::chrono::milliseconds credit_pause{5}; ///< How often a paused connection looks again.
    std::chrono::seconds retry_after{1};       ///< Told with 429 and 503.
    /// A shop waits five seconds for an answer; what is not durable by then is told to come again.
    std::chrono::milliseconds webhook_timeout{3'500};
};

struct ListenerConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080; ///< 0: any free one; see `Listener::port`.
    unsigned threads = 1;
    /// Serves the same paths on a Unix socket of mode 0600 and asks no key there: whoever may open
    /// it is the operator. Empty: none.
    std::filesystem::path local_socket;
    bool deflate =
        false; ///< Offers permessage-deflate: saves bytes on slow lines, costs more than parsing.
    double clock_speed = 1; ///< Only shown, in `/healthz`.
    KeyRing keys;
    journeys::IdentityRules identity;
    std::vector<WebhookSource> sources; ///< Each at `/v1/sources/{name}`.
    ListenerLimits limits;
};

/// What the listener tells of its work; the base class listens to nothing. Called from its threads.
class ListenerObserver {
public:
    virtual ~ListenerObserver() = default;
    virtual void accepted(std::size_t /*messages*/) {}
    virtual void rejected(schema::RejectReason, std::size_t /*messages*/) {}
    /// A request that was answered with `status`, 400 or more. One that was refused whole, by its
    /// key or its size, is in no other count.
    virtual void failed(int /*status*/) {}
    /// An answer had a `fault`.
    virtual void broke(std::string_view /*fault*/) {}
    /// Frames and bodies that became durable since the last call: from their last byte to their
    /// ack.
    virtual void acked(std::size_t /*frames*/, std::chrono::nanoseconds /*slowest*/) {}
    virtual void connections(std::int64_t /*open*/) {}
    /// What a frame showed beside its messages: links of ids, and how events came by their time.
    virtual void took(const Taken&) {}
};

/// What the listener needs of the world. All of it outlives the listener.
struct ListenerPorts {
    actors::EventLog& log;
    const actors::Credit& credit;
    std::function<journeys::Timestamp()> now; ///< Service time.
    Handlers handlers;
    std::function<void(RejectedMessage)> reject =
        {}; ///< Called on a thread of the listener; returns at once.
    /// Keeps what a person asks of their data, durably; `done` is called once, from any thread.
    std::function<void(schema::PrivacyRequest, std::string source,
                       std::function<void(journeys::Result<void>)> done)>
        privacy = {};
    /// Keeps what a shop says of a product, durably; as above.
    std::function<void(std::string product, std::function<void(journeys::Result<void>)> done)>
        product = {};
    /// Empty while the service can take events; otherwise why not, for `/readyz`.
    std::function<std::string()> not_ready = {};
    std::function<std::string()> metrics = {}; ///< The text of `/metrics`.
    /// Instead of taking its messages, a WebSocket's frame is sent back: for protocol suites, never
    /// set by the service.
    bool echoes = false;
    ListenerObserver* observer = nullptr;
};

class Listener {
public:
    /// Opens the port and starts the threads. `unavailable` where the port is taken or the address
    /// no address.
    static journeys::Result<std::unique_ptr<Listener>> open(ListenerConfig config,
                                                            ListenerPorts ports);
    /// Ends every connection at once. The log must not call `done` any more once it has returned.
    ~Listener();

    std::uint16_t port() const;

    /// From the next request on these keys count; a WebSocket that is open goes on. Any thread.
    void use_keys(std::vector<Key> keys);

    /// Takes no more connections and frames, acks what becomes durable, closes WebSockets with
    /// 1012; returns when every connection has ended, or after `patience` with those ended that had
    /// not.
    void stop(std::chrono::milliseconds patience);

private:
    class Implementation;
    explicit Listener(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

} // namespace runtime
