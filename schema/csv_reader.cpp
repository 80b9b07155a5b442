#include "schema/csv_reader.hpp"

#include "journeys/cel/utf8.hpp"
#include "journeys/lower_case.hpp"

#include <algorithm>

namespace schema {
namespace {

using journeys::Error;
using journeys::ErrorCode;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

} // namespace

/// The next line into `buffer_`, as far as a row may be long; the quotes of what is left out are
/// counted. False at the end.
bool CsvReader::read_line() {
    buffer_.clear();
    quotes_left_out_ = 0;
    bool has_begun = false;
    while (true) {
        if (chunk_at_ == chunk_.size()) {
            chunk_.resize(row_bytes_max);
            in_->read(chunk_.data(), static_cast<std::streamsize>(chunk_.size()));
            chunk_.resize(static_cast<std::size_t>(in_->gcount()));
            chunk_at_ = 0;
            if (chunk_.empty()) return has_begun;
        }
        has_begun = true;
        const auto end = chunk_.find('\n', chunk_at_);
        const auto part =
            std::string_view{chunk_}.substr(chunk_at_, std::min(end, chunk_.size()) - chunk_at_);
        const auto kept = part.substr(0, row_bytes_max + 1 - buffer_.size());
        buffer_ += kept;
        quotes_left_out_ += std::ranges::count(part.substr(kept.size()), '"');
        bytes_ += part.size();
        chunk_at_ += part.size();
        if (end == chunk_.npos) continue;
        ++chunk_at_;
        ++bytes_;
        return true;
    }
}

/// One row into `text_` and `ends_`, over several lines where quotes say so. False at the end.
bool CsvReader::read_row() {
    text_.clear();
    ends_.clear();
    starts_.clear();
    why_.clear();
    bool is_quoted = false, was_quoted = false, is_first_line = true;
    while (true) {
        if (!read_line()) {
            if (is_first_line) return false;
            why_ = "a quoted cell does not end";
            return true;
        }
        ++lines_;
        std::string_view rest = buffer_;
        if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
        if (is_first_line) {
            line_ = lines_;
            if (lines_ == 1 && rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
            if (trimmed(rest).empty()) continue;
            is_first_line = false;
            if (header_.empty()) {
                const auto found = rest.find_first_of(",;\t");
                if (found != rest.npos) separator_ = rest[found];
            }
        } else {
            text_ += '\n';
        }
        if (text_.size() + rest.size() > row_bytes_max) {
            why_ = "the row is longer than 64 KiB";
            if ((std::ranges::count(rest, '"') + quotes_left_out_) % 2 != 0) is_quoted = !is_quoted;
            if (!is_quoted) return true;
            continue;
        }
        unsigned column = 0;
        const auto begin_cell = [&](unsigned at) {
            starts_.push_back({static_cast<unsigned>(lines_), at});
        };
        if (starts_.empty()) begin_cell(1);
        for (std::size_t i = 0; i < rest.size(); ++i) {
            const char c = rest[i];
            if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++column;
            const auto begin = ends_.empty() ? 0 : ends_.back();
            if (is_quoted) {
                if (c != '"')
                    text_ += c;
                else if (i + 1 < rest.size() && rest[i + 1] == '"')
                    text_ += rest[++i], ++column;
                else
                    is_quoted = false;
            } else if (c == separator_) {
                ends_.push_back(text_.size());
                begin_cell(column + 1);
                was_quoted = false;
            } else if (c == '"' && !was_quoted &&
                       trimmed({text_.data() + begin, text_.size() - begin}).empty()) {
                text_.resize(begin);
                is_quoted = was_quoted = true;
            } else {
                text_ += c;
            }
        }
        if (is_quoted) continue;
        ends_.push_back(text_.size());
        return true;
    }
}

journeys::Result<CsvReader> CsvReader::open(std::istream& in) {
    CsvReader reader{in};
    if (!reader.read_row())
        return Error{ErrorCode::invalid_argument, "there is no header that names the columns"};
    if (!reader.why_.empty())
        return Error{ErrorCode::invalid_argument, "the header: " + reader.why_};
    if (reader.ends_.size() > columns_max)
        return Error{ErrorCode::invalid_argument, "more than 256 columns"};
    std::vector<std::string> header;
    for (std::size_t i = 0; i < reader.ends_.size(); ++i)
        header.push_back(journeys::to_lower(trimmed(reader.cell(i))));
    for (std::size_t i = 0; i < header.size(); ++i)
        if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
            header.begin() + static_cast<std::ptrdiff_t>(i))
            return Error{ErrorCode::invalid_argument,
                         "the column " + header[i] + " is named twice"};
    reader.header_ = std::move(header);
    return reader;
}

std::optional<std::size_t> CsvReader::column(std::initializer_list<std::string_view> names) const {
    for (const auto name : names) {
        const auto found = std::ranges::find(header_, name);
        if (found != header_.end()) return static_cast<std::size_t>(found - header_.begin());
    }
    return std::nullopt;
}

CsvReader::Row CsvReader::next() {
    if (!read_row()) return Row::end;
    if (!why_.empty()) return Row::bad;
    if (!journeys::cel::is_utf8(text_)) {
        why_ = "the text is not UTF-8: the file may have been written as Latin-1 or for Windows";
        return Row::bad;
    }
    if (ends_.size() == header_.size()) return Row::read;
    why_ = std::to_string(ends_.size()) + " cells where the header names " +
           std::to_string(header_.size());
    return Row::bad;
}

std::string_view CsvReader::cell(std::optional<std::size_t> place) const {
    if (!place || *place >= ends_.size()) return {};
    const auto begin = *place == 0 ? 0 : ends_[*place - 1];
    return trimmed(std::string_view{text_}.substr(begin, ends_[*place] - begin));
}

} // namespace schema
