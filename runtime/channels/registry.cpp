#include "runtime/channels/registry.hpp"

#include "runtime/channels/webhook.hpp"

#include <array>
#include <utility>

namespace runtime {
namespace {

using Make = std::unique_ptr<Provider> (*)(ProviderSettings);
constexpr std::array<std::pair<std::string_view, Make>, 7> makers{{{"braze", make_braze},
                                                                   {"klaviyo", make_klaviyo},
                                                                   {"mailgun", make_mailgun},
                                                                   {"postmark", make_postmark},
                                                                   {"sendgrid", make_sendgrid},
                                                                   {"smtp", make_smtp},
                                                                   {"twilio", make_twilio}}};

} // namespace

journeys::Result<std::unique_ptr<Provider>> make_provider(ProviderSettings settings) {
    if (settings.type == "webhook")
        return make_webhook({settings.url, settings.option("secret"), settings.timeout});
    while (settings.url.ends_with('/')) settings.url.pop_back();
    for (const auto& [type, make] : makers)
        if (type == settings.type) return make(std::move(settings));
    return journeys::Error{journeys::ErrorCode::not_found,
                           "there is no provider of type " + settings.type};
}

std::vector<std::string_view> provider_types() {
    std::vector<std::string_view> types{"webhook"};
    for (const auto& [type, make] : makers) types.push_back(type);
    return types;
}

} // namespace runtime
