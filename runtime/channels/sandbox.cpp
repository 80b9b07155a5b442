#include "runtime/channels/sandbox.hpp"

#include "actors/messages.hpp"

namespace runtime {

void SandboxChannel::call(actors::ProviderRequest request, caf::actor asker) {
    const auto intent = request.intent;
    keep_(request, [intent, asker](const journeys::Result<void>& kept) {
        actors::ProviderOutcome outcome;
        outcome.kind =
            kept ? actors::ProviderOutcome::Kind::accepted : actors::ProviderOutcome::Kind::retry;
        if (!kept) outcome.detail = kept.error().detail;
        caf::anon_send(asker, actors::ProviderAnswered{intent, std::move(outcome)});
    });
}

} // namespace runtime
