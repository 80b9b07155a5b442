#include "runtime/postgres/walk_sql.hpp"

#include <string_view>

namespace runtime {
namespace {

std::string bytes_literal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "'\\x";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text + "'::bytea";
}

} // namespace

std::string move_walk_sql(const actors::WalkProgress& progress) {
    std::string sql = "UPDATE walks SET after = " + bytes_literal(progress.after) +
                      ", copied = copied + " + std::to_string(progress.copies);
    if (progress.is_over)
        sql += ", over_at = 'epoch'::timestamptz + " +
               std::to_string(journeys::to_millis(progress.at)) + " * interval '1 ms'";
    return sql + " WHERE id = " + std::to_string(static_cast<std::int64_t>(progress.walk)) +
           " AND over_at IS NULL AND after = " + bytes_literal(progress.before);
}

} // namespace runtime
