/// JSON text as packed data: for payloads, bindings and tests. Strict as `message_json.hpp` says.
#pragma once

#include "journeys/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace schema {

struct PackedLimits {
    std::size_t bytes_max = 1024 * 1024;
    int depth_max = 64; ///< Lists and maps inside each other.
};

/// One JSON value as packed bytes. Of a key given twice the last one counts, in the place of the
/// first; integers past 64 bits become doubles; `invalid_argument` for anything that is no JSON,
/// and for a number past the range of doubles.
journeys::Result<std::string> packed_from_json(std::string_view text,
                                               const PackedLimits& limits = {});

} // namespace schema
