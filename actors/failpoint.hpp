/// Named places at which a fault test may end, fail or delay the process. Nothing at all in other
/// builds.
///
/// Names are `append`, `commit_sent`, `commit_reply`, `apply`, `flush_begin`, `flush_commit`,
/// `grant`, `claim`, `provider_request`, `provider_reply`, `settle`, `take_over`, `transfer` and
/// `publish`, each with `.before` or `.after`. `SOJOURN_FAILPOINT=name:kill|error|delay:MS|hang`
/// arms one.
#pragma once

#include <string_view>

namespace actors {

#ifdef SOJOURN_FAILPOINTS
/// True where the caller is to behave as if its operation had failed.
bool failpoint(std::string_view name);
#else
constexpr bool failpoint(std::string_view) { return false; }
#endif

} // namespace actors
