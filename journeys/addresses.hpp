/// E-mail addresses and telephone numbers as people write them: for reaching somebody, and as ids.
#pragma once

#include "journeys/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace journeys {

/// One `@` between non-empty sides, and nothing that ends an address in a header or a list (RFC
/// 5322, 3.2.3; the quoted form is left out on purpose). 254 bytes by RFC 5321, 4.5.3.1.3.
bool is_email(std::string_view text);

/// The number as E.164 has it, `+` and 7 to 15 digits, without what people put between them; else
/// empty.
std::string phone_number(std::string_view text);

/// The address as an id: without blanks around it, in lower case, so that one mailbox is one id.
/// Nothing where it is no address.
std::optional<CustomerId> email_id(std::string_view text);
std::optional<CustomerId> phone_id(std::string_view text);

} // namespace journeys
