#include "runtime/postgres/sql_params.hpp"

#include "runtime/postgres/binary.hpp"

#include <cassert>

namespace runtime {
namespace {

using Type = SqlArray::Type;

std::uint32_t oid(Type type) { return static_cast<std::uint32_t>(type); }

std::uint32_t array_oid(Type type) {
    switch (type) {
    case Type::boolean: return 1000;
    case Type::bytea: return 1001;
    case Type::int8: return 1016;
    case Type::int2: return 1005;
    case Type::int4: return 1007;
    case Type::text: return 1009;
    case Type::timestamptz: return 1185;
    case Type::uuid: return 2951;
    }
    return 0;
}

template <class Number> std::string encoded_number(Number value) {
    std::string bytes;
    put_number(bytes, value);
    return bytes;
}

/// The size of the well-formed UTF-8 sequence at the start of `text`; 0 where there is none.
std::size_t sequence_size(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return first == 0 ? 0 : 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (size == 0 || first > 0xf4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const auto second = byte(1);
    if (first == 0xe0 && second < 0xa0) return 0; // Overlong.
    if (first == 0xed && second > 0x9f) return 0; // A surrogate.
    if (first == 0xf0 && second < 0x90) return 0; // Overlong.
    if (first == 0xf4 && second > 0x8f) return 0; // Behind U+10FFFF.
    return size;
}

} // namespace

std::string clean_text(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        if (const auto size = sequence_size(text)) {
            clean.append(text.substr(0, size));
            text.remove_prefix(size);
        } else {
            clean.append("\xef\xbf\xbd");
            text.remove_prefix(1);
        }
    }
    return clean;
}

std::string uuid_bytes(journeys::IntentId id) {
    std::string bytes;
    put_number(bytes, id.high);
    put_number(bytes, id.low);
    return bytes;
}

void SqlArray::add(bool value) {
    assert(type_ == Type::boolean);
    put_sized(items_, std::string_view{value ? "\1" : "\0", 1});
    ++size_;
}
void SqlArray::add(std::int16_t value) {
    assert(type_ == Type::int2);
    put_sized_number(items_, value);
    ++size_;
}
void SqlArray::add(std::int32_t value) {
    assert(type_ == Type::int4);
    put_sized_number(items_, value);
    ++size_;
}
void SqlArray::add(std::int64_t value) {
    assert(type_ == Type::int8);
    put_sized_number(items_, value);
    ++size_;
}
void SqlArray::add(std::string_view value) {
    assert(type_ == Type::text || type_ == Type::bytea);
    if (type_ == Type::text)
        put_sized(items_, clean_text(value));
    else
        put_sized(items_, value);
    ++size_;
}
void SqlArray::add(journeys::Timestamp value) {
    assert(type_ == Type::timestamptz);
    put_sized_number(items_, to_pg_micros(value));
    ++size_;
}
void SqlArray::add(journeys::IntentId value) {
    assert(type_ == Type::uuid);
    put_sized(items_, uuid_bytes(value));
    ++size_;
}
void SqlArray::add_null() {
    put_number(items_, std::int32_t{-1});
    has_null_ = true;
    ++size_;
}

std::string SqlArray::encoded() const {
    std::string bytes;
    bytes.reserve(20 + items_.size());
    put_number(bytes, std::int32_t{1}); // Dimensions.
    put_number(bytes, std::int32_t{has_null_});
    put_number(bytes, oid(type_));
    put_number(bytes, size_);
    put_number(bytes, std::int32_t{1}); // The first index.
    bytes.append(items_);
    return bytes;
}

SqlParams& SqlParams::put(std::uint32_t type, std::string value) {
    types_.push_back(type);
    values_.push_back(std::move(value));
    return *this;
}
SqlParams& SqlParams::add(bool value) {
    return put(oid(Type::boolean), std::string(1, value ? '\1' : '\0'));
}
SqlParams& SqlParams::add(std::int16_t value) {
    return put(oid(Type::int2), encoded_number(value));
}
SqlParams& SqlParams::add(std::int32_t value) {
    return put(oid(Type::int4), encoded_number(value));
}
SqlParams& SqlParams::add(std::int64_t value) {
    return put(oid(Type::int8), encoded_number(value));
}
SqlParams& SqlParams::add(journeys::Timestamp value) {
    return put(oid(Type::timestamptz), encoded_number(to_pg_micros(value)));
}
SqlParams& SqlParams::add(journeys::IntentId value) {
    return put(oid(Type::uuid), uuid_bytes(value));
}
SqlParams& SqlParams::add_text(std::string_view value) {
    return put(oid(Type::text), clean_text(value));
}
SqlParams& SqlParams::add_bytes(std::string_view value) {
    return put(oid(Type::bytea), std::string{value});
}
SqlParams& SqlParams::add(const SqlArray& array) {
    return put(array_oid(array.type()), array.encoded());
}

} // namespace runtime
