/// Octets as text, RFC 4648 section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace journeys::cel {

void append_base64(std::string& out, std::string_view octets);

/// Nothing for other text. The padding may be missing, but not a part of it.
std::optional<std::string> read_base64(std::string_view text);

} // namespace journeys::cel
