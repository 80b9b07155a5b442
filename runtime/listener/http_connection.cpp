#include "runtime/listener/answers.hpp"
#include "runtime/listener/gunzip.hpp"
#include "runtime/listener/stream_connection.hpp"
#include "runtime/listener/worker.hpp"

#include "runtime/url_text.hpp"
#include "schema/timestamp_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace runtime::listener {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using journeys::EventType;
using Shape = schema::Envelope::Shape;

/// What is read and thrown away behind a refusal, so that the refusal arrives: closing with unread
/// bytes would reset the connection.
constexpr std::size_t lingering_bytes_max = 4 * 1024 * 1024;

constexpr std::size_t body_read_bytes = 64 * 1024;

/// Whether an LF has no CR before it.
bool has_bare_feed(std::string_view text) {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r') return true;
    return false;
}

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    return lower;
}

/// A path of Segment's tracking API.
struct TrackingPath {
    std::string_view path;
    std::optional<EventType> expected;
    Shape shape;
    bool imported = false; ///< By `sojourn import`: for operators alone.
};
constexpr std::array tracking_paths{
    TrackingPath{"/v1/batch", {}, Shape::batch},
    TrackingPath{"/v1/b", {}, Shape::batch},
    TrackingPath{"/v1/import", {}, Shape::batch},
    TrackingPath{"/admin/import", {}, Shape::batch, true},
    TrackingPath{"/v1/track", EventType::track, Shape::message},
    TrackingPath{"/v1/t", EventType::track, Shape::message},
    TrackingPath{"/v1/identify", EventType::identify, Shape::message},
    TrackingPath{"/v1/i", EventType::identify, Shape::message},
    TrackingPath{"/v1/page", EventType::page, Shape::message},
    TrackingPath{"/v1/p", EventType::page, Shape::message},
    TrackingPath{"/v1/screen", EventType::screen, Shape::message},
    TrackingPath{"/v1/s", EventType::screen, Shape::message},
    TrackingPath{"/v1/group", EventType::group, Shape::message},
    TrackingPath{"/v1/g", EventType::group, Shape::message},
    TrackingPath{"/v1/alias", EventType::alias, Shape::message},
    TrackingPath{"/v1/a", EventType::alias, Shape::message},
};
/// Of the browser library, about itself; taken and dropped.
constexpr std::string_view metrics_path = "/v1/m";
constexpr std::string_view sources_path = "/v1/sources/";

const TrackingPath* find_tracking_path(std::string_view path) {
    const auto found = std::ranges::find(tracking_paths, path, &TrackingPath::path);
    return found == tracking_paths.end() ? nullptr : &*found;
}

/// Beast leaves open what others read differently: such requests are how one is smuggled into
/// another.
std::string_view reason_to_refuse(const HttpRequest& request) {
    if (request.version() != 11 && request.version() != 10) return "HTTP/1.1 only";
    const auto hosts = request.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && request.version() == 11)) return "one Host header is required";
    const auto encodings = request.count(http::field::transfer_encoding);
    if (encodings > 0) {
        if (request.version() == 10 || encodings > 1 ||
            !beast::iequals(request[http::field::transfer_encoding], "chunked"))
            return "Transfer-Encoding must be chunked";
        if (request.count(http::field::content_length) > 0)
            return "Content-Length with Transfer-Encoding";
    }
    if (request.count(http::field::content_length) > 1) return "several Content-Lengths";
    const auto length = as_view(request[http::field::content_length]);
    if (length.find_first_not_of("0123456789") != std::string_view::npos)
        return "Content-Length is no number";
    return {};
}

/// Requests of one connection, one after the other.
class HttpConnection final : public Connection {
public:
    HttpConnection(Worker& worker, Place place, Socket socket)
        : Connection(worker, std::move(place)), socket_(std::move(socket)) {}

    ~HttpConnection() override {
        if (bytes_in_flight_ > 0) place_.give_back(bytes_in_flight_);
    }

    void start() override {
        if (!place_.is_within_limits()) {
            is_last_ = true;
            return answer(unavailable(503, "too many connections"));
        }
        read();
    }

    void tick(Steady::time_point now) override {
        if (deadline_ && now > *deadline_) return abort();
        if (!answer_by_ || now < *answer_by_) return;
        ++request_; // What completes after all finds that somebody else asks by now.
        place_.give_back(std::exchange(bytes_in_flight_, 0));
        answer(unavailable(503, "not durable yet"));
    }

    void completed(std::uint64_t request, const journeys::Result<void>& result) override {
        if (request != request_) return;
        place_.give_back(std::exchange(bytes_in_flight_, 0));
        if (is_finished_) return;
        if (!result) return answer(with_cors(unavailable(503, "storage is not available")));
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
    void wait_at_most(std::chrono::milliseconds patience) { deadline_ = worker_.now() + patience; }

    void read() {
        if (is_finished_) return;
        if (is_last_ || worker_.door().stopping) return linger();
        if (in_.size() > 0) return read_header(); // Pipelined.
        is_idle_ = true;
        wait_at_most(worker_.limits().idle_timeout);
        socket_.async_read_some(in_.prepare(8 * 1024), [this, self = shared_from_this()](
                                                           error_code error, std::size_t bytes) {
            is_idle_ = false;
            if (error) return finish();
            in_.commit(bytes);
            read_header();
        });
    }

    void read_header() {
        path_.clear();
        is_head_ = false;
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(worker_.limits().header_bytes_max) + 1);
        parser_->body_limit(worker_.limits().body_bytes_max);
        wait_at_most(worker_.limits().header_timeout);
        parse_header();
    }

    /// Beast would accept folded lines, which others read as headers of their own; so it sees a
    /// header only when it is whole and has none. A line that ends in LF alone would never be
    /// whole.
    void parse_header() {
        const std::string_view text{static_cast<const char*>(in_.cdata().data()), in_.size()};
        const auto end = text.find("\r\n\r\n");
        const auto size = end == text.npos ? text.size() : end + 4;
        if (size > worker_.limits().header_bytes_max)
            return refuse(431, "the header is over the limit");
        if (has_bare_feed(text.substr(0, size))) return refuse(400, "a line ends in LF alone");
        if (end == text.npos) return read_more_of_header();
        const auto header = text.substr(0, end);
        if (header.find("\r\n ") != header.npos || header.find("\r\n\t") != header.npos)
            return refuse(400, "folded header lines");
        error_code error;
        in_.consume(parser_->put(in_.cdata(), error));
        if (error) return refuse(error);
        take_header();
    }

    void read_more_of_header() {
        socket_.async_read_some(in_.prepare(8 * 1024), [this, self = shared_from_this()](
                                                           error_code error, std::size_t bytes) {
            if (error) return finish();
            in_.commit(bytes);
            if (!is_finished_) parse_header();
        });
    }

    void take_header() {
        const auto& head = parser_->get();
        if (const auto why = reason_to_refuse(head); !why.empty()) return refuse(400, why);
        wait_at_most(worker_.limits().body_timeout);
        if (beast::iequals(head[http::field::expect], "100-continue") && !parser_->is_done()) {
            out_ = "HTTP/1.1 100 Continue\r\n\r\n";
            net::async_write(socket_, net::buffer(out_),
                             [this, self = shared_from_this()](error_code error, std::size_t) {
                                 if (error) return finish();
                                 read_body();
                             });
            return;
        }
        read_body();
    }

    void read_body() {
        if (is_finished_) return;
        parser_->eager(true);
        while (!parser_->is_done() && in_.size() > 0) {
            error_code error;
            in_.consume(parser_->put(in_.cdata(), error));
            if (error == http::error::need_more) break;
            if (error) return refuse(error);
        }
        if (parser_->is_done()) return take_request();
        // What Beast leaves is the beginning of a chunk's line, of which it waits for the CRLF.
        const std::string_view rest{static_cast<const char*>(in_.cdata().data()), in_.size()};
        if (has_bare_feed(rest)) return refuse(400, "a chunk's line ends in LF alone");
        if (rest.size() > worker_.limits().header_bytes_max)
            return refuse(431, "a chunk's line is over the limit");
        socket_.async_read_some(
            in_.prepare(body_read_bytes),
            [this, self = shared_from_this()](error_code error, std::size_t bytes) {
                if (error) return finish();
                in_.commit(bytes);
                read_body();
            });
    }

    void take_request() {
        deadline_.reset(); // The log and the routes take the time they need.
        ++request_;
        received_ = Steady::now();
        message_ = parser_->release();
        is_last_ = is_last_ || !message_.keep_alive();
        is_head_ = message_.method() == http::verb::head;
        const auto target = as_view(message_.target());
        if (!target.starts_with('/') && target != "*") return refuse(400, "the target is no path");
        const auto question = std::min(target.find('?'), target.size());
        path_ = std::string{target.substr(0, question)};
        query_ = parse_form(target.substr(std::min(question + 1, target.size())));
        const auto method = as_view(message_.method_string());

        const auto* tracking = find_tracking_path(path_);
        if (tracking || path_ == metrics_path) {
            if (method == "OPTIONS") return answer(preflight("POST"));
            if (method != "POST") return answer(with_cors(not_allowed("POST, OPTIONS")));
            if (!tracking) return answer(with_cors({.body = success_text({})}));
            return take_messages(*tracking);
        }
        if (path_ == "/v1/stream") return upgrade();
        if (const auto* source = find_source())
            return method == "POST" ? take_webhook(*source) : answer(not_allowed("POST"));
        if (path_.starts_with("/v1/projects/") && path_.ends_with("/settings")) {
            if (method == "OPTIONS") return answer(preflight("GET"));
            if (method != "GET" && !is_head_) return answer(with_cors(not_allowed("GET, OPTIONS")));
            return answer(with_cors(settings()));
        }
        if (method == "GET" || is_head_) {
            if (path_ == "/healthz") return answer(health());
            if (path_ == "/readyz") return answer(readiness());
            if (path_ == "/metrics" && worker_.door().ports.metrics)
                return answer({.body = worker_.door().ports.metrics(),
                               .content_type = "text/plain; version=0.0.4; charset=utf-8"});
        }
        take_route(method);
    }

    // Producers.

    /// Whether somebody stands between whoever asks and this machine: then the address that it
    /// comes from says nothing of who they are.
    bool was_passed_on() const {
        return std::ranges::any_of(message_, [](const auto& field) {
            return is_of_proxy(lower_case(as_view(field.name_string())));
        });
    }

    /// The key of that text that counts for this request.
    const Key* find_key(std::string_view text) const {
        const auto* key = worker_.door().config.keys.find(text);
        return key && key->is_for_here_only && was_passed_on() ? nullptr : key;
    }

    /// The key that the header or the query shows; what a Bearer token may be else, the body says.
    std::optional<std::string> shown_key() const {
        const auto header = as_view(message_[http::field::authorization]);
        if (!header.empty()) {
            auto key = key_of_authorization(header);
            if (!key) return std::string{}; // Nobody's.
            const bool may_be_elsewhere =
                header.size() > 1 && (header[1] == 'e' || header[1] == 'E'); // Bearer: OAuth.
            if (!may_be_elsewhere || find_key(*key)) return key;
        }
        for (const auto& [name, value] : query_)
            if (name == "write_key" || name == "writeKey") return value;
        return std::nullopt;
    }

    /// The key that a message names.
    schema::Decoded<schema::NamedKey> key_of(std::string_view named) const {
        using schema::RejectReason;
        if (named.empty()) return schema::Reject{RejectReason::bad_key, "writeKey is missing"};
        const auto* key = find_key(named);
        if (!key) return schema::Reject{RejectReason::bad_key, "unknown write key"};
        if (!key->allows(Scope::ingest))
            return schema::Reject{RejectReason::bad_key, "the key is not for events"};
        return schema::NamedKey{key->id(), key->name};
    }

    void take_messages(const TrackingPath& path) {
        auto& body = message_.body();
        const auto bytes_max = worker_.limits().body_bytes_max;
        const auto encoding = as_view(message_[http::field::content_encoding]);
        if (beast::iequals(message_[http::field::content_encoding], "gzip") ||
            beast::iequals(message_[http::field::content_encoding], "x-gzip")) {
            auto unpacked = gunzip(body, bytes_max);
            if (!unpacked) {
                const bool large = unpacked.error() == GunzipError::too_large;
                return answer(with_cors(
                    failure(large ? 413 : 400, large ? "the unpacked body is over the limit"
                                                     : "the body is no gzip")));
            }
            body = std::move(*unpacked);
        } else if (!encoding.empty() &&
                   !beast::iequals(message_[http::field::content_encoding], "identity")) {
            return answer(with_cors(failure(415, "gzip is the one Content-Encoding taken")));
        }

        const auto size = body.size();
        body.resize(size + schema::MessageDecoder::padding);
        const auto text = std::string_view{body}.substr(0, size);
        static const Key operators = make_key("import", "import", {});
        const Key* key = &operators;
        bool each_has_its_own = false;
        if (!path.imported || !place_.is_local()) {
            const auto scope = path.imported ? Scope::admin : Scope::ingest;
            auto key_text = shown_key();
            each_has_its_own = !key_text && !path.imported;
            bool is_any_known = false;
            // Without a key of its own the request is as good as the best that its body names.
            if (!key_text)
                key_text = worker_.ingest().find_write_key(text, [&](std::string_view named) {
                    const auto* found = find_key(named);
                    is_any_known = is_any_known || found;
                    return found && found->allows(scope);
                });
            key = find_key(*key_text);
            if (!key && !is_any_known) return answer(with_cors(failure(401, "unknown write key")));
            if (!key || !key->allows(scope))
                return answer(with_cors(failure(403, "the key is not for events")));
            if (path.imported) key = &operators; // One memory of messageIds for all imports.
        }
        if (worker_.door().stopping)
            return answer(with_cors(unavailable(503, "the service is going down")));
        if (const auto why = worker_.door().not_ready(); !why.empty())
            return answer(with_cors(unavailable(503, why)));
        if (worker_.door().ports.credit.is_full() || !place_.may_take_more())
            return answer(with_cors(unavailable(429, "too many events in flight")));

        schema::Envelope envelope;
        envelope.received_at = worker_.door().ports.now();
        envelope.write_key_hash = key->id();
        if (each_has_its_own)
            envelope.key_of_message = [this](std::string_view named) { return key_of(named); };
        envelope.expected = path.expected;
        envelope.shape = path.shape;
        envelope.imported = path.imported;
        envelope.limits = worker_.limits().messages;
        envelope.limits.frame_bytes_max = bytes_max;
        auto taken =
            worker_.ingest().take(text, envelope, key->name, schema::MessageDecoder::padding);
        if (!taken) {
            worker_.report(taken.error(), text, key->name);
            const bool large =
                taken.error().reason == schema::RejectReason::too_large && size > bytes_max;
            return answer(with_cors(failure(large ? 413 : 400, taken.error().detail)));
        }
        rejected_ = rejected_items(taken->rejected, std::nullopt);
        accepted_ = taken->accepted;
        worker_.door().observer().took(*taken);
        worker_.report(std::move(taken->refused));
        if (path.shape == Shape::message && !taken->rejected.empty())
            return answer(with_cors(failure(400, taken->rejected.front().error)));
        if (taken->drafts.empty()) return answer(with_cors({.body = success_text(rejected_)}));
        bytes_in_flight_ = size;
        place_.take(size);
        append(request_, std::move(taken->drafts));
    }

    // Shops.

    const WebhookSource* find_source() const {
        if (!path_.starts_with(sources_path)) return nullptr;
        const auto& sources = worker_.door().config.sources;
        const auto name = std::string_view{path_}.substr(sources_path.size());
        const auto source = std::ranges::find(sources, name, &WebhookSource::name);
        return source == sources.end() ? nullptr : &*source;
    }

    void take_webhook(const WebhookSource& source) {
        const auto& body = message_.body();
        const auto webhook = open_webhook(
            source,
            [this](std::string_view header) {
                return as_view(message_[beast::string_view{header.data(), header.size()}]);
            },
            body);
        if (!webhook) {
            worker_.door().observer().rejected(schema::RejectReason::bad_signature, 1);
            return answer(failure(401, "the signature is not right"));
        }
        if (worker_.door().stopping) return answer(unavailable(503, "the service is going down"));
        if (const auto why = worker_.door().not_ready(); !why.empty())
            return answer(unavailable(503, why));
        // An error would make the shop try again in vain, and drop the subscription in the end.
        if (!webhook->topic) return answer({.body = R"({"success":true,"ignored":"topic"})"});
        auto translated = schema::translate(*source.shop, *webhook->topic, webhook->delivery, body);
        if (!translated.is_readable) {
            worker_.report(
                {schema::RejectReason::malformed_json, "the body is no JSON object of this topic"},
                body, source.name);
            return answer({.body = success_text({})});
        }
        if (translated.privacy) return keep_request(*std::move(translated.privacy), source.name);
        if (!translated.product.empty()) {
            report_left_out(translated.left_out, source);
            return keep_product(std::move(translated.product));
        }
        if (translated.messages.empty()) return answer({.body = success_text({})});
        if (worker_.door().ports.credit.is_full() || !place_.may_take_more())
            return answer(unavailable(503, "too many events in flight"));
        report_left_out(translated.left_out, source);

        schema::Envelope envelope;
        envelope.received_at = worker_.door().ports.now();
        envelope.write_key_hash = source.id();
        envelope.limits = worker_.limits().messages;
        envelope.limits.frame_bytes_max = envelope.limits.message_bytes_max =
            worker_.limits().body_bytes_max;
        auto taken = worker_.ingest().take(translated.messages, envelope, source.name, 0);
        if (!taken) {
            worker_.report(taken.error(), translated.messages, source.name);
            return answer({.body = success_text({})});
        }
        rejected_ = rejected_items(taken->rejected, std::nullopt);
        accepted_ = taken->accepted;
        worker_.door().observer().took(*taken);
        worker_.report(std::move(taken->refused));
        if (taken->drafts.empty()) return answer({.body = success_text(rejected_)});
        bytes_in_flight_ = body.size();
        place_.take(bytes_in_flight_);
        answer_by_ = Steady::now() + worker_.limits().webhook_timeout;
        append(request_, std::move(taken->drafts));
    }

    /// The rest of the delivery counts; what was wrong with it is found where refused texts are.
    void report_left_out(const std::vector<std::string>& places, const WebhookSource& source) {
        if (places.empty()) return;
        std::string all;
        for (const auto& place : places) all += (all.empty() ? "" : ", ") + place;
        worker_.report({schema::RejectReason::bad_number, "left out, no amount of money: " + all},
                       message_.body(), source.name);
    }

    /// Answers the shop once what it said is durable.
    auto answer_when_kept() {
        return [respond = respond(), this_answer = unavailable(503, "storage is not available")](
                   const journeys::Result<void>& kept) mutable {
            respond(kept ? Response{.body = success_text({})} : std::move(this_answer));
        };
    }

    void keep_request(schema::PrivacyRequest request, const std::string& source) {
        const auto& keep = worker_.door().ports.privacy;
        if (!keep) return answer(unavailable(503, "requests cannot be kept"));
        keep(std::move(request), source, answer_when_kept());
    }

    void keep_product(std::string product) {
        const auto& keep = worker_.door().ports.product;
        if (!keep) return answer(unavailable(503, "products cannot be kept"));
        keep(std::move(product), answer_when_kept());
    }

    void upgrade() {
        if (!is_upgrade(message_)) {
            auto response = error_response(426, "this path speaks WebSocket");
            response.headers.emplace_back("Upgrade", "websocket");
            return answer(std::move(response));
        }
        const auto* key = find_key(shown_key().value_or(std::string{}));
        if (!key) return answer(unauthorized());
        if (!key->allows(Scope::ingest))
            return answer(error_response(403, "the key is not for events"));
        if (worker_.door().stopping) return answer(unavailable(503, "the service is going down"));
        if (const auto why = worker_.door().not_ready(); !why.empty())
            return answer(unavailable(503, why));
        if (in_.size() > 0) return refuse(400, "bytes behind a request for an upgrade");
        auto stream = make_stream_connection(worker_, std::move(place_), std::move(socket_), *key,
                                             std::move(message_));
        is_finished_ = true;
        auto& worker = worker_;
        worker.remove(*this);
        worker.add(stream);
    }

    // What the browser library and orchestrators ask.

    Response settings() const {
        constexpr std::string_view before = "/v1/projects/", behind = "/settings";
        if (path_.size() <= before.size() + behind.size())
            return error_response(404, "no such path");
        const auto key =
            url_decode(std::string_view{path_}.substr(before.size(),
                                                      path_.size() - before.size() - behind.size()),
                       false);
        const auto* known = find_key(key);
        if (!known || !known->allows(Scope::ingest))
            return error_response(404, "unknown write key");
        return {.body = "{\"integrations\":{\"Segment.io\":{\"apiKey\":" + json_text(key) + "}}}"};
    }

    Response health() const {
        char speed[32];
        std::snprintf(speed, sizeof speed, "%g", worker_.door().config.clock_speed);
        return {.body = "{\"status\":\"ok\",\"service_time\":\"" +
                        schema::timestamp_text(worker_.door().ports.now()) +
                        "\",\"clock_speed\":" + speed + "}"};
    }

    Response readiness() const {
        const auto why =
            worker_.door().stopping ? std::string{"going down"} : worker_.door().not_ready();
        if (why.empty()) return {.body = "{\"ready\":true}"};
        return {.status = 503, .body = "{\"ready\":false,\"reason\":" + json_text(why) + "}"};
    }

    // Everything else.

    void take_route(std::string_view method) {
        std::string allowed;
        for (const auto& route : worker_.door().ports.handlers) {
            auto arguments = match_path(route.path, path_);
            if (!arguments) continue;
            if (route.method != method && !(is_head_ && route.method == "GET")) {
                allowed += (allowed.empty() ? "" : ", ") + route.method;
                continue;
            }
            Request request;
            const bool is_open = route.is_open_here && !was_passed_on() &&
                                 is_loopback_host(as_view(message_[http::field::host]));
            if (route.scope && !place_.is_local() && !is_open) {
                const auto* key = find_key(shown_key().value_or(std::string{}));
                if (!key) {
                    auto response = unauthorized();
                    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"sojourn\"");
                    return answer(std::move(response));
                }
                if (!key->allows(*route.scope))
                    return answer(error_response(403, "the key does not allow this"));
                request.key = key->name;
            }
            request.method = method;
            request.path = path_;
            request.query = std::move(query_);
            request.arguments = std::move(*arguments);
            request.body = std::move(message_.body());
            for (const auto& field : message_) {
                request.headers.emplace_back(lower_case(as_view(field.name_string())),
                                             as_view(field.value()));
            }
            return route.handle(std::move(request), respond());
        }
        if (allowed.empty()) return answer(error_response(404, "no such path"));
        answer(not_allowed(allowed));
    }

    /// Brings a route's answer back to this thread; a route that forgets it answers 500.
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

    // Answers.

    Response failure(int status, std::string_view why) const {
        return {.status = status, .body = failure_text(why)};
    }

    Response unavailable(int status, std::string_view why) const {
        auto response = failure(status, why);
        response.headers.emplace_back("Retry-After",
                                      std::to_string(worker_.limits().retry_after.count()));
        return response;
    }

    static Response unauthorized() { return error_response(401, "unknown key"); }

    static Response not_allowed(std::string_view allowed) {
        auto response = error_response(405, "method not allowed");
        response.headers.emplace_back("Allow", allowed);
        return response;
    }

    static Response with_cors(Response response) {
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        response.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After");
        return response;
    }

    static Response preflight(std::string_view methods) {
        auto response = with_cors({.status = 204, .content_type = ""});
        response.headers.emplace_back("Access-Control-Allow-Methods", methods);
        response.headers.emplace_back("Access-Control-Allow-Headers",
                                      "authorization, content-type, x-retry-count");
        response.headers.emplace_back("Access-Control-Max-Age", "86400");
        return response;
    }

    /// Beast found the request wanting, or the other side has gone.
    void refuse(error_code error) {
        if (error == http::error::header_limit) return refuse(431, "the header is over the limit");
        if (error == http::error::body_limit) return refuse(413, "the body is over the limit");
        if (error == http::error::end_of_stream || error == http::error::partial_message ||
            error.category() != make_error_code(http::error::bad_method).category())
            return finish();
        refuse(400, error.message());
    }

    /// What follows such a request can't be told from its body, so nothing more is read.
    void refuse(int status, std::string_view why) {
        is_last_ = true;
        auto response = failure(status, why);
        const bool is_producer = find_tracking_path(path_) != nullptr;
        answer(is_producer || status == 413 ? with_cors(std::move(response)) : std::move(response));
    }

    void answer(Response response) {
        if (is_finished_) return;
        answer_by_.reset();
        is_last_ = is_last_ || worker_.door().stopping;
        const auto phrase =
            http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
        out_ = "HTTP/1.1 " + std::to_string(response.status) + " ";
        out_.append(phrase.data(), phrase.size()).append("\r\n");
        if (!response.content_type.empty())
            out_.append("Content-Type: ").append(response.content_type).append("\r\n");
        for (const auto& [name, value] : response.headers)
            out_.append(name).append(": ").append(value).append("\r\n");
        if (response.status != 204)
            out_.append("Content-Length: ")
                .append(std::to_string(response.body.size()))
                .append("\r\n");
        if (is_last_)
            out_ += "Connection: close\r\n";
        else if (message_.version() == 10)
            out_ += "Connection: keep-alive\r\n";
        out_ += "\r\n";
        if (!is_head_ && response.status != 204) out_ += response.body;
        message_ = {};
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
        in_.clear();
        discard();
    }

    void discard() {
        if (is_finished_) return;
        socket_.async_read_some(in_.prepare(16 * 1024), [this, self = shared_from_this()](
                                                            error_code error, std::size_t bytes) {
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
    beast::flat_buffer in_;
    std::optional<http::request_parser<http::string_body>> parser_;
    HttpRequest message_;
    std::string path_;
    std::vector<std::pair<std::string, std::string>> query_;
    std::string out_;

    std::uint64_t request_ = 0; ///< Counts them; names an append.
    std::size_t accepted_ = 0, bytes_in_flight_ = 0, discarded_ = 0;
    std::string rejected_; ///< Of the messages being appended.
    Steady::time_point received_;
    std::optional<Steady::time_point> deadline_;
    std::optional<Steady::time_point> answer_by_; ///< Of a shop's webhook that is being appended.
    bool is_idle_ = false;                        ///< Between requests.
    bool is_last_ = false;                        ///< No request is read after this one.
    bool is_head_ = false;
    bool is_finished_ = false;
};

} // namespace

std::shared_ptr<Connection> make_http_connection(Worker& worker, Place place, Socket socket) {
    return std::make_shared<HttpConnection>(worker, std::move(place), std::move(socket));
}

} // namespace runtime::listener
