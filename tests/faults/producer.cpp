#include "tests/faults/producer.hpp"

#include "tests/faults/lanes.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

#include <deque>

namespace faults {

namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

using Stream = websocket::stream<tcp::socket>;

struct Frame {
    std::string text;
    std::vector<std::string> ids;
    Clock::time_point due;
};

struct Lane {
    int number = 0;
    std::deque<Frame> frames; ///< Not yet acked, in order.
    std::size_t sent = 0;     ///< So many of them on the present connection.
    std::size_t acked = 0;    ///< Frames of the present connection.
    std::shared_ptr<Stream> stream;
    Clock::time_point due = Clock::now(); ///< Of the next frame.
};

} // namespace

struct Producers::Shared : SharedLanes<Lane>, std::enable_shared_from_this<Producers::Shared> {
    Shared(asio::io_context& io, Options given, Next source)
        : SharedLanes{io}, options(std::move(given)), next(std::move(source)) {}

    const Options options;
    Next next;

    // Under the mutex.
    Totals totals;
    std::uint64_t repeated = 0; ///< Of the acked.
    std::set<std::string> acked;

    asio::awaitable<void> run(std::shared_ptr<Lane> lane) {
        while (!is(&Shared::ended)) {
            bool failed = false;
            try {
                co_await connect(*lane);
                asio::co_spawn(
                    context,
                    [self = shared_from_this(), lane, stream = lane->stream] {
                        return self->read(lane, stream);
                    },
                    asio::detached);
                co_await write(lane, lane->stream);
            } catch (const std::exception&) {
                failed = true;
            }
            drop(*lane);
            if (is(&Shared::stopping) && lane->frames.empty()) break;
            if (failed) co_await sleep(30ms);
        }
        left();
    }

    asio::awaitable<void> connect(Lane& lane) {
        auto stream = std::make_shared<Stream>(context);
        co_await stream->next_layer().async_connect(
            {asio::ip::address_v4::loopback(), options.port}, asio::use_awaitable);
        co_await stream->async_handshake("127.0.0.1:" + std::to_string(options.port),
                                         "/v1/stream?write_key=" + options.key,
                                         asio::use_awaitable);
        stream->text(true);
        lane.stream = std::move(stream);
        lane.sent = lane.acked = 0;
        const std::scoped_lock lock{mutex};
        ++totals.connections;
    }

    void drop(Lane& lane) {
        if (lane.stream) {
            error_code ignored;
            lane.stream->next_layer().close(ignored);
            lane.stream.reset();
        }
        if (options.resends) return;
        const std::scoped_lock lock{mutex};
        for (const auto& frame : lane.frames) totals.given_up += frame.ids.size();
        lane.frames.clear();
        lane.sent = 0;
    }

    /// Until everything is acked after `stop`; throws where the connection ends.
    asio::awaitable<void> write(std::shared_ptr<Lane> lane, std::shared_ptr<Stream> stream) {
        while (lane->stream == stream) {
            if (is(&Shared::ended)) co_return;
            if (lane->sent < lane->frames.size()) {
                const auto text = lane->frames[lane->sent].text; // The frame may go meanwhile.
                ++lane->sent;
                co_await stream->async_write(asio::buffer(text), asio::use_awaitable);
                continue;
            }
            if (is(&Shared::stopping)) {
                if (lane->frames.empty()) co_return;
                co_await sleep(2ms);
                continue;
            }
            const auto now = Clock::now();
            if (lane->frames.size() >= options.frames_in_flight || lane->due > now) {
                co_await sleep(std::clamp<std::chrono::nanoseconds>(lane->due - now, 1ms, 20ms));
                continue;
            }
            make(*lane);
        }
        throw std::runtime_error("the connection has ended");
    }

    void make(Lane& lane) {
        Frame frame;
        frame.due = options.rate > 0 ? lane.due : Clock::now();
        frame.text = '[';
        for (std::size_t i = 0; i < options.messages_per_frame; ++i) {
            auto message = next(lane.number);
            if (i > 0) frame.text += ',';
            frame.text += message.json;
            frame.ids.push_back(std::move(message.id));
        }
        frame.text += ']';
        if (options.rate > 0)
            lane.due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                static_cast<double>(options.messages_per_frame * lanes.size()) / options.rate));
        lane.frames.push_back(std::move(frame));
        const std::scoped_lock lock{mutex};
        totals.sent += options.messages_per_frame;
    }

    asio::awaitable<void> read(std::shared_ptr<Lane> lane, std::shared_ptr<Stream> stream) {
        try {
            boost::beast::flat_buffer buffer;
            while (lane->stream == stream) {
                co_await stream->async_read(buffer, asio::use_awaitable);
                const auto data = buffer.cdata();
                take(*lane, {static_cast<const char*>(data.data()), data.size()});
                buffer.clear();
            }
        } catch (const std::exception&) {
            error_code ignored;
            stream->next_layer().close(ignored); // The writer learns of it.
            if (lane->stream == stream) lane->stream.reset();
        }
    }

    void take(Lane& lane, std::string_view text) {
        const auto answer = nlohmann::json::parse(text);
        const auto upto = answer.at("ack").get<std::size_t>();
        std::set<std::pair<std::size_t, std::size_t>> refused; // Frame and index.
        if (answer.contains("rejected"))
            for (const auto& one : answer.at("rejected"))
                refused.emplace(one.at("frame").get<std::size_t>(),
                                one.at("index").get<std::size_t>());
        const std::scoped_lock lock{mutex};
        const auto now = Clock::now();
        while (lane.acked < upto && !lane.frames.empty()) {
            ++lane.acked;
            auto& frame = lane.frames.front();
            totals.slowest_ack =
                std::max(totals.slowest_ack,
                         std::chrono::duration_cast<std::chrono::milliseconds>(now - frame.due));
            for (std::size_t i = 0; i < frame.ids.size(); ++i) {
                if (answer.contains("error") || refused.contains({lane.acked, i})) {
                    ++totals.refused;
                } else {
                    ++totals.acked;
                    if (options.keeps && !options.keeps(frame.ids[i])) continue;
                    if (!acked.insert(std::move(frame.ids[i])).second) ++repeated;
                }
            }
            lane.frames.pop_front();
            --lane.sent;
        }
    }
};

Producers::Producers(Loop& loop, Options options, Next next)
    : loop_(loop),
      shared_(std::make_shared<Shared>(loop.context(), std::move(options), std::move(next))) {
    begin_lanes(loop, shared_, shared_->options.connections);
}

Producers::~Producers() {
    end_lanes(loop_, shared_, [](Lane& lane) {
        if (!lane.stream) return;
        error_code ignored;
        lane.stream->next_layer().close(ignored);
    });
}

void Producers::stop() { shared_->stop(); }

bool Producers::finish(std::chrono::milliseconds patience) {
    return finish_lanes(*shared_, patience);
}

Producers::Totals Producers::totals() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->totals;
}

std::set<std::string> Producers::acked() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->acked;
}

Senders::Counts Producers::counts() const {
    const std::scoped_lock lock{shared_->mutex};
    const auto& totals = shared_->totals;
    const auto lanes = static_cast<std::uint64_t>(shared_->options.connections);
    return {.acked = totals.acked,
            .repeated = shared_->repeated,
            .refused = totals.refused,
            .are_whole = totals.connections == lanes && totals.given_up == 0};
}

} // namespace faults
