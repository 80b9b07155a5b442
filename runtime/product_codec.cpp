#include "runtime/product_codec.hpp"

#include "schema/record_codec.hpp"

namespace runtime {

LogCodec product_codec() {
    LogCodec codec;
    codec.decode = [](journeys::RecordKind kind, std::string_view body, std::uint64_t offset,
                      journeys::Timestamp accepted_at, const journeys::CustomerId& customer) {
        static thread_local schema::MessageDecoder
            decoder; // Its buffers; it keeps nothing between calls.
        return schema::decode(kind, body, {offset, accepted_at, customer}, decoder);
    };
    codec.encode = [](const journeys::Record& record) { return schema::encode(record); };
    codec.kind = [](const journeys::Record& record) { return schema::kind_of(record); };
    codec.message_hash = [](const journeys::Record& record) {
        return schema::message_hash(record);
    };
    codec.stamp = [](journeys::Record& record) { schema::cap_time(record); };
    return codec;
}

} // namespace runtime
