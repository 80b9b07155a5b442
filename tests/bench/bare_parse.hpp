/// What whoever routes and files an event reads of its JSON, and no more.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string_view>

namespace bench {

/// Valid as long as the document it was read from.
struct BareMessage {
    std::string_view customer, raw;
    std::size_t seen = 0; ///< Bytes of what was read: so that nothing of it can be left out.
};

/// Reads eight members. False where it is no message.
bool parse_message(simdjson::ondemand::object& object, BareMessage& message);

} // namespace bench
