#include "runtime/channels/provider.hpp"

#include "actors/messages.hpp"

namespace runtime {

actors::ProviderOutcome classify_by_status(const HttpResponse& response) {
    using Kind = actors::ProviderOutcome::Kind;
    actors::ProviderOutcome outcome;
    outcome.retry_after = response.retry_after.value_or(std::chrono::milliseconds{0});
    if (response.status == 0) {
        outcome.kind = response.may_have_arrived ? Kind::unknown : Kind::retry;
        outcome.detail = response.error;
        return outcome;
    }
    outcome.detail = "HTTP " + std::to_string(response.status);
    if (response.status >= 200 && response.status < 300)
        outcome.kind = Kind::accepted;
    else if (response.status == 429 || response.status == 408 || response.status == 425 ||
             response.status == 503)
        outcome.kind = Kind::retry;
    else if (response.status >= 300 && response.status < 500)
        outcome.kind = Kind::rejected;
    else
        outcome.kind = Kind::unknown;
    return outcome;
}

void HttpChannel::call(actors::ProviderRequest request, caf::actor asker) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    client_.request(provider_->prepare(request, now), [this, asker, intent = request.intent](
                                                          HttpResponse response) {
        caf::anon_send(asker, actors::ProviderAnswered{intent, provider_->classify(response)});
    });
}

} // namespace runtime
