#include "runtime/channels/http_channel.hpp"

#include "actors/messages.hpp"

#include <algorithm>

namespace runtime {

using Kind = actors::ProviderOutcome::Kind;

namespace {

/// A permission older than this is not acted upon; as long as a channel's claim is good.
constexpr std::chrono::seconds gathered_max{10};

void answer(const caf::actor& asker, journeys::IntentId intent, actors::ProviderOutcome outcome) {
    caf::anon_send(asker, actors::ProviderAnswered{intent, std::move(outcome)});
}

actors::ProviderOutcome suppressed() { return {Kind::rejected, {}, "suppressed"}; }

} // namespace

HttpChannel::HttpChannel(HttpClient& client, std::unique_ptr<Provider> provider, ChannelHooks hooks,
                         std::size_t batch, std::size_t lines)
    : client_(client), provider_(std::move(provider)), hooks_(std::move(hooks)),
      batch_max_(std::min(batch, provider_->batch_max())),
      lines_max_(std::max<std::size_t>(lines, 1)) {
    if (!hooks_.send)
        hooks_.send = [this](HttpRequest request, std::function<void(HttpResponse)> done) {
            client_.request(std::move(request), std::move(done));
        };
}

HttpChannel::~HttpChannel() = default;

void HttpChannel::call(actors::ProviderRequest message, caf::actor asker) {
    if (!message.address.empty() && hooks_.is_suppressed(message.address))
        return answer(asker, message.intent, suppressed());
    message.payload = hooks_.with_links(message);
    Waiting one{std::move(message), std::move(asker), {}, hooks_.now()};
    if (batch_max_ > 1) one.key = provider_->batch_key(one.message);
    if (one.key.empty()) {
        Batch alone;
        alone.push_back(std::move(one));
        return send(std::move(alone), false);
    }
    Batch batch;
    {
        const std::scoped_lock lock{mutex_};
        waiting_.push_back(std::move(one));
        if (lines_ == lines_max_) return;
        ++lines_;
        batch = take_batch();
    }
    send(std::move(batch), true);
}

/// The oldest and those that may go with it, in order.
HttpChannel::Batch HttpChannel::take_batch() {
    Batch batch;
    if (waiting_.empty()) return batch;
    const auto key = waiting_.front().key;
    // One address twice in a request is refused by some, so the second one waits for the next.
    std::set<std::string> addresses;
    for (auto at = waiting_.begin(); at != waiting_.end() && batch.size() < batch_max_;) {
        if (at->key != key || !addresses.insert(at->message.address).second) {
            ++at;
            continue;
        }
        batch.push_back(std::move(*at));
        at = waiting_.erase(at);
    }
    return batch;
}

void HttpChannel::leave_out(Batch& batch) {
    const auto now = hooks_.now();
    std::erase_if(batch, [&](const Waiting& one) {
        const auto& address = one.message.address;
        if (!address.empty() && hooks_.is_suppressed(address)) {
            answer(one.asker, one.message.intent, suppressed());
            return true;
        }
        if (now - one.since <= gathered_max) return false;
        // Certainly not written: the customer is asked again, and then it comes back.
        answer(one.asker, one.message.intent, {Kind::retry, {}, "gathered for too long"});
        return true;
    });
}

void HttpChannel::send(Batch batch, bool holds_line) {
    leave_out(batch);
    if (batch.empty()) {
        if (holds_line) line_is_free();
        return;
    }
    const auto now = hooks_.now();
    std::vector<actors::ProviderRequest> messages;
    for (const auto& one : batch) messages.push_back(one.message);
    auto request = messages.size() == 1 ? provider_->prepare(messages.front(), now)
                                        : provider_->prepare_batch(messages, now);
    if (!request) {
        for (const auto& one : batch) {
            actors::ProviderOutcome outcome;
            outcome.kind = Kind::rejected;
            outcome.detail = request.error().detail;
            answer(one.asker, one.message.intent, std::move(outcome));
        }
        if (holds_line) line_is_free();
        return;
    }
    hooks_.send(std::move(*request),
                [this, holds_line,
                 batch = std::make_shared<Batch>(std::move(batch))](const HttpResponse& response) {
                    answered(std::move(*batch), response, holds_line);
                });
}

void HttpChannel::answered(Batch batch, const HttpResponse& response, bool holds_line) {
    if (batch.size() == 1) {
        const auto& one = batch.front();
        auto outcome = provider_->classify(response);
        report_revealed(provider_->revealed(response), one, outcome);
        answer(one.asker, one.message.intent, std::move(outcome));
    } else {
        auto outcomes = provider_->classify_batch(response, batch.size());
        const bool all_refused = std::ranges::all_of(
            outcomes, [](const auto& outcome) { return outcome.kind == Kind::rejected; });
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (all_refused) {
                Batch alone;
                alone.push_back(std::move(batch[i]));
                send(std::move(alone), false);
            } else {
                report_revealed(provider_->revealed_in_batch(response, i), batch[i], outcomes[i]);
                answer(batch[i].asker, batch[i].message.intent, std::move(outcomes[i]));
            }
        }
    }
    if (holds_line) line_is_free();
}

void HttpChannel::report_revealed(std::optional<Report> revealed, const Waiting& one,
                                  const actors::ProviderOutcome& outcome) {
    if (!revealed) return;
    revealed->refused = outcome.kind == Kind::rejected;
    revealed->intent = one.message.intent;
    revealed->address = one.message.address;
    hooks_.report(std::move(*revealed));
}

void HttpChannel::line_is_free() {
    Batch batch;
    {
        const std::scoped_lock lock{mutex_};
        batch = take_batch();
        if (batch.empty()) --lines_;
    }
    if (!batch.empty()) send(std::move(batch), true);
}

} // namespace runtime
