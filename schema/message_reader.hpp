/// Reads the JSON of messages: every member checked and read, none judged. Internal to this folder.
#pragma once

#include "journeys/time.hpp"
#include "schema/json_walk.hpp"
#include "schema/message_context.hpp"

#include <optional>
#include <string_view>

namespace schema {

/// A member that must be a time.
struct Written {
    bool is_given = false;
    std::optional<journeys::Timestamp> at; ///< Nothing where it cannot be read.
};

/// A message as it stands in the text. Views into the document.
struct Message {
    std::string_view raw;
    bool is_object = false;
    Text type, event, name, category, user, anonymous, previous, group, message_id, write_key;
    Written timestamp, original, sent;
    Object properties, traits;
    Context context;
};

/// Keeps buffers between messages. `Fault::none` everywhere means: well-formed so far.
class MessageReader {
public:
    int depth_max = 64; ///< Of a message, which itself is level 1.

    Fault read_message(json::object& object, Message& message);
    /// One member of a message, or of a batch, which has `context` and `sentAt` as messages have.
    Fault read_member(Message& message, std::string_view key, json::value& value);
    Fault skip(json::value& value, int depth_left) { return walker_.skip(value, depth_left); }

private:
    Fault read(json::value& value, Text& out, int depth_left);
    Fault read(json::value& value, Text& out) { return read(value, out, depth_max - 1); }
    Fault read_strict(json::value& value, Text& out);
    Fault read(json::value& value, Written& out);
    Fault read(json::value& value, Object& out, int depth_left);
    Fault read_bounded(json::value& value, std::string_view& out, int depth_left);
    Fault read(json::value& value, Context& out);
    Fault read_consent(Context& out, std::string_view category, json::value& value, int depth_left);
    Fault read_external_ids(Context& out, json::value& value, int depth_left);
    template <class Visit> Fault each_member(json::value& value, int depth_left, Visit visit);

    Walker walker_;
};

} // namespace schema
