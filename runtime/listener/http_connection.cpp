#include "runtime/listener/answers.hpp"
#include "runtime/listener/delivery.hpp"
#include "runtime/listener/door_routes.hpp"
#include "runtime/listener/http_answers.hpp"
#include "runtime/listener/http_reader.hpp"
#include "runtime/listener/stream_connection.hpp"
#include "runtime/listener/tracking.hpp"
#include "runtime/listener/worker.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <utility>

namespace runtime::listener {
namespace {

using boost::system::error_code;
using Progress = HttpReader::Progress;

/// What is read and thrown away behind a refusal, so that the refusal arrives: closing with unread
/// bytes would reset the connection.
constexpr std::size_t lingering_bytes_max = 4 * 1024 * 1024;

constexpr std::size_t header_read_bytes = 8 * 1024, body_read_bytes = 64 * 1024,
                      lingering_read_bytes = 16 * 1024;

/// Requests of one connection, one after the other, each part within its time: reads them, has them
/// answered, and writes the answers.
class HttpConnection final : public Connection {
public:
    HttpConnection(Worker& worker, Place place, Socket socket)
        : Connection(worker, std::move(place)), socket_(std::move(socket)),
          reader_(worker.limits()) {}

    ~HttpConnection() override {
        if (bytes_in_flight_ > 0) place_.give_back(bytes_in_flight_);
    }

    void start() override {
        if (!place_.is_within_limits()) {
            is_last_ = true;
            return answer(unavailable(503, "too many connections", worker_.limits()));
        }
        read();
    }

    void tick(Steady::time_point now) override {
        if (deadline_ && now > *deadline_) return abort();
        if (!answer_by_ || now < *answer_by_) return;
        ++request_; // What completes after all finds that somebody else asks by now.
        place_.give_back(std::exchange(bytes_in_flight_, 0));
        answer(unavailable(503, "not durable yet", worker_.limits()));
    }

    void completed(std::uint64_t request, const journeys::Result<void>& result) override {
        if (request != request_) return;
        place_.give_back(std::exchange(bytes_in_flight_, 0));
        if (is_finished_) return;
        if (!result)
            return answer(
                with_cors(unavailable(503, "storage is not available", worker_.limits())));
        const std::chrono::nanoseconds took = Steady::now() - received_;
        worker_.door().observer().accepted(accepted_);
        worker_.door().observer().acked(1, took);
        answer(with_cors({.body = success_text(rejected_)}));
    }

    void stop() override {
        is_last_ = true;
        if (is_idle_) abort();
    }

    void abort() override { finish(); }

private:
    // Reading.

    void wait_at_most(std::chrono::milliseconds patience) { deadline_ = worker_.now() + patience; }

    /// `next` goes on with what has come, unless the connection has ended.
    template <class Next> void read_some(std::size_t bytes, Next next) {
        socket_.async_read_some(
            reader_.bytes().prepare(bytes),
            [this, self = shared_from_this(), next](error_code error, std::size_t read) {
                is_idle_ = false;
                if (error) return finish();
                reader_.bytes().commit(read);
                if (!is_finished_) next();
            });
    }

    void read() {
        if (is_finished_) return;
        if (is_last_ || worker_.door().stopping) return linger();
        if (reader_.has_bytes()) return begin(); // Pipelined.
        is_idle_ = true;
        wait_at_most(worker_.limits().idle_timeout);
        read_some(header_read_bytes, [this] { begin(); });
    }

    void begin() {
        reader_.begin();
        wait_at_most(worker_.limits().header_timeout);
        read_header();
    }

    void read_header() {
        switch (reader_.read_header()) {
        case Progress::wants_more: return read_some(header_read_bytes, [this] { read_header(); });
        case Progress::is_refused: return refuse();
        case Progress::is_broken: return finish();
        case Progress::is_done: break;
        }
        wait_at_most(worker_.limits().body_timeout);
        if (!reader_.is_waited_for()) return read_body();
        out_ = "HTTP/1.1 100 Continue\r\n\r\n";
        net::async_write(socket_, net::buffer(out_),
                         [this, self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return finish();
                             if (!is_finished_) read_body();
                         });
    }

    void read_body() {
        switch (reader_.read_body()) {
        case Progress::wants_more: return read_some(body_read_bytes, [this] { read_body(); });
        case Progress::is_refused: return refuse();
        case Progress::is_broken: return finish();
        case Progress::is_done: break;
        }
        take_request();
    }

    void refuse() {
        is_last_ = true;
        const auto& why = reader_.refusal();
        auto response = failure(why.status, why.why);
        answer(why.status == 413 ? with_cors(std::move(response)) : std::move(response));
    }

    void refuse(std::string_view why) {
        is_last_ = true;
        answer(failure(400, why));
    }

    // Who answers.

    void take_request() {
        deadline_.reset(); // The log and the routes take the time they need.
        ++request_;
        received_ = Steady::now();
        arrival_ = arrival_of(reader_.release());
        is_last_ = is_last_ || !arrival_.message.keep_alive();
        if (arrival_.path.empty()) return refuse("the target is no path");
        if (arrival_.path == "/v1/stream") return upgrade();
        take(outcome());
    }

    Outcome outcome() {
        const auto& door = worker_.door();
        const auto method = arrival_.method();
        const auto* tracking = find_tracking_path(arrival_.path);
        if (tracking || arrival_.path == metrics_path) {
            if (method == "OPTIONS") return preflight("POST");
            if (method != "POST") return with_cors(not_allowed("POST, OPTIONS"));
            if (!tracking) return with_cors({.body = success_text({})});
            return take_messages(*tracking, arrival_, worker_, place_);
        }
        const MakeRespond make_respond = [this] { return respond(); };
        if (const auto* source = find_source(door.config.sources, arrival_.path)) {
            if (method != "POST") return not_allowed("POST");
            return take_delivery(*source, arrival_, worker_, place_, make_respond);
        }
        if (is_settings_path(arrival_.path)) {
            if (method == "OPTIONS") return preflight("GET");
            if (method != "GET" && !arrival_.is_head())
                return with_cors(not_allowed("GET, OPTIONS"));
            return with_cors(library_settings(arrival_, door.config.keys));
        }
        if (auto state = state_of_door(arrival_, door)) return *std::move(state);
        return take_route(arrival_, door, place_, make_respond);
    }

    void take(Outcome outcome) {
        if (auto* response = std::get_if<Response>(&outcome)) return answer(std::move(*response));
        auto* appending = std::get_if<Appending>(&outcome);
        if (!appending) return;
        rejected_ = std::move(appending->rejected);
        accepted_ = appending->accepted;
        bytes_in_flight_ = appending->bytes;
        place_.take(bytes_in_flight_);
        if (appending->patience) answer_by_ = Steady::now() + *appending->patience;
        append(request_, std::move(appending->drafts));
    }

    /// Brings somebody's answer back to this thread; who forgets it answers 500.
    Respond respond() {
        struct Promise {
            std::shared_ptr<Worker> worker;
            std::shared_ptr<HttpConnection> connection;
            std::atomic<bool> is_kept{false};
            void keep(Response response) {
                if (is_kept.exchange(true)) return;
                net::post(worker->io(), [connection = std::move(connection),
                                         response = std::move(response)]() mutable {
                    if (!connection->is_finished_) connection->answer(std::move(response));
                });
            }
            ~Promise() { keep(error_response(500, "no answer")); }
        };
        auto promise = std::make_shared<Promise>();
        promise->worker = worker_.shared_from_this();
        promise->connection = std::static_pointer_cast<HttpConnection>(shared_from_this());
        return [promise](Response response) { promise->keep(std::move(response)); };
    }

    void upgrade() {
        const auto& keys = worker_.door().config.keys;
        if (!is_upgrade(arrival_.message)) {
            auto response = error_response(426, "this path speaks WebSocket");
            response.headers.emplace_back("Upgrade", "websocket");
            return answer(std::move(response));
        }
        const auto* key = arrival_.find_key(keys, arrival_.shown_key(keys).value_or(std::string{}));
        if (!key) return answer(unauthorized());
        if (!key->allows(Scope::ingest))
            return answer(error_response(403, "the key is not for events"));
        if (const auto why = worker_.door().why_closed(); !why.empty())
            return answer(unavailable(503, why, worker_.limits()));
        if (reader_.has_bytes()) return refuse("bytes behind a request for an upgrade");
        auto stream = make_stream_connection(worker_, std::move(place_), std::move(socket_), *key,
                                             std::move(arrival_.message));
        is_finished_ = true;
        auto& worker = worker_;
        worker.remove(*this);
        worker.add(stream);
    }

    // Writing.

    void answer(Response response) {
        if (is_finished_) return;
        answer_by_.reset();
        if (response.status >= 400) worker_.door().observer().failed(response.status);
        if (!response.fault.empty()) worker_.door().observer().broke(response.fault);
        is_last_ = is_last_ || worker_.door().stopping;
        out_ = http_text(response, {.closes = is_last_,
                                    .keeps_alive = arrival_.message.version() == 10,
                                    .has_body = !arrival_.is_head()});
        arrival_ = {};
        wait_at_most(worker_.limits().write_timeout);
        net::async_write(socket_, net::buffer(out_),
                         [this, self = shared_from_this()](error_code error, std::size_t) {
                             if (error) return finish();
                             read();
                         });
    }

    /// Waits until the other side has read the last answer and closes.
    void linger() {
        error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
        wait_at_most(worker_.limits().close_timeout);
        reader_.bytes().clear();
        discard();
    }

    void discard() {
        if (is_finished_) return;
        socket_.async_read_some(
            reader_.bytes().prepare(lingering_read_bytes),
            [this, self = shared_from_this()](error_code error, std::size_t bytes) {
                discarded_ += bytes;
                if (error || discarded_ > lingering_bytes_max) return finish();
                discard();
            });
    }

    void finish() {
        if (std::exchange(is_finished_, true)) return;
        error_code ignored;
        socket_.close(ignored);
        deadline_.reset();
        worker_.remove(*this);
    }

    Socket socket_;
    HttpReader reader_;
    Arrival arrival_; ///< What is being answered.
    std::string out_;

    std::uint64_t request_ = 0; ///< Counts them; names an append.
    std::size_t accepted_ = 0, bytes_in_flight_ = 0, discarded_ = 0;
    std::string rejected_; ///< Of the messages being appended.
    Steady::time_point received_;
    std::optional<Steady::time_point> deadline_;
    std::optional<Steady::time_point> answer_by_; ///< Of an append that is waited for so long.
    bool is_idle_ = false;                        ///< Between requests.
    bool is_last_ = false;                        ///< No request is read after this one.
    bool is_finished_ = false;
};

} // namespace

std::shared_ptr<Connection> make_http_connection(Worker& worker, Place place, Socket socket) {
    return std::make_shared<HttpConnection>(worker, std::move(place), std::move(socket));
}

} // namespace runtime::listener
