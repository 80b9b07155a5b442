#include "runtime/listener/delivery.hpp"

#include "runtime/listener/answers.hpp"
#include "runtime/listener/http_answers.hpp"

#include <algorithm>
#include <utility>

namespace runtime::listener {
namespace {

constexpr std::string_view sources_path = "/v1/sources/";

/// The rest of the delivery counts; what was wrong with it is found where refused texts are.
void report_left_out(const std::vector<std::string>& places, const std::string& body,
                     const WebhookSource& source, Worker& worker) {
    if (places.empty()) return;
    std::string all;
    for (const auto& place : places) all += (all.empty() ? "" : ", ") + place;
    worker.report({schema::RejectReason::bad_number, "left out, no amount of money: " + all}, body,
                  source.name);
}

/// Answers the shop once what it said is durable.
auto answer_when_kept(const MakeRespond& respond, const ListenerLimits& limits) {
    return [respond = respond(), not_kept = unavailable(503, "storage is not available", limits)](
               const journeys::Result<void>& kept) mutable {
        respond(kept ? Response{.body = success_text({})} : std::move(not_kept));
    };
}

Outcome take_translated(schema::Translated translated, const WebhookSource& source,
                        const std::string& body, Worker& worker, const Place& place) {
    const auto& limits = worker.limits();
    if (translated.messages.empty()) return Response{.body = success_text({})};
    if (worker.door().ports.credit.is_full() || !place.may_take_more())
        return unavailable(503, "too many events in flight", limits);
    report_left_out(translated.left_out, body, source, worker);

    schema::Envelope envelope;
    envelope.received_at = worker.door().ports.now();
    envelope.write_key_hash = source.id();
    envelope.limits = limits.messages;
    envelope.limits.frame_bytes_max = envelope.limits.message_bytes_max = limits.body_bytes_max;
    auto taken = worker.ingest().take(translated.messages, envelope, source.name, 0);
    if (!taken) {
        worker.report(taken.error(), translated.messages, source.name);
        return Response{.body = success_text({})};
    }
    worker.door().observer().took(*taken);
    worker.report(std::move(taken->refused));
    auto rejected = rejected_items(taken->rejected, std::nullopt);
    if (taken->drafts.empty()) return Response{.body = success_text(rejected)};
    return Appending{.drafts = std::move(taken->drafts),
                     .accepted = taken->accepted,
                     .bytes = body.size(),
                     .rejected = std::move(rejected),
                     .patience = limits.webhook_timeout};
}

} // namespace

const WebhookSource* find_source(const std::vector<WebhookSource>& sources, std::string_view path) {
    if (!path.starts_with(sources_path)) return nullptr;
    const auto source =
        std::ranges::find(sources, path.substr(sources_path.size()), &WebhookSource::name);
    return source == sources.end() ? nullptr : &*source;
}

Outcome take_delivery(const WebhookSource& source, const Arrival& arrival, Worker& worker,
                      const Place& place, const MakeRespond& respond) {
    const auto& limits = worker.limits();
    const auto& ports = worker.door().ports;
    const auto& body = arrival.message.body();
    const auto webhook = open_webhook(
        source, [&](std::string_view name) { return arrival.header(name); }, body);
    if (!webhook) {
        worker.door().observer().rejected(schema::RejectReason::bad_signature, 1);
        return failure(401, "the signature is not right");
    }
    if (const auto why = worker.door().why_closed(); !why.empty())
        return unavailable(503, why, limits);
    if (!webhook->topic) return Response{.body = R"({"success":true,"ignored":"topic"})"};
    auto translated = schema::translate(*source.shop, *webhook->topic, webhook->delivery, body);
    if (!translated.is_readable) {
        worker.report(
            {schema::RejectReason::malformed_json, "the body is no JSON object of this topic"},
            body, source.name);
        return Response{.body = success_text({})};
    }
    if (translated.privacy) {
        if (!ports.privacy) return unavailable(503, "requests cannot be kept", limits);
        ports.privacy(*std::move(translated.privacy), source.name,
                      answer_when_kept(respond, limits));
        return AnsweredLater{};
    }
    if (!translated.product.empty()) {
        report_left_out(translated.left_out, body, source, worker);
        if (!ports.product) return unavailable(503, "products cannot be kept", limits);
        ports.product(std::move(translated.product), answer_when_kept(respond, limits));
        return AnsweredLater{};
    }
    return take_translated(std::move(translated), source, body, worker, place);
}

} // namespace runtime::listener
