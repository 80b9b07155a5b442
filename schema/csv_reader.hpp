/// Tables of text as RFC 4180 has them, read row by row whatever their size.
#pragma once

#include "journeys/result.hpp"

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// Cells are separated by the first of `,` `;` and tab that the header has; quoted cells may hold
/// separators, doubled quotes and line ends. A byte order mark is dropped, and so are blank lines.
class CsvReader {
public:
    static constexpr std::size_t row_bytes_max = 64 * 1024;
    static constexpr std::size_t columns_max = 256;

    /// Reads the header. `invalid_argument` where there is none, or a name twice.
    static journeys::Result<CsvReader> open(std::istream& in);

    const std::vector<std::string>& header() const { return header_; } ///< In lower case.
    /// The place of the first of these columns that is there.
    std::optional<std::size_t> column(std::initializer_list<std::string_view> names) const;

    enum class Row : std::uint8_t { read, bad, end };
    /// The next row; `bad` where it has other cells than the header or cannot be read, and `why`
    /// says it. Reading goes on behind it.
    Row next();
    /// Empty where the place is none.
    std::string_view cell(std::optional<std::size_t> place) const;
    /// Where the cell of the row begins, from 1; columns in code points.
    unsigned column_of(std::size_t place) const {
        return place < starts_.size() ? starts_[place].column : 1;
    }
    unsigned line_of(std::size_t place) const {
        return place < starts_.size() ? starts_[place].line : static_cast<unsigned>(line_);
    }
    std::uint64_t line() const { return line_; } ///< Where the row begins, from 1.
    const std::string& why() const { return why_; }
    std::uint64_t bytes() const { return bytes_; } ///< Read so far.

private:
    explicit CsvReader(std::istream& in) : in_(&in) {}
    bool read_line();
    bool read_row();

    std::istream* in_;
    char separator_ = ',';
    std::vector<std::string> header_;
    std::string text_; ///< Of the row, quotes taken off.
    std::vector<std::size_t> ends_;
    struct Start {
        unsigned line, column;
    };
    std::vector<Start> starts_; ///< Of each cell, in the file.
    std::string chunk_, buffer_, why_;
    std::size_t chunk_at_ = 0;
    std::ptrdiff_t quotes_left_out_ = 0;
    std::uint64_t line_ = 0, lines_ = 0, bytes_ = 0;
};

} // namespace schema
