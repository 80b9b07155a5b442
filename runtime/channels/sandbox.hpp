/// A provider for trying out: takes every message, keeps it where people can look at it, and sends
/// nothing.
#pragma once

#include "actors/ports.hpp"
#include "journeys/result.hpp"

#include <functional>

namespace runtime {

class SandboxChannel final : public actors::Channel {
public:
    /// `keep` writes one message down, idempotently by its intent, and calls back from any thread.
    using Keep = std::function<void(const actors::ProviderRequest&,
                                    std::function<void(journeys::Result<void>)>)>;
    explicit SandboxChannel(Keep keep) : keep_(std::move(keep)) {}
    void call(actors::ProviderRequest request, caf::actor asker) override;

private:
    Keep keep_;
};

} // namespace runtime
