/// What a provider is to us: how a message becomes its request, what its answer means, and what its
/// webhooks report. The next provider is one file that implements this, a line in `registry.cpp`,
/// and its keys in `schema/channel_types.cpp`.
#pragma once

#include "actors/ports.hpp"
#include "journeys/feedback.hpp"
#include "journeys/result.hpp"
#include "runtime/channels/http_client.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace runtime {

/// A channel of sojourn.yaml, as its provider reads it. Holds secrets: never logged.
struct ProviderSettings {
    std::string channel, type;
    std::string address; ///< The kind of address: `email`, `phone`, …; empty: none.
    std::string url;     ///< Where the API is; empty: the provider's own.
    std::string from;    ///< `Shop <shop@example.com>`, a number, or what the provider takes.
    std::map<std::string, std::string> templates;            ///< Our names -> the provider's.
    std::map<std::string, std::string, std::less<>> options; ///< The type's own keys, secrets too.
    std::chrono::milliseconds timeout{15'000};
    std::string feedback_url; ///< Where this service takes the channel's reports; empty: nowhere.

    /// Empty where it is not given.
    const std::string& option(std::string_view name) const;
    /// The provider's name of a template; null where it has none.
    const std::string* template_id(const std::string& ours) const;
};

/// One thing that a provider reported of a message or an address.
struct Report {
    journeys::FeedbackKind kind = journeys::FeedbackKind::delivered;
    journeys::IntentId intent; ///< Zero: the provider does not say.
    std::string address;       ///< To or of whom. Never logged.
    std::string customer;      ///< Our id of the customer, where the provider knows only that.
    std::string answer; ///< What it said when it took the message (`ProviderOutcome::detail`), for
                        ///< one that names neither intent nor address; empty: it does not say.
    std::string topic;  ///< Of `unsubscribed`; empty: the whole channel.
    journeys::Timestamp at{};
    std::string id;     ///< The provider's own of the report: the same when it comes again.
    std::string detail; ///< A code or a class; never contents or addresses.
    std::string link;   ///< Of `clicked`.
    bool machine = false, permanent = false, stop = false;
    bool refused = false; ///< Of `revealed`: by an answer that refuses the message.
};

/// A webhook's request as it came.
struct ReportRequest {
    std::string url;  ///< As the provider called it: the public address, path and query.
    std::string body; ///< Its bytes; signatures are over them.
    std::vector<std::pair<std::string, std::string>> headers; ///< Names in lower case.
    std::vector<std::pair<std::string, std::string>> query;   ///< Decoded.
    std::chrono::sys_seconds now{};

    std::string_view header(std::string_view name) const;
    std::string_view parameter(std::string_view name) const;
};

/// What a webhook brought; `answer` is the body that the provider expects.
struct Reports {
    std::vector<Report> reports;
    std::string answer = "{}";
    std::string answer_type = "application/json";
};

/// Called from several threads; the same message makes the same request, whatever was before.
class Provider {
public:
    virtual ~Provider() = default;

    /// `now`: wall clock, for signatures; may differ from attempt to attempt, the body may not.
    /// `invalid_argument` where the message can't be sent by this provider at all.
    virtual journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& message,
                                                  std::chrono::sys_seconds now) const = 0;
    virtual actors::ProviderOutcome classify(const HttpResponse& response) const = 0;
    /// What the answer to `prepare`'s request says of the address beside the outcome: that it must
    /// not be used again.
    virtual std::optional<Report> revealed(const HttpResponse&) const { return std::nullopt; }
    /// The same of one message of a batch, by its place.
    virtual std::optional<Report> revealed_in_batch(const HttpResponse&, std::size_t) const {
        return std::nullopt;
    }

    /// Messages with the same text may travel in one request; empty: alone.
    virtual std::string batch_key(const actors::ProviderRequest&) const { return {}; }
    virtual std::size_t batch_max() const { return 1; }
    virtual journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& messages,
                  std::chrono::sys_seconds now) const;
    /// One outcome per message, in order. All of them `rejected` is understood as: the batch was
    /// refused, so each is tried alone.
    virtual std::vector<actors::ProviderOutcome> classify_batch(const HttpResponse& response,
                                                                std::size_t messages) const;

    /// `unauthorized` where the signature is not right; `invalid_argument` for a body that is no
    /// report of this provider; `not_found` where it has no webhooks.
    virtual journeys::Result<Reports> feedback(const ReportRequest& request) const;
};

/// How most providers mean their answers: 2xx accepted; 429, 408, 425 and 503 not processed, so try
/// again; other 4xx refused for good; everything else, and no answer to a request that may have
/// arrived, unknown.
actors::ProviderOutcome classify_by_status(const HttpResponse& response);

/// The same for an API that we call with a key: 401, 402 and 403 are about the account and not
/// about the message, so it waits until somebody has mended that, or it expires.
actors::ProviderOutcome classify_api(const HttpResponse& response);

} // namespace runtime
