#include "runtime/postgres/log_codec.hpp"

#include "runtime/printable.hpp"

#include <utility>

namespace runtime {

journeys::Record decode_or_keep(const LogCodec& codec, journeys::RecordKind kind,
                                std::string_view body, std::uint64_t offset,
                                journeys::Timestamp accepted_at,
                                const journeys::CustomerId& customer) {
    auto decoded = codec.decode(kind, body, offset, accepted_at, customer);
    if (decoded) return *std::move(decoded);
    journeys::Record record{.offset = offset, .accepted_at = accepted_at, .customer = customer};
    record.body = journeys::Unreadable{kind, std::string{body}, printable(decoded.error().detail)};
    return record;
}

} // namespace runtime
