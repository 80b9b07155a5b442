/// What the query of a request asks for, read whole. An error says what is allowed.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "runtime/listener/request.hpp"
#include "schema/timestamp_text.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace runtime {

/// `since`; nothing where it is missing.
inline journeys::Result<std::optional<journeys::Timestamp>> since_of(const Request& request) {
    const auto text = request.parameter("since");
    const auto since = schema::parse_producer_time(text);
    if (!since && !text.empty())
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "since is a day (2026-03-01) or an ISO time (2026-03-01T18:00:00Z)"};
    return since;
}

/// `limit`, from 1 to `most`; nothing where it is missing.
inline journeys::Result<std::optional<std::int64_t>>
limit_of(const Request& request, std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const auto text = request.parameter("limit");
    if (text.empty()) return std::optional<std::int64_t>{};
    std::int64_t limit = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, limit);
    if (read.ec != std::errc{} || read.ptr != end || limit < 1 || limit > most)
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "limit is a whole number from 1 " +
                                   (most == std::numeric_limits<std::int64_t>::max()
                                        ? std::string{"on"}
                                        : "to " + std::to_string(most))};
    return std::optional{limit};
}

} // namespace runtime
