/// A channel that calls its provider over the network: messages in, requests out, outcomes back.
#pragma once

#include "runtime/channels/provider.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

namespace runtime {

/// What a channel asks of the service around it. All of it is called from several threads, is brief
/// and outlives the channel.
struct ChannelHooks {
    /// True where nothing may be sent to this address any more, asked last of all.
    std::function<bool(const std::string& address)> is_suppressed = [](const auto&) {
        return false;
    };
    /// Writes the links of the customer's pages into a message in which the rules left marks.
    std::function<std::string(const actors::ProviderRequest&)> with_links =
        [](const actors::ProviderRequest& message) { return message.payload; };
    /// An answer said something of the address.
    std::function<void(Report)> report = [](Report) {};
    std::function<std::chrono::sys_seconds()> now = [] {
        return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    };
    /// Instead of `HttpClient::request`, for tests.
    std::function<void(HttpRequest, std::function<void(HttpResponse)>)> send;
};

/// Messages that may share a request gather while earlier requests are under way; nothing waits
/// when the line is free. A batch that is refused as a whole goes again one by one, so that one bad
/// message costs only itself. Each message has its own outcome; one whose address was suppressed
/// while it gathered is refused, and one that gathered for too long is to be permitted anew.
class HttpChannel final : public actors::Channel {
public:
    /// `batch`: messages in one request, at most what the provider takes. `lines`: requests under
    /// way at once where messages gather.
    HttpChannel(HttpClient& client, std::unique_ptr<Provider> provider, ChannelHooks hooks = {},
                std::size_t batch = 1, std::size_t lines = 4);
    ~HttpChannel() override;

    void call(actors::ProviderRequest message, caf::actor asker) override;
    const Provider& provider() const { return *provider_; }

private:
    struct Waiting {
        actors::ProviderRequest message;
        caf::actor asker;
        std::string key; ///< Of the batch; empty: alone.
        std::chrono::sys_seconds since{};
    };
    using Batch = std::vector<Waiting>;
    void send(Batch batch, bool holds_line);
    void answered(Batch batch, const HttpResponse& response, bool holds_line);
    void report_revealed(std::optional<Report> revealed, const Waiting& one,
                         const actors::ProviderOutcome& outcome);
    void line_is_free();
    Batch take_batch();
    /// Takes out of `batch` what may not be written any more, and answers it.
    void leave_out(Batch& batch);

    HttpClient& client_;
    std::unique_ptr<Provider> provider_;
    ChannelHooks hooks_;
    std::size_t batch_max_, lines_max_;
    std::mutex mutex_;
    std::deque<Waiting> waiting_; ///< Guarded by `mutex_`, as is `lines_`.
    std::size_t lines_ = 0;
};

} // namespace runtime
