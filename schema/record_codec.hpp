/// Records of the log as bytes: the body of each kind, as it is stored, and back.
///
/// A body begins with a version byte; `decode` reads this version and those before it. An event of
/// a producer is kept as the producer's own bytes, beside what is needed to decode them again to
/// the same event. Events made here, and all other kinds, are compact binary. Numbers are varints,
/// little endian; texts carry their size.
#pragma once

#include "journeys/record.hpp"
#include "journeys/result.hpp"
#include "schema/message_json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace schema {

inline constexpr std::uint8_t record_version = 1;

/// What the log keeps beside a body.
struct RecordHeader {
    std::uint64_t offset = 0;
    journeys::Timestamp accepted_at{};
    journeys::CustomerId customer;
};

/// The kind under which a record is stored: that of its body, or `forward` where a tombstone passed
/// it on.
journeys::RecordKind kind_of(const journeys::Record& record);

/// The body of a producer's event. Stored as kind `event`.
std::string encode(const Source& source);
/// The body of any record, without its header; events in full, for they have no bytes of a
/// producer. What could not be read is the bytes that it was.
std::string encode(const journeys::Record& record);
/// As the column beside the body: the message's hash, a forward's or transfer's id, else 0.
std::uint64_t message_hash(const journeys::Record& record);

/// The record again; `invalid_state` for bytes that no version of ours has written. An event's time
/// is capped at `accepted_at`, as `cap_time` does it.
journeys::Result<journeys::Record> decode(journeys::RecordKind kind, std::string_view body,
                                          const RecordHeader& header, MessageDecoder& decoder);

/// What the log does to a record when it has given it its `accepted_at`: no event is from the
/// future.
void cap_time(journeys::Record& record);

/// The producer's bytes and what belongs to them; nothing for a body of another form.
std::optional<Source> source_of(journeys::RecordKind kind, std::string_view body);

} // namespace schema
