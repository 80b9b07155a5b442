/// PostgreSQL's binary forms: big-endian numbers, microseconds since 2000 for instants.
#pragma once

#include "journeys/time.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace runtime {

template <class Number> Number swap_to_network(Number value) {
    static_assert(std::is_unsigned_v<Number> && std::endian::native == std::endian::little);
    if constexpr (sizeof(Number) == 8)
        return __builtin_bswap64(value);
    else if constexpr (sizeof(Number) == 4)
        return __builtin_bswap32(value);
    else if constexpr (sizeof(Number) == 2)
        return __builtin_bswap16(value);
    else
        return value;
}

template <class Number> void put_number(std::string& out, Number value) {
    const auto swapped = swap_to_network(static_cast<std::make_unsigned_t<Number>>(value));
    out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

template <class Number> Number get_number(const char* at) {
    std::make_unsigned_t<Number> value;
    std::memcpy(&value, at, sizeof value);
    return static_cast<Number>(swap_to_network(value));
}

/// A value as COPY, arrays and records hold it: its size, then its bytes.
inline void put_sized(std::string& out, std::string_view bytes) {
    put_number(out, static_cast<std::int32_t>(bytes.size()));
    out.append(bytes);
}
template <class Number> void put_sized_number(std::string& out, Number value) {
    put_number(out, static_cast<std::int32_t>(sizeof value));
    put_number(out, value);
}

inline constexpr std::int64_t micros_to_2000 = 946684800000000;
constexpr std::int64_t to_pg_micros(journeys::Timestamp at) {
    return journeys::to_millis(at) * 1000 - micros_to_2000;
}
constexpr journeys::Timestamp from_pg_micros(std::int64_t micros) {
    const auto since_1970 = micros + micros_to_2000;
    const auto millis = since_1970 >= 0 ? since_1970 / 1000 : (since_1970 - 999) / 1000;
    return journeys::from_millis(millis);
}

} // namespace runtime
