/// RFC 4648 base64, by OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace runtime {

std::string to_base64(std::string_view bytes);
/// Nothing for what is no base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);

} // namespace runtime
