/// The rows of an answer, in binary.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/time.hpp"
#include "runtime/postgres/binary.hpp"

#include <libpq-fe.h>

#include <memory>
#include <string_view>

namespace runtime {

/// Every getter needs a column of its type that is not null.
class SqlRows {
public:
    explicit SqlRows(PGresult* result = nullptr) : result_(result, &PQclear) {}

    int size() const { return result_ ? PQntuples(result_.get()) : 0; }
    bool empty() const { return size() == 0; }
    bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }

    std::string_view bytes(int row, int column) const {
        return {PQgetvalue(result_.get(), row, column),
                static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    bool boolean(int row, int column) const { return bytes(row, column).front() != '\0'; }
    std::int16_t int2(int row, int column) const { return number<std::int16_t>(row, column); }
    std::int32_t int4(int row, int column) const { return number<std::int32_t>(row, column); }
    std::int64_t int8(int row, int column) const { return number<std::int64_t>(row, column); }
    std::uint64_t uint8(int row, int column) const { return number<std::uint64_t>(row, column); }
    journeys::Timestamp time(int row, int column) const {
        return from_pg_micros(int8(row, column));
    }
    journeys::IntentId intent(int row, int column) const {
        const auto* at = bytes(row, column).data();
        return {get_number<std::uint64_t>(at), get_number<std::uint64_t>(at + 8)};
    }

private:
    template <class Number> Number number(int row, int column) const {
        return get_number<Number>(bytes(row, column).data());
    }
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

} // namespace runtime
