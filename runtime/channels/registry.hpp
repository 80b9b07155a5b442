/// Every provider by the name that sojourn.yaml gives its type.
#pragma once

#include "runtime/channels/provider.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// `invalid_argument` for settings that the provider cannot work with, `not_found` for no type of
/// ours. What must be given, and in which form, `schema/channel_types.hpp` has checked.
journeys::Result<std::unique_ptr<Provider>> make_provider(ProviderSettings settings);

std::vector<std::string_view> provider_types();

std::unique_ptr<Provider> make_braze(ProviderSettings settings);
std::unique_ptr<Provider> make_klaviyo(ProviderSettings settings);
std::unique_ptr<Provider> make_mailgun(ProviderSettings settings);
std::unique_ptr<Provider> make_postmark(ProviderSettings settings);
std::unique_ptr<Provider> make_sendgrid(ProviderSettings settings);
std::unique_ptr<Provider> make_smtp(ProviderSettings settings);
std::unique_ptr<Provider> make_twilio(ProviderSettings settings);

} // namespace runtime
