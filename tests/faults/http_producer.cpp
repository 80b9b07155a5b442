#include "tests/faults/http_producer.hpp"

#include "tests/faults/lanes.hpp"
#include "tests/faults/options.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace faults {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Somebody who is told to come again later than this may as well be told nothing.
constexpr auto retry_after_max = 60s;
/// Who was refused for long does not make up for all of it.
constexpr auto behind_max = 1s;
constexpr std::size_t wrong_max = 5;

using Response = http::response<http::string_body>;

struct Request {
    std::string path, body;
    std::vector<std::string> ids;
};

struct Lane {
    int number = 0;
    std::optional<Request> open; ///< Until it is taken.
    std::unique_ptr<beast::tcp_stream> stream;
    beast::flat_buffer buffer;
    Clock::time_point due = Clock::now(); ///< Of the next request.
    bool makes_batch = true;
};

/// What `Retry-After` says; nothing where it is not there, no number of seconds, or none that makes
/// sense.
std::optional<std::chrono::seconds> patience_in(const Response& answer) {
    const auto text = answer[http::field::retry_after];
    int seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    const std::chrono::seconds patience{seconds};
    if (patience < 1s || patience > retry_after_max) return std::nullopt;
    return patience;
}

} // namespace

struct HttpProducers::Shared : SharedLanes<Lane>,
                               std::enable_shared_from_this<HttpProducers::Shared> {
    Shared(asio::io_context& io, Options given, Next source)
        : SharedLanes{io}, options(std::move(given)), next(std::move(source)) {}

    const Options options;
    Next next;

    // Under the mutex.
    Totals totals;
    Counts counts;
    std::set<std::string> acked;
    std::vector<std::string> wrong;

    asio::awaitable<void> run(std::shared_ptr<Lane> lane) {
        while (!is(&Shared::ended)) {
            if (!lane->open) {
                if (is(&Shared::stopping)) break;
                if (const auto now = Clock::now(); lane->due > now) {
                    co_await sleep(std::min<std::chrono::nanoseconds>(lane->due - now, 20ms));
                    continue;
                }
                make(*lane);
            }
            const auto pause = co_await ask(*lane);
            if (pause > 0ms) co_await sleep(pause);
        }
        lane->stream.reset();
        left();
    }

    void make(Lane& lane) {
        Request request{.path = "/v1/batch", .body = R"({"batch":[)"};
        const bool is_batch = std::exchange(lane.makes_batch, !lane.makes_batch);
        const auto count = is_batch ? options.messages_per_batch : 1;
        for (std::size_t i = 0; i < count; ++i) {
            auto message = next(lane.number);
            if (!is_batch) {
                const bool is_identify =
                    message.json.find(R"("type":"identify")") != std::string::npos;
                request.path = is_identify ? "/v1/identify" : "/v1/track";
                request.body = message.json;
            } else {
                request.body += (i > 0 ? "," : "") + message.json;
            }
            request.ids.push_back(std::move(message.id));
        }
        if (is_batch) request.body += "]}";
        const std::chrono::duration<double> span{static_cast<double>(count * lanes.size()) /
                                                 options.rate};
        lane.due = std::max(lane.due, Clock::now() - behind_max) +
                   std::chrono::duration_cast<Clock::duration>(span);
        lane.open = std::move(request);
    }

    /// One request and its answer; for how long to wait before the next.
    asio::awaitable<std::chrono::milliseconds> ask(Lane& lane) {
        const auto begin = Clock::now();
        Response answer;
        std::string failure;
        try {
            if (!lane.stream) {
                lane.buffer.clear();
                lane.stream = std::make_unique<beast::tcp_stream>(context);
                lane.stream->expires_after(options.patience);
                co_await lane.stream->async_connect(
                    asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), options.port},
                    asio::use_awaitable);
            }
            http::request<http::string_body> request{http::verb::post, lane.open->path, 11};
            request.set(http::field::host, "127.0.0.1:" + std::to_string(options.port));
            request.set(http::field::authorization, "Bearer " + options.key);
            request.set(http::field::content_type, "application/json");
            request.body() = lane.open->body;
            request.prepare_payload();
            lane.stream->expires_after(options.patience);
            co_await http::async_write(*lane.stream, request, asio::use_awaitable);
            co_await http::async_read(*lane.stream, lane.buffer, answer, asio::use_awaitable);
        } catch (const boost::system::system_error& error) {
            failure = error.code() == beast::error::timeout ? "hangs" : error.code().message();
        }
        const std::scoped_lock lock{mutex};
        if (!failure.empty()) {
            if (!ended) note_wrong(lane, failure);
            counts.are_whole = false;
            lane.stream.reset();
            co_return 100ms;
        }
        if (!answer.keep_alive()) lane.stream.reset();
        totals.slowest =
            std::max(totals.slowest,
                     std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin));
        co_return take(lane, answer);
    }

    // Under the mutex.

    std::chrono::milliseconds take(Lane& lane, const Response& answer) {
        const auto status = answer.result_int();
        const auto said = std::to_string(status) + ' ' + answer.body().substr(0, 200);
        if (status == 429 || status == 503) {
            const auto patience = patience_in(answer);
            if (!patience) note_wrong(lane, "no sensible Retry-After: " + said);
            ++totals.refused;
            return patience.value_or(1s);
        }
        const auto request = *std::exchange(lane.open, std::nullopt);
        if (status != 200 || answer.body().find("rejected") != std::string::npos) {
            note_wrong(request.path, said);
            return 0ms;
        }
        ++(request.ids.size() == 1 ? totals.singles : totals.batches);
        for (const auto& id : request.ids) {
            ++counts.acked;
            if (!acked.insert(id).second) ++counts.repeated;
        }
        return 0ms;
    }

    void note_wrong(const Lane& lane, const std::string& what) {
        note_wrong(lane.open->path, what);
    }
    void note_wrong(const std::string& path, const std::string& what) {
        if (wrong.size() < wrong_max) wrong.push_back("POST " + path + ": " + what);
    }
};

HttpProducers::HttpProducers(Loop& loop, Options options, Next next)
    : loop_(loop),
      shared_(std::make_shared<Shared>(loop.context(), std::move(options), std::move(next))) {
    begin_lanes(loop, shared_, shared_->options.connections);
}

HttpProducers::~HttpProducers() {
    end_lanes(loop_, shared_, [](Lane& lane) {
        if (!lane.stream) return;
        error_code ignored;
        lane.stream->socket().close(ignored);
    });
}

bool HttpProducers::finish(std::chrono::milliseconds patience) {
    return finish_lanes(*shared_, patience);
}

HttpProducers::Totals HttpProducers::totals() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->totals;
}

std::vector<std::string> HttpProducers::wrong() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->wrong;
}

std::set<std::string> HttpProducers::acked() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->acked;
}

Senders::Counts HttpProducers::counts() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->counts;
}

std::unique_ptr<HttpProducers> start_http_traffic(World& world, const Mix& mix,
                                                  HttpProducers::Options given, int first_lane) {
    if (given.port == 0) given.port = world.port();
    return std::make_unique<HttpProducers>(
        world.loop, given, traffic_of(options().seed, mix, given.connections, first_lane));
}

} // namespace faults
