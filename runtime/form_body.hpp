/// The fields of a form that somebody has posted.
#pragma once

#include "runtime/listener/request.hpp"

#include <string>
#include <utility>
#include <vector>

namespace runtime {

/// In the given order, of `multipart/form-data` (RFC 7578; files among them are fields like others)
/// as of `application/x-www-form-urlencoded`, which is also how a body of no named type is read. Of
/// other types there are none. At most `form_fields_max`.
std::vector<std::pair<std::string, std::string>> form_fields(const Request& request);

inline constexpr std::size_t form_fields_max = 1'000;

} // namespace runtime
