#include "runtime/listener/stream_connection.hpp"

#include "runtime/listener/answers.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <deque>
#include <optional>
#include <utility>

namespace runtime::listener {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr std::size_t read_bytes = 64 * 1024;
/// A buffer that one large frame has blown up is not kept for the small ones behind it.
constexpr std::size_t kept_buffer_bytes = 256 * 1024;

/// Reads frames as long as there is credit, and answers in their order once they are durable.
class StreamConnection final : public Connection {
public:
    StreamConnection(Worker& worker, Place place, Socket socket, Key key, HttpRequest upgrade)
        : Connection(worker, std::move(place)), stream_(std::move(socket)), key_(std::move(key)),
          key_id_(key_.id()), upgrade_(std::move(upgrade)) {}

    ~StreamConnection() override { place_.give_back(bytes_in_flight_); }

    void start() override {
        // Limits of size are ours to apply: the frames before are acked, then the close follows.
        stream_.read_message_max(0);
        stream_.auto_fragment(false);
        stream_.write_buffer_bytes(4096);
        if (worker_.door().config.deflate) {
            websocket::permessage_deflate deflate;
            deflate.server_enable = true;
            deflate.compLevel = 1;
            stream_.set_option(deflate);
        }
        stream_.control_callback(
            [this](websocket::frame_type, beast::string_view) { last_heard_ = worker_.now(); });
        last_heard_ = worker_.now();
        deadline_ = worker_.now() + worker_.limits().header_timeout;
        stream_.async_accept(upgrade_, [this, self = shared_from_this()](error_code error) {
            deadline_.reset();
            upgrade_ = {};
            if (error) return finish();
            stream_.text(true);
            is_open_ = true;
            if (worker_.door().stopping) stop();
            read();
        });
    }

    void tick(Steady::time_point now) override {
        const auto& limits = worker_.limits();
        if (deadline_ && now > *deadline_) return abort();
        if (is_writing_ && now - write_begun_ > limits.write_timeout) return abort();
        if (!is_reading_ || close_) return;
        if (frame_begun_ && now - *frame_begun_ > limits.body_timeout)
            return close(websocket::close_code::policy_error, "a frame took too long");
        if (pinged_at_ && last_heard_ < *pinged_at_) {
            if (now - *pinged_at_ > limits.pong_timeout) abort();
        } else if (now - last_heard_ > limits.ping_interval && !is_pinging_) {
            ping(now);
        }
    }

    void resume() override {
        is_paused_ = false;
        read();
    }

    void completed(std::uint64_t number, const journeys::Result<void>& result) override {
        if (is_finished_ || number < first_) return;
        auto& frame = frames_[number - first_];
        frame.is_done = true;
        if (result) return;
        // Not acked, so the producer sends it again; whatever lies behind it, too.
        has_failed_ = true;
        frame.is_lost = true;
    }

    void flush() override {
        if (is_finished_) return;
        advance();
        if (has_failed_) close(websocket::close_code::try_again_later, "storage is not available");
        write();
        read();
    }

    void stop() override {
        if (is_open_) close(websocket::close_code::service_restart, "the service is going down");
    }

    void abort() override { finish(); }

private:
    /// A frame that was read and is not yet acked.
    struct Frame {
        std::size_t bytes = 0;
        Steady::time_point received;
        bool is_done = false; ///< Durable, or refused.
        bool is_lost = false; ///< Storage failed.
        std::uint64_t accepted = 0;
        std::string rejected;             ///< As JSON, each item followed by a comma.
        std::optional<std::string> error; ///< Refused as a whole.
    };

    struct Answer {
        std::string text;
        bool is_binary = false; ///< Of an echo.
    };

    bool has_room() const {
        const auto& limits = worker_.limits();
        return frames_.size() < limits.frames_in_flight_max &&
               bytes_in_flight_ < limits.bytes_in_flight_max &&
               answer_bytes_ < limits.unsent_bytes_max;
    }

    void read() {
        if (is_reading_ || is_paused_ || close_ || is_finished_ || !is_open_) return;
        if (!has_room()) return; // The next ack looks again.
        if (worker_.door().ports.credit.is_full() || !place_.may_take_more()) {
            is_paused_ = true;
            return worker_.pause(*this);
        }
        if (!is_reading_ && !frame_begun_) last_heard_ = worker_.now();
        is_reading_ = true;
        stream_.async_read_some(in_, read_bytes,
                                [this, self = shared_from_this()](error_code error, std::size_t) {
                                    is_reading_ = false;
                                    received(error);
                                });
    }

    void received(error_code error) {
        if (is_finished_) return;
        if (error) return ended();
        last_heard_ = worker_.now();
        if (close_) return; // What comes behind the decision to close is not taken.
        if (stream_.got_binary() && !worker_.door().ports.echoes)
            return close(websocket::close_code::unknown_data, "text frames only");
        if (in_.size() > worker_.limits().messages.frame_bytes_max)
            return close(websocket::close_code::too_big, "the frame is over the limit");
        if (!stream_.is_message_done()) {
            if (!frame_begun_) frame_begun_ = worker_.now();
        } else {
            frame_begun_.reset();
            take();
            write();
        }
        read();
    }

    void take() {
        if (worker_.door().ports.echoes) return echo();
        const auto number = first_ + frames_.size();
        auto& frame = frames_.emplace_back();
        frame.bytes = in_.size();
        frame.received = Steady::now();
        bytes_in_flight_ += frame.bytes;
        place_.take(frame.bytes);

        in_.reserve(in_.size() + schema::MessageDecoder::padding);
        const auto data = in_.cdata();
        const std::string_view text{static_cast<const char*>(data.data()), data.size()};
        schema::Envelope envelope;
        envelope.received_at = worker_.door().ports.now();
        envelope.write_key_hash = key_id_;
        envelope.limits = worker_.limits().messages;
        auto taken = worker_.ingest().take(text, envelope, key_.name, in_.capacity() - in_.size());
        if (!taken) {
            worker_.report(taken.error(), text, key_.name);
            frame.error = taken.error().detail;
            answer_bytes_ += frame.error->size();
            frame.is_done = true;
        } else {
            frame.accepted = taken->accepted;
            worker_.door().observer().took(*taken);
            if (!taken->rejected.empty()) {
                frame.rejected = rejected_items(taken->rejected, number);
                answer_bytes_ += frame.rejected.size();
                worker_.report(std::move(taken->refused));
            }
            if (taken->drafts.empty())
                frame.is_done = true;
            else
                append(number, std::move(taken->drafts));
        }
        if (in_.capacity() > kept_buffer_bytes)
            in_ = beast::flat_buffer{};
        else
            in_.consume(in_.size());
        if (frame.is_done) advance();
    }

    void echo() {
        const auto data = in_.cdata();
        answers_.push_back(
            {{static_cast<const char*>(data.data()), data.size()}, stream_.got_binary()});
        answer_bytes_ += data.size();
        in_.consume(in_.size());
    }

    /// Moves what is durable, and everything before it too, from the frames to the answers.
    void advance() {
        const auto now = Steady::now();
        std::size_t acked = 0, messages = 0;
        std::chrono::nanoseconds slowest{0};
        while (!frames_.empty() && frames_.front().is_done && !frames_.front().is_lost) {
            auto& frame = frames_.front();
            bytes_in_flight_ -= frame.bytes;
            place_.give_back(frame.bytes);
            if (frame.error) {
                answer_bytes_ -= frame.error->size();
                finish_ack();
                answers_.push_back({refusal_text(first_, *frame.error)});
                answer_bytes_ += answers_.back().text.size();
            } else {
                ack_ = first_;
                accepted_ += frame.accepted;
                messages += frame.accepted;
                rejected_ += frame.rejected;
                slowest = std::max<std::chrono::nanoseconds>(slowest, now - frame.received);
                ++acked;
            }
            frames_.pop_front();
            ++first_;
        }
        if (messages != 0) worker_.door().observer().accepted(messages);
        if (acked != 0) worker_.door().observer().acked(acked, slowest);
    }

    /// Turns the ack that gathers into an answer of its own, because another kind follows it.
    void finish_ack() {
        if (ack_ == 0) return;
        answer_bytes_ -= rejected_.size();
        answers_.push_back({ack_text(ack_, accepted_, rejected_)});
        answer_bytes_ += answers_.back().text.size();
        ack_ = accepted_ = 0;
        rejected_.clear();
    }

    void write() {
        if (is_writing_ || is_finished_ || is_closing_) return;
        if (answers_.empty()) finish_ack();
        if (answers_.empty()) {
            if (close_ && (frames_.empty() || frames_.front().is_lost)) send_close();
            return;
        }
        out_ = std::move(answers_.front().text);
        stream_.text(!answers_.front().is_binary);
        answers_.pop_front();
        answer_bytes_ -= out_.size();
        is_writing_ = true;
        write_begun_ = worker_.now();
        stream_.async_write(net::buffer(out_),
                            [this, self = shared_from_this()](error_code error, std::size_t) {
                                is_writing_ = false;
                                if (is_finished_) return;
                                if (error) return ended();
                                write();
                                read();
                            });
    }

    /// No more frames are taken; when those before are acked, the close follows.
    void close(websocket::close_code code, const char* why) {
        if (close_ || is_finished_) return;
        close_ = websocket::close_reason{code, why};
        write();
    }

    void send_close() {
        is_closing_ = true;
        deadline_ = worker_.now() + worker_.limits().close_timeout;
        stream_.async_close(*close_, [this, self = shared_from_this()](error_code) { finish(); });
    }

    void ping(Steady::time_point now) {
        is_pinging_ = true;
        pinged_at_ = now;
        stream_.async_ping({},
                           [this, self = shared_from_this()](error_code) { is_pinging_ = false; });
    }

    /// The other side has gone, or broken the protocol; Beast has answered that already.
    void ended() {
        if (!is_closing_) finish();
    }

    void finish() {
        if (std::exchange(is_finished_, true)) return;
        error_code ignored;
        beast::get_lowest_layer(stream_).close(ignored);
        deadline_.reset();
        worker_.remove(*this);
    }

    websocket::stream<Socket, true> stream_;
    Key key_;
    std::uint64_t key_id_;
    HttpRequest upgrade_;
    beast::flat_buffer in_;
    std::string out_;

    std::deque<Frame> frames_; ///< In flight, in order.
    std::uint64_t first_ = 1;  ///< The number of the first of them.
    std::size_t bytes_in_flight_ = 0;
    std::uint64_t ack_ = 0; ///< The ack that gathers while another is written; 0: none.
    std::uint64_t accepted_ = 0;
    std::string rejected_;
    std::deque<Answer> answers_;
    std::size_t answer_bytes_ = 0; ///< Of all answers not yet handed to the socket.

    std::optional<websocket::close_reason> close_; ///< Decided.
    std::optional<Steady::time_point> deadline_;   ///< Of the upgrade and of the close.
    std::optional<Steady::time_point> frame_begun_, pinged_at_;
    Steady::time_point last_heard_, write_begun_;
    bool is_open_ = false, is_reading_ = false, is_paused_ = false, is_writing_ = false;
    bool is_pinging_ = false, is_closing_ = false, is_finished_ = false, has_failed_ = false;
};

} // namespace

bool is_upgrade(const HttpRequest& request) { return websocket::is_upgrade(request); }

std::shared_ptr<Connection> make_stream_connection(Worker& worker, Place place, Socket socket,
                                                   Key key, HttpRequest upgrade) {
    return std::make_shared<StreamConnection>(worker, std::move(place), std::move(socket),
                                              std::move(key), std::move(upgrade));
}

} // namespace runtime::listener
