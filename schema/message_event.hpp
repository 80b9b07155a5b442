/// A message that was read, judged: what is refused, and what event it is. Internal to this folder.
#pragma once

#include "schema/message_json.hpp"
#include "schema/message_reader.hpp"

namespace schema {

inline constexpr std::size_t message_id_characters_max = 100;

/// Code points of UTF-8.
std::size_t characters(std::string_view text);

/// The event, or why it is none. `message` is used up; `clock` is set where there is an event.
Decoded<journeys::Event> judge(Message& message, const Source& source, Clock& clock,
                               journeys::PackedWriter& scratch);

} // namespace schema
