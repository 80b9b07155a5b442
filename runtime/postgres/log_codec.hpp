/// What the log and the store need to know of the encoding of records: in the product, that of
/// `schema/record_codec.hpp`. Every function may be called from any thread.
#pragma once

#include "journeys/record.hpp"
#include "journeys/result.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace runtime {

struct LogCodec {
    /// A stored record again; offset, instant and customer are given.
    std::function<journeys::Result<journeys::Record>(
        journeys::RecordKind kind, std::string_view body, std::uint64_t offset,
        journeys::Timestamp accepted_at, const journeys::CustomerId& customer)>
        decode;
    std::function<std::string(const journeys::Record& record)> encode;
    std::function<journeys::RecordKind(const journeys::Record& record)> kind;
    std::function<std::uint64_t(const journeys::Record& record)> message_hash;
    /// What a record undergoes once it has its `accepted_at`.
    std::function<void(journeys::Record& record)> stamp = [](journeys::Record&) {};
};

/// The record, or where it cannot be decoded `Unreadable` with its bytes: what was acknowledged is
/// never left out.
journeys::Record decode_or_keep(const LogCodec& codec, journeys::RecordKind kind,
                                std::string_view body, std::uint64_t offset,
                                journeys::Timestamp accepted_at,
                                const journeys::CustomerId& customer);

} // namespace runtime
