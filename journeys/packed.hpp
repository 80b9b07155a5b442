/// The flat form of dynamic data (event properties, traits, payloads): one run of bytes that is
/// read in place, stored in a customer's state as it is, and compared and hashed as bytes.
///
/// A value is a tag byte and its content, little endian:
///   null | false | true | int: zigzag varint | double: 8 bytes | string: varint size, bytes
///   list: u32 bytes that follow, varint count, values | map: the same, with (varint size, key
///   bytes, value)
/// Maps keep the producer's order; of a key given twice the last one was kept when it was written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace journeys {

enum class PackedKind : std::uint8_t {
    null,
    boolean_false,
    boolean_true,
    integer,
    floating,
    string,
    list,
    map
};

/// A borrowed view of one value. Absent (default-made) views answer as null and are false in
/// conditions. The bytes must have passed `validate` once, or have been made by `PackedWriter`.
class PackedView {
public:
    PackedView() = default;
    explicit PackedView(std::string_view bytes) : at_(bytes.empty() ? nullptr : bytes.data()) {}
    explicit PackedView(const char* at) : at_(at) {}

    explicit operator bool() const { return at_ != nullptr; }
    PackedKind kind() const { return at_ ? static_cast<PackedKind>(*at_) : PackedKind::null; }
    bool is_null() const { return kind() == PackedKind::null; }
    bool is_bool() const {
        return kind() == PackedKind::boolean_false || kind() == PackedKind::boolean_true;
    }
    bool is_number() const {
        return kind() == PackedKind::integer || kind() == PackedKind::floating;
    }
    bool is_string() const { return kind() == PackedKind::string; }
    bool is_list() const { return kind() == PackedKind::list; }
    bool is_map() const { return kind() == PackedKind::map; }

    // Each needs a value of its kind.
    bool as_bool() const { return kind() == PackedKind::boolean_true; }
    std::int64_t as_int() const;
    double as_double() const; ///< Of an integer too.
    std::string_view as_string() const;

    /// Items of a list, pairs of a map; 0 for anything else.
    std::size_t size() const;
    /// The value of `key`; absent where there is none or where this is no map. Linear in the map's
    /// size.
    PackedView find(std::string_view key) const {
        std::size_t passed = 0;
        return find(key, passed);
    }
    /// The same, for those who pay by the way: adds the entries that were passed.
    PackedView find(std::string_view key, std::size_t& passed) const;
    /// Shorthand: the string under `key`, or "" where there is none or it is no string.
    std::string_view string_at(std::string_view key) const;
    /// The n-th item of a list; absent past its end. Linear.
    PackedView at(std::size_t index) const;

    /// This value's bytes, tag included; empty for an absent view.
    std::string_view bytes() const;
    /// Where the value ends; for walking.
    const char* end_of_value() const;
    const char* data() const { return at_; }

    /// Walks the pairs of a map, or the items of a list (whose keys are empty).
    class Iterator {
    public:
        using value_type = std::pair<std::string_view, PackedView>;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        Iterator(const char* at, std::size_t left, bool keyed);
        value_type operator*() const { return {key_, PackedView{value_}}; }
        Iterator& operator++();
        bool operator==(const Iterator& other) const { return left_ == other.left_; }

    private:
        void read_key();
        const char* value_;
        std::size_t left_;
        bool keyed_;
        std::string_view key_;
    };
    struct Range {
        Iterator first, last;
        Iterator begin() const { return first; }
        Iterator end() const { return last; }
    };
    Range entries() const; ///< Empty for what is neither list nor map.

    /// Whether `bytes` are exactly one well-formed value nested at most `depth_max` deep.
    static bool validate(std::string_view bytes, int depth_max = 64);

private:
    const char* at_ = nullptr;
};

/// Appends values to a string of its own. Lists and maps are opened and closed; inside a map each
/// value is preceded by `key`. Usage is the caller's promise (asserted).
class PackedWriter {
public:
    void null();
    void boolean(bool value);
    void integer(std::int64_t value);
    void floating(double value);
    void string(std::string_view value);
    void value(PackedView value); ///< A copy; null for an absent one.
    void key(std::string_view key);
    std::size_t begin_list(); ///< The mark to close it with.
    std::size_t begin_map();
    void end_list(std::size_t mark, std::size_t count);
    void end_map(std::size_t mark, std::size_t count);

    const std::string& bytes() const { return out_; }
    std::string take() { return std::exchange(out_, {}); }
    void clear() { out_.clear(); }

private:
    std::size_t begin(PackedKind kind);
    void end(std::size_t mark, std::size_t count);
    void varint(std::uint64_t value);
    std::string out_;
};

/// The value as JSON text: maps in their order, integral numbers without a point, doubles in the
/// shortest form that reads back (NaN and infinities as null). Text is escaped as RFC 8259 asks and
/// no more.
std::string to_json(PackedView value);
void append_json(std::string& out, PackedView value);
void append_json_string(std::string& out, std::string_view text);

/// `base` with `edits` laid over it, key by key at the top level; a null in `edits` removes the
/// key. Either may be absent or no map, which counts as an empty map.
std::string merge_maps(PackedView base, PackedView edits);

} // namespace journeys
