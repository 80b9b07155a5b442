/// Asks a running service over the socket in its data folder, as the operator's commands do.
#pragma once

#include "journeys/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace runtime {

/// The body of the service's answer. Blocks for at most `patience` between two signs of life.
///
/// `unavailable`: no service listens there, or it does not answer; `not_found`, `invalid_argument`
/// (other 4xx) and `unavailable` (429, 5xx) as it says, with the answer's reason for detail.
journeys::Result<std::string>
ask_service(const std::filesystem::path& socket, std::string_view method, std::string_view target,
            std::string_view body = {},
            std::chrono::milliseconds patience = std::chrono::milliseconds{30'000});

} // namespace runtime
