/// What a provider is to us: how a message becomes its request, and what its answer means. The next
/// provider is one file that implements this.
#pragma once

#include "actors/ports.hpp"
#include "runtime/channels/http_client.hpp"

#include <chrono>
#include <memory>

namespace runtime {

/// Stateless; called from several threads.
class Provider {
public:
    virtual ~Provider() = default;
    /// `now`: wall clock, for signatures; may differ from attempt to attempt, the body may not.
    virtual HttpRequest prepare(const actors::ProviderRequest& request,
                                std::chrono::sys_seconds now) const = 0;
    virtual actors::ProviderOutcome classify(const HttpResponse& response) const = 0;
};

/// How most providers mean their answers: 2xx accepted; 429, 408, 425 and 503 not processed, so try
/// again; other 4xx refused for good; everything else, and no answer to a request that may have
/// arrived, unknown.
actors::ProviderOutcome classify_by_status(const HttpResponse& response);

/// A channel that calls its provider over HTTP.
class HttpChannel final : public actors::Channel {
public:
    HttpChannel(HttpClient& client, std::unique_ptr<Provider> provider)
        : client_(client), provider_(std::move(provider)) {}
    void call(actors::ProviderRequest request, caf::actor asker) override;

private:
    HttpClient& client_;
    std::unique_ptr<Provider> provider_;
};

} // namespace runtime
