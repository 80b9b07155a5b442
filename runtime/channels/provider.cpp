#include "runtime/channels/provider.hpp"

namespace runtime {

using Kind = actors::ProviderOutcome::Kind;

const std::string& ProviderSettings::option(std::string_view name) const {
    static const std::string none;
    const auto found = options.find(name);
    return found == options.end() ? none : found->second;
}

const std::string* ProviderSettings::template_id(const std::string& ours) const {
    const auto found = templates.find(ours);
    return found == templates.end() ? nullptr : &found->second;
}

namespace {
std::string_view find(const std::vector<std::pair<std::string, std::string>>& all,
                      std::string_view name) {
    for (const auto& [each, value] : all)
        if (each == name) return value;
    return {};
}
} // namespace

std::string_view ReportRequest::header(std::string_view name) const { return find(headers, name); }
std::string_view ReportRequest::parameter(std::string_view name) const { return find(query, name); }

journeys::Result<HttpRequest>
Provider::prepare_batch(const std::vector<actors::ProviderRequest>& messages,
                        std::chrono::sys_seconds now) const {
    return prepare(messages.front(), now);
}

std::vector<actors::ProviderOutcome> Provider::classify_batch(const HttpResponse& response,
                                                              std::size_t messages) const {
    return std::vector(messages, classify(response));
}

journeys::Result<Reports> Provider::feedback(const ReportRequest&) const {
    return journeys::Error{journeys::ErrorCode::not_found, "this provider reports nothing"};
}

actors::ProviderOutcome classify_by_status(const HttpResponse& response) {
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

actors::ProviderOutcome classify_api(const HttpResponse& response) {
    auto outcome = classify_by_status(response);
    if (response.status == 401 || response.status == 402 || response.status == 403)
        outcome.kind = Kind::retry;
    if (response.status == 429 && !response.retry_after && response.rate_limit_reset)
        outcome.retry_after = *response.rate_limit_reset;
    return outcome;
}

} // namespace runtime
