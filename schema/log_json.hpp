/// Stored records as JSON lines, for `simulate --log` and exports, and back without loss.
///
/// `{"offset":7,"accepted_at":"2026-11-20T08:00:20.000Z","customer":"user:42","kind":"event",
///   "received_at":…,"key":"…","message":{…the producer's bytes…}}`; other kinds have their fields,
///   and
/// what only we can read (a transferred state, an event made here) as base64.
#pragma once

#include "journeys/record.hpp"
#include "journeys/result.hpp"
#include "schema/record_codec.hpp"

#include <string>
#include <string_view>

namespace schema {

/// A record as the log stores it.
struct StoredRecord {
    RecordHeader header;
    journeys::RecordKind kind = journeys::RecordKind::event;
    std::string body; ///< As `encode` made it.
};

std::string_view to_text(journeys::RecordKind kind);

/// One line, without its end. A body that cannot be read is written as base64.
std::string to_log_line(const StoredRecord& record);
/// `invalid_argument` where the line is not one of ours; the body is not yet decoded.
journeys::Result<StoredRecord> from_log_line(std::string_view line);

} // namespace schema
