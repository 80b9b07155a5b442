#include "tests/bench/bare_pipeline.hpp"

#include "runtime/postgres/binary.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <libpq-fe.h>
#include <simdjson.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>

namespace bench {
namespace {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using Tcp = net::ip::tcp;

constexpr std::string_view copy_head{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view copy_end{"\377\377", 2};

/// Rows in the form of a binary COPY, and the frames that they came in.
struct Batch {
    std::string rows;
    std::uint64_t messages = 0, frames = 0;
};

} // namespace

class BarePipeline::Implementation {
public:
    ~Implementation() {
        {
            const std::scoped_lock lock{mutex_};
            ends_ = true;
        }
        wake_.notify_one();
        if (writer_.joinable()) writer_.join();
        io_.stop();
        if (door_.joinable()) door_.join();
        PQfinish(database_);
    }

    Result<void> start(const std::string& conninfo) {
        database_ = PQconnectdb(conninfo.c_str());
        if (!run("CREATE TABLE bare (number bigint NOT NULL, customer bytea NOT NULL, "
                 "body bytea NOT NULL)") ||
            !run("ALTER TABLE bare ALTER COLUMN body SET STORAGE EXTERNAL"))
            return Error{ErrorCode::unavailable, PQerrorMessage(database_)};
        error_code error;
        acceptor_.open(Tcp::v4(), error);
        if (!error) acceptor_.bind({net::ip::address_v4::loopback(), 0}, error);
        if (!error) acceptor_.listen(4, error);
        if (error) return Error{ErrorCode::unavailable, error.message()};
        port = acceptor_.local_endpoint().port();
        accept();
        door_ = std::thread{[this] { io_.run(); }};
        writer_ = std::thread{[this] { write(); }};
        return {};
    }

    std::uint64_t count_and_clear() {
        auto* const result = PQexec(database_, "SELECT count(*) FROM bare");
        const auto count = PQntuples(result) == 1
                               ? std::strtoull(PQgetvalue(result, 0, 0), nullptr, 10)
                               : std::uint64_t{0};
        PQclear(result);
        run("TRUNCATE bare");
        return count;
    }

    std::uint16_t port = 0;

private:
    using Stream = websocket::stream<Tcp::socket>;

    bool run(const char* sql) {
        auto* const result = PQexec(database_, sql);
        const auto status = PQresultStatus(result);
        PQclear(result);
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
    }

    void accept() {
        acceptor_.async_accept([this](error_code error, Tcp::socket socket) {
            if (error) return;
            socket.set_option(Tcp::no_delay(true), error);
            auto stream = std::make_shared<Stream>(std::move(socket));
            stream->auto_fragment(false);
            stream->read_message_max(8u << 20);
            stream->async_accept([this, stream](error_code failed) {
                if (failed) return accept();
                in_.clear();
                acks_.clear();
                acked_ = 0;
                stream_ = stream;
                read(stream);
            });
        });
    }

    void read(const std::shared_ptr<Stream>& stream) {
        stream->async_read(in_, [this, stream](error_code error, std::size_t) {
            if (error) {
                stream_.reset();
                return accept();
            }
            take();
            in_.consume(in_.size());
            read(stream);
        });
    }

    void take() {
        in_.reserve(in_.size() + simdjson::SIMDJSON_PADDING);
        const auto data = in_.cdata();
        const simdjson::padded_string_view text{static_cast<const char*>(data.data()), data.size(),
                                                data.size() + simdjson::SIMDJSON_PADDING};
        simdjson::ondemand::document document;
        simdjson::ondemand::array messages;
        if (parser_.iterate(text).get(document) || document.get_array().get(messages)) return;
        {
            const std::scoped_lock lock{mutex_};
            for (auto message : messages) {
                simdjson::ondemand::object object;
                if (message.get_object().get(object)) break;
                append(object);
            }
            ++pending_.frames;
        }
        wake_.notify_one();
    }

    /// Eight members are read, as whoever routes and files an event reads them.
    void append(simdjson::ondemand::object& object) {
        std::string_view customer, raw;
        std::size_t seen = 0;
        for (auto field : object) {
            std::string_view key, value;
            if (field.unescaped_key().get(key)) return;
            if (key == "userId") {
                if (field.value().get_string().get(customer)) return;
            } else if (key == "type" || key == "event" || key == "messageId" ||
                       key == "timestamp" || key == "name") {
                if (field.value().get_string().get(value)) return;
                seen += value.size();
            } else if (key == "properties" || key == "traits" || key == "context") {
                simdjson::ondemand::object inner;
                if (field.value().get_object().get(inner)) return;
                for (auto member : inner) {
                    if (member.unescaped_key().get(value)) return;
                    seen += value.size();
                }
            }
        }
        parsed_ += seen;
        if (object.raw_json().get(raw)) return;
        auto& rows = pending_.rows;
        runtime::put_number(rows, std::int16_t{3});
        runtime::put_sized_number(rows, static_cast<std::int64_t>(++number_));
        runtime::put_sized(rows, customer);
        runtime::put_sized(rows, raw);
        ++pending_.messages;
    }

    /// Commits whatever has come meanwhile, again and again.
    void write() {
        Batch batch;
        while (true) {
            batch.rows.clear();
            batch.messages = batch.frames = 0;
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [this] { return pending_.frames > 0 || ends_; });
                if (pending_.frames == 0) return;
                std::swap(batch, pending_);
            }
            if (!commit(batch.rows)) return; // Then nothing is acked, and the load says so.
            net::post(io_, [this, messages = batch.messages, frames = batch.frames] {
                ack(messages, frames);
            });
        }
    }

    bool commit(const std::string& rows) {
        if (!run("COPY bare FROM STDIN (FORMAT binary)")) return false;
        const auto put = [this](std::string_view bytes) {
            return PQputCopyData(database_, bytes.data(), static_cast<int>(bytes.size())) == 1;
        };
        if (!put(copy_head) || !put(rows) || !put(copy_end) ||
            PQputCopyEnd(database_, nullptr) != 1)
            return false;
        bool done = true;
        while (auto* const result = PQgetResult(database_)) {
            done = done && PQresultStatus(result) == PGRES_COMMAND_OK;
            PQclear(result);
        }
        return done;
    }

    void ack(std::uint64_t messages, std::uint64_t frames) {
        if (!stream_) return;
        acked_ += frames;
        acks_.push_back("{\"ack\":" + std::to_string(acked_) +
                        ",\"accepted\":" + std::to_string(messages) + "}");
        if (acks_.size() == 1) send(stream_);
    }

    void send(const std::shared_ptr<Stream>& stream) {
        stream->text(true);
        stream->async_write(net::buffer(acks_.front()),
                            [this, stream](error_code error, std::size_t) {
                                if (error || stream != stream_) return;
                                acks_.pop_front();
                                if (!acks_.empty()) send(stream);
                            });
    }

    net::io_context io_{1};
    Tcp::acceptor acceptor_{io_};
    std::shared_ptr<Stream> stream_;
    boost::beast::flat_buffer in_;
    simdjson::ondemand::parser parser_;
    std::deque<std::string> acks_;
    std::uint64_t acked_ = 0, number_ = 0, parsed_ = 0;
    PGconn* database_ = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
    Batch pending_;     ///< Guarded by `mutex_`.
    bool ends_ = false; ///< Guarded by `mutex_`.
    std::thread door_, writer_;
};

BarePipeline::BarePipeline(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
BarePipeline::~BarePipeline() = default;

Result<std::unique_ptr<BarePipeline>> BarePipeline::start(const std::string& conninfo) {
    auto implementation = std::make_unique<Implementation>();
    if (auto started = implementation->start(conninfo); !started) return started.error();
    return std::unique_ptr<BarePipeline>{new BarePipeline{std::move(implementation)}};
}

std::uint16_t BarePipeline::port() const { return implementation_->port; }
std::uint64_t BarePipeline::count_and_clear() { return implementation_->count_and_clear(); }

} // namespace bench
