#include "runtime/listener/tracking.hpp"

#include "runtime/listener/answers.hpp"
#include "runtime/listener/gunzip.hpp"
#include "runtime/listener/http_answers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace runtime::listener {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using journeys::EventType;
using Shape = schema::Envelope::Shape;

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

constexpr std::string_view before_key = "/v1/projects/", behind_key = "/settings";

/// The body as it was before its `Content-Encoding`; else the answer.
std::optional<Response> unpack(Arrival& arrival, std::size_t bytes_max) {
    auto& body = arrival.message.body();
    const auto encoding = arrival.message[http::field::content_encoding];
    if (beast::iequals(encoding, "gzip") || beast::iequals(encoding, "x-gzip")) {
        auto unpacked = gunzip(body, bytes_max);
        if (!unpacked) {
            const bool large = unpacked.error() == GunzipError::too_large;
            return failure(large ? 413 : 400,
                           large ? "the unpacked body is over the limit" : "the body is no gzip");
        }
        body = std::move(*unpacked);
    } else if (!encoding.empty() && !beast::iequals(encoding, "identity")) {
        return failure(415, "gzip is the one Content-Encoding taken");
    }
    return std::nullopt;
}

/// Whose messages a body's are.
struct Owner {
    const Key* key = nullptr;
    bool each_has_its_own = false; ///< Then `key` is the best of those that the body names.
};

std::variant<Owner, Response> owner_of(std::string_view text, const TrackingPath& path,
                                       const Arrival& arrival, Worker& worker, const Place& place) {
    static const Key operators = make_key("import", "import", {});
    if (path.imported && place.is_local()) return Owner{&operators};
    const auto& keys = worker.door().config.keys;
    const auto scope = path.imported ? Scope::admin : Scope::ingest;
    auto key_text = arrival.shown_key(keys);
    const bool each_has_its_own = !key_text && !path.imported;
    bool is_any_known = false;
    // Without a key of its own the request is as good as the best that its body names.
    if (!key_text)
        key_text = worker.ingest().find_write_key(text, [&](std::string_view named) {
            const auto* found = arrival.find_key(keys, named);
            is_any_known = is_any_known || found;
            return found && found->allows(scope);
        });
    const auto* key = arrival.find_key(keys, *key_text);
    if (!key && !is_any_known) return failure(401, "unknown write key");
    if (!key || !key->allows(scope)) return failure(403, "the key is not for events");
    // One memory of messageIds for all imports.
    return Owner{path.imported ? &operators : key, each_has_its_own};
}

Outcome take_without_cors(const TrackingPath& path, Arrival& arrival, Worker& worker,
                          const Place& place) {
    const auto& limits = worker.limits();
    if (auto refusal = unpack(arrival, limits.body_bytes_max)) return *std::move(refusal);
    auto& body = arrival.message.body();
    const auto size = body.size();
    body.resize(size + schema::MessageDecoder::padding);
    const auto text = std::string_view{body}.substr(0, size);

    auto found = owner_of(text, path, arrival, worker, place);
    if (auto* refusal = std::get_if<Response>(&found)) return std::move(*refusal);
    const auto& owner = std::get<Owner>(found);
    if (const auto why = worker.door().why_closed(); !why.empty())
        return unavailable(503, why, limits);
    if (worker.door().ports.credit.is_full() || !place.may_take_more())
        return unavailable(429, "too many events in flight", limits);

    schema::Envelope envelope;
    envelope.received_at = worker.door().ports.now();
    envelope.write_key_hash = owner.key->id();
    if (owner.each_has_its_own)
        envelope.key_of_message = [&](std::string_view named) {
            return arrival.key_of_message(worker.door().config.keys, named);
        };
    envelope.expected = path.expected;
    envelope.shape = path.shape;
    envelope.imported = path.imported;
    envelope.limits = limits.messages;
    envelope.limits.frame_bytes_max = limits.body_bytes_max;
    auto taken =
        worker.ingest().take(text, envelope, owner.key->name, schema::MessageDecoder::padding);
    if (!taken) {
        worker.report(taken.error(), text, owner.key->name);
        const bool large =
            taken.error().reason == schema::RejectReason::too_large && size > limits.body_bytes_max;
        return failure(large ? 413 : 400, taken.error().detail);
    }
    worker.door().observer().took(*taken);
    worker.report(std::move(taken->refused));
    if (path.shape == Shape::message && !taken->rejected.empty())
        return failure(400, taken->rejected.front().error);
    auto rejected = rejected_items(taken->rejected, std::nullopt);
    if (taken->drafts.empty()) return Response{.body = success_text(rejected)};
    return Appending{.drafts = std::move(taken->drafts),
                     .accepted = taken->accepted,
                     .bytes = size,
                     .rejected = std::move(rejected)};
}

} // namespace

const TrackingPath* find_tracking_path(std::string_view path) {
    const auto found = std::ranges::find(tracking_paths, path, &TrackingPath::path);
    return found == tracking_paths.end() ? nullptr : &*found;
}

Outcome take_messages(const TrackingPath& path, Arrival& arrival, Worker& worker,
                      const Place& place) {
    auto outcome = take_without_cors(path, arrival, worker, place);
    if (auto* response = std::get_if<Response>(&outcome)) return with_cors(std::move(*response));
    return outcome;
}

bool is_settings_path(std::string_view path) {
    return path.starts_with(before_key) && path.ends_with(behind_key);
}

Response library_settings(const Arrival& arrival, const KeyRing& keys) {
    const std::string_view path = arrival.path;
    if (path.size() <= before_key.size() + behind_key.size())
        return error_response(404, "no such path");
    const auto key = url_decode(
        path.substr(before_key.size(), path.size() - before_key.size() - behind_key.size()), false);
    const auto* known = arrival.find_key(keys, key);
    if (!known || !known->allows(Scope::ingest)) return error_response(404, "unknown write key");
    return {.body = "{\"integrations\":{\"Segment.io\":{\"apiKey\":" + json_text(key) + "}}}"};
}

} // namespace runtime::listener
