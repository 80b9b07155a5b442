/// Text in addresses and forms: percent-encoding (RFC 3986) and
/// `application/x-www-form-urlencoded`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace runtime {

/// Everything but letters, digits and `-_.~` as `%41`.
std::string percent_encode(std::string_view text);
/// `%41` and, in queries and forms, `+`. What is no escape stays as it is.
std::string url_decode(std::string_view text, bool plus_is_blank);

/// Names and values, decoded, in order.
using FormFields = std::vector<std::pair<std::string, std::string>>;
std::string to_form(const FormFields& fields);
/// Of a body or of a query. One without `=` has an empty value; between `&` and `&` there is none.
FormFields parse_form(std::string_view text);

} // namespace runtime
