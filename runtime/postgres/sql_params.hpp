/// The parameters of one statement, in binary; scalars, and arrays for `unnest` and `= ANY`.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// Builds one array parameter, value by value.
class SqlArray {
public:
    enum class Type : std::uint32_t {
        boolean = 16,
        bytea = 17,
        int8 = 20,
        int2 = 21,
        int4 = 23,
        text = 25,
        timestamptz = 1184,
        uuid = 2950,
    };

    explicit SqlArray(Type type) : type_(type) {}
    Type type() const { return type_; }
    std::int32_t size() const { return size_; }

    // Each may be called only where it fits the type.
    void add(bool value);
    void add(std::int16_t value);
    void add(std::int32_t value);
    void add(std::int64_t value);
    void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
    void add(std::string_view value); ///< Of text: cleaned, see `clean_text`.
    void add(journeys::Timestamp value);
    void add(journeys::IntentId value);
    void add_null();

    std::string encoded() const;

private:
    Type type_;
    std::int32_t size_ = 0;
    bool has_null_ = false;
    std::string items_;
};

class SqlParams {
public:
    SqlParams& add(bool value);
    SqlParams& add(std::int16_t value);
    SqlParams& add(std::int32_t value);
    SqlParams& add(std::int64_t value);
    SqlParams& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
    SqlParams& add(journeys::Timestamp value);
    SqlParams& add(journeys::IntentId value);
    SqlParams& add_text(std::string_view value); ///< Cleaned, see `clean_text`.
    SqlParams& add_bytes(std::string_view value);
    SqlParams& add(const SqlArray& array);

    const std::vector<std::uint32_t>& types() const { return types_; }
    const std::vector<std::string>& values() const { return values_; }

private:
    SqlParams& put(std::uint32_t type, std::string value);
    std::vector<std::uint32_t> types_;
    std::vector<std::string> values_;
};

/// One statement, with what it needs.
struct SqlStatement {
    std::string sql;
    SqlParams params;
};

/// `text` as a text column takes it: zero bytes and what is not UTF-8 become U+FFFD. One such byte
/// in a producer's id would otherwise fail a whole flush, again and again.
std::string clean_text(std::string_view text);

std::string uuid_bytes(journeys::IntentId id);

} // namespace runtime
