#include "journeys/packed.hpp"

#include "journeys/same_bytes.hpp"

#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>

namespace journeys {
namespace {

std::uint64_t read_varint(const char*& at) {
    if (const auto byte = static_cast<unsigned char>(*at); byte < 0x80) [[likely]] {
        ++at;
        return byte;
    }
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(*at++);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
}

std::uint32_t read_u32(const char* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// Reads a varint of untrusted bytes; false where it runs past the end or over 64 bits.
bool checked_varint(std::string_view& in, std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 70 && !in.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        if (shift == 63 && byte > 1) return false;
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

bool checked_value(std::string_view& in, int depth_left) {
    if (in.empty() || depth_left < 0) return false;
    const auto kind = static_cast<PackedKind>(in.front());
    in.remove_prefix(1);
    std::uint64_t number = 0;
    switch (kind) {
    case PackedKind::null:
    case PackedKind::boolean_false:
    case PackedKind::boolean_true: return true;
    case PackedKind::integer: return checked_varint(in, number);
    case PackedKind::floating:
        if (in.size() < 8) return false;
        in.remove_prefix(8);
        return true;
    case PackedKind::string:
        if (!checked_varint(in, number) || number > in.size()) return false;
        in.remove_prefix(number);
        return true;
    case PackedKind::list:
    case PackedKind::map: {
        if (in.size() < 4) return false;
        const auto size = read_u32(in.data());
        in.remove_prefix(4);
        if (size > in.size()) return false;
        auto inside = in.substr(0, size);
        in.remove_prefix(size);
        if (!checked_varint(inside, number)) return false;
        for (std::uint64_t i = 0; i < number; ++i) {
            if (kind == PackedKind::map) {
                std::uint64_t key = 0;
                if (!checked_varint(inside, key) || key > inside.size()) return false;
                inside.remove_prefix(key);
            }
            if (!checked_value(inside, depth_left - 1)) return false;
        }
        return inside.empty();
    }
    }
    return false;
}

} // namespace

std::int64_t PackedView::as_int() const {
    assert(kind() == PackedKind::integer);
    const char* at = at_ + 1;
    return unzigzag(read_varint(at));
}

double PackedView::as_double() const {
    if (kind() == PackedKind::integer) return static_cast<double>(as_int());
    assert(kind() == PackedKind::floating);
    double value;
    std::memcpy(&value, at_ + 1, sizeof value);
    return value;
}

std::string_view PackedView::as_string() const {
    assert(kind() == PackedKind::string);
    const char* at = at_ + 1;
    const auto size = read_varint(at);
    return {at, size};
}

std::size_t PackedView::size() const {
    if (!is_list() && !is_map()) return 0;
    const char* at = at_ + 5;
    return read_varint(at);
}

const char* PackedView::end_of_value() const {
    // One test, and no jump by a table, for what most values are.
    if (kind() == PackedKind::string) [[likely]] {
        const auto text = as_string();
        return text.data() + text.size();
    }
    switch (kind()) {
    case PackedKind::null: return at_ ? at_ + 1 : nullptr;
    case PackedKind::boolean_false:
    case PackedKind::boolean_true: return at_ + 1;
    case PackedKind::integer: {
        const char* at = at_ + 1;
        read_varint(at);
        return at;
    }
    case PackedKind::floating: return at_ + 9;
    case PackedKind::list:
    case PackedKind::map: return at_ + 5 + read_u32(at_ + 1);
    case PackedKind::string: break;
    }
    return nullptr;
}

std::string_view PackedView::bytes() const {
    return at_ ? std::string_view{at_, static_cast<std::size_t>(end_of_value() - at_)}
               : std::string_view{};
}

PackedView PackedView::find(std::string_view key, std::size_t& passed) const {
    if (!is_map()) return {};
    const char* at = at_ + 5;
    const char* const end = at + read_u32(at_ + 1);
    while (static_cast<unsigned char>(*at++) >= 0x80) {
    } // The count; the end says as much.
    while (at < end) {
        const auto size = read_varint(at);
        const PackedView value{at + size};
        ++passed;
        if (size == key.size() && same_bytes(at, key.data(), size)) return value;
        at = value.end_of_value();
    }
    return {};
}

std::string_view PackedView::string_at(std::string_view key) const {
    const auto value = find(key);
    return value.is_string() ? value.as_string() : std::string_view{};
}

PackedView PackedView::at(std::size_t index) const {
    if (!is_list() || index >= size()) return {};
    auto entry = entries().begin();
    while (index-- > 0) ++entry;
    return (*entry).second;
}

PackedView::Iterator::Iterator(const char* at, std::size_t left, bool keyed)
    : value_(at), left_(left), keyed_(keyed) {
    if (left_ > 0) read_key();
}

void PackedView::Iterator::read_key() {
    if (!keyed_) return;
    const auto size = read_varint(value_);
    key_ = {value_, size};
    value_ += size;
}

PackedView::Iterator& PackedView::Iterator::operator++() {
    value_ = PackedView{value_}.end_of_value();
    if (--left_ > 0) read_key();
    return *this;
}

PackedView::Range PackedView::entries() const {
    if (!is_list() && !is_map()) return {{nullptr, 0, false}, {nullptr, 0, false}};
    const char* at = at_ + 5;
    const auto count = read_varint(at);
    return {{at, count, is_map()}, {nullptr, 0, false}};
}

bool PackedView::validate(std::string_view bytes, int depth_max) {
    return checked_value(bytes, depth_max) && bytes.empty();
}

void PackedWriter::varint(std::uint64_t value) {
    while (value >= 0x80) {
        out_.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
}

void PackedWriter::null() { out_.push_back(static_cast<char>(PackedKind::null)); }

void PackedWriter::boolean(bool value) {
    out_.push_back(static_cast<char>(value ? PackedKind::boolean_true : PackedKind::boolean_false));
}

void PackedWriter::integer(std::int64_t value) {
    out_.push_back(static_cast<char>(PackedKind::integer));
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void PackedWriter::floating(double value) {
    out_.push_back(static_cast<char>(PackedKind::floating));
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out_.append(raw, sizeof raw);
}

void PackedWriter::string(std::string_view value) {
    out_.push_back(static_cast<char>(PackedKind::string));
    varint(value.size());
    out_.append(value);
}

void PackedWriter::value(PackedView value) {
    if (value)
        out_.append(value.bytes());
    else
        null();
}

void PackedWriter::key(std::string_view key) {
    varint(key.size());
    out_.append(key);
}

// The count is not known when a list or map is opened, so it is written as a padded varint of five
// bytes.
std::size_t PackedWriter::begin(PackedKind kind) {
    out_.push_back(static_cast<char>(kind));
    const auto mark = out_.size();
    out_.append(9, '\0');
    return mark;
}

void PackedWriter::end(std::size_t mark, std::size_t count) {
    const auto size = static_cast<std::uint32_t>(out_.size() - mark - 4);
    std::memcpy(&out_[mark], &size, sizeof size);
    for (std::size_t i = 0; i < 5; ++i) {
        const auto low = static_cast<unsigned char>((count >> (7 * i)) & 0x7f);
        out_[mark + 4 + i] = static_cast<char>(i < 4 ? low | 0x80u : low);
    }
}

std::size_t PackedWriter::begin_list() { return begin(PackedKind::list); }
std::size_t PackedWriter::begin_map() { return begin(PackedKind::map); }
void PackedWriter::end_list(std::size_t mark, std::size_t count) { end(mark, count); }
void PackedWriter::end_map(std::size_t mark, std::size_t count) { end(mark, count); }

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out.push_back('"');
    for (const char c : text) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\\u00";
                out.push_back(hex[(c >> 4) & 0xf]);
                out.push_back(hex[c & 0xf]);
            } else {
                out.push_back(c);
            }
        }
    }
    out.push_back('"');
}

void append_json(std::string& out, PackedView value) {
    switch (value.kind()) {
    case PackedKind::null: out += "null"; return;
    case PackedKind::boolean_false: out += "false"; return;
    case PackedKind::boolean_true: out += "true"; return;
    case PackedKind::integer: out += std::to_string(value.as_int()); return;
    case PackedKind::floating: {
        const double number = value.as_double();
        if (!std::isfinite(number)) {
            out += "null";
            return;
        }
        char text[32];
        const auto end = std::to_chars(text, text + sizeof text, number).ptr;
        out.append(text, end);
        return;
    }
    case PackedKind::string: append_json_string(out, value.as_string()); return;
    case PackedKind::list:
    case PackedKind::map: {
        out.push_back(value.is_map() ? '{' : '[');
        bool first = true;
        for (const auto& [key, item] : value.entries()) {
            if (!std::exchange(first, false)) out.push_back(',');
            if (value.is_map()) {
                append_json_string(out, key);
                out.push_back(':');
            }
            append_json(out, item);
        }
        out.push_back(value.is_map() ? '}' : ']');
        return;
    }
    }
}

std::string to_json(PackedView value) {
    std::string out;
    append_json(out, value);
    return out;
}

std::string merge_maps(PackedView base, PackedView edits) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    const auto keep = [&](std::string_view key, PackedView value) {
        writer.key(key);
        writer.value(value);
        ++count;
    };
    for (const auto& [key, value] : base.is_map() ? base.entries() : PackedView{}.entries()) {
        const auto edit = edits.find(key);
        if (!edit)
            keep(key, value);
        else if (!edit.is_null())
            keep(key, edit);
    }
    for (const auto& [key, value] : edits.is_map() ? edits.entries() : PackedView{}.entries()) {
        if (!value.is_null() && !base.find(key)) keep(key, value);
    }
    writer.end_map(mark, count);
    return writer.take();
}

} // namespace journeys
