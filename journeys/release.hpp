/// Which release's states this process reads and writes. A build with failpoints can play the
/// release before this one, to show that an upgrade and the way back lose nothing; in other builds
/// the answer is a constant.
#pragma once

#include "journeys/customer.hpp"

#ifdef SOJOURN_FAILPOINTS
#include <atomic>
#endif

namespace journeys {

#ifdef SOJOURN_FAILPOINTS
namespace detail {
inline std::atomic<std::uint8_t> state_version{customer_schema_version};
}
/// From now on, in the whole process: before threads that read or write states are started.
inline void act_as_release_before() {
    detail::state_version.store(customer_schema_version_before, std::memory_order_relaxed);
}
/// The newest version of a customer's block that is read, and the one that is written.
inline std::uint8_t state_version() {
    return detail::state_version.load(std::memory_order_relaxed);
}
#else
constexpr std::uint8_t state_version() { return customer_schema_version; }
#endif

} // namespace journeys
