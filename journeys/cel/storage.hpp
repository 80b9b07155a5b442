/// Reads the fields that lie in a record's memory; see Storage in types.hpp.
#pragma once

#include "journeys/cel/types.hpp"

#include <string>
#include <string_view>

namespace journeys::cel {

template <class Stored> const Stored& stored_at(const char* memory, Storage storage) {
    return *reinterpret_cast<const Stored*>(memory + storage.offset);
}

inline double read_decimal(const char* memory, Storage storage) {
    return static_cast<double>(stored_at<std::int64_t>(memory, storage)) / 10'000.0;
}

/// Not for what must be called.
inline Value read_stored(const char* memory, Storage storage) {
    switch (storage.form) {
    case Storage::Form::integer: return Value::integer(stored_at<std::int64_t>(memory, storage));
    case Storage::Form::floating: return Value::floating(stored_at<double>(memory, storage));
    case Storage::Form::decimal: return Value::floating(read_decimal(memory, storage));
    case Storage::Form::text: return Value::string(stored_at<std::string>(memory, storage));
    case Storage::Form::packed_map:
        return Value::packed_map(stored_at<std::string>(memory, storage));
    case Storage::Form::called: break;
    }
    return {};
}

} // namespace journeys::cel
