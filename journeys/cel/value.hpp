/// What expressions compute with: a small value that borrows whatever is larger than itself.
#pragma once

#include "journeys/cel/arena.hpp"
#include "journeys/packed.hpp"
#include "journeys/time.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace journeys::cel {

enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    unsigned_integer,
    floating,
    string,
    bytes,
    list,
    map,
    timestamp,
    duration,
    type,
    optional,
    object,
    error
};

class Value;
struct ObjectType;

/// A host's record of a declared type: `customer`, `cart`.
struct Object {
    Object() = default;
    explicit Object(const void* its_memory) : memory(static_cast<const char*>(its_memory)) {}
    virtual ~Object() = default;
    /// The field at `index` of its type's fields. What is made for the answer lives in the arena.
    virtual Value field(unsigned index, Arena& arena) const = 0;
    /// The type as it was declared; must outlive the object. Needed where the expression's static
    /// type is not known: to select by name from a `dyn`, and to write the object out as a map.
    virtual const ObjectType& object_type() const = 0;
    /// What the storage of the type's fields counts from; null where all are read by `field`.
    const char* const memory = nullptr;
};

/// A host's list, read item by item only as far as an expression asks.
struct ListObject {
    /// Records of one type that lie one behind the other, as in a vector.
    struct Rows {
        const char* first = nullptr; ///< The `Object::memory` of the first; null: they do not.
        std::size_t stride = 0;
    };
    virtual ~ListObject() = default;
    virtual Rows rows() const { return {}; }
    virtual std::size_t size() const = 0;
    virtual Value at(std::size_t index, Arena& arena) const = 0; ///< index < size()
};

/// A host's map, looked up as an expression asks. Keys are strings, numbers or bools.
struct MapObject {
    virtual ~MapObject() = default;
    virtual std::size_t size() const = 0;
    /// Puts the value of `key` into `found`; false where there is none.
    virtual bool find(Value key, Value& found, Arena& arena) const = 0;
    virtual Value key_at(std::size_t index, Arena& arena) const = 0; ///< index < size()
};

/// A value of any kind in 16 bytes. It owns nothing: texts, items and objects are borrowed from an
/// arena, from packed bytes, from a program's constants or from the host, and must outlive it.
class Value {
public:
    constexpr Value() : kind_(Kind::null), form_(Form::scalar), extra_(0), integer_(0) {}

    static Value null() { return {}; }
    static Value boolean(bool value) { return make(Kind::boolean, value ? 1 : 0); }
    static Value integer(std::int64_t value) { return make(Kind::integer, value); }
    static Value unsigned_integer(std::uint64_t value) {
        return make(Kind::unsigned_integer, static_cast<std::int64_t>(value));
    }
    static Value floating(double value) {
        Value made;
        made.kind_ = Kind::floating;
        made.floating_ = value;
        return made;
    }
    static Value string(std::string_view text) { return make_text(Kind::string, text); }
    static Value bytes(std::string_view octets) { return make_text(Kind::bytes, octets); }
    static Value string(std::string_view text, Arena& arena);  ///< A copy.
    static Value bytes(std::string_view octets, Arena& arena); ///< A copy.
    static Value timestamp(Timestamp at);
    static Value timestamp(std::int64_t seconds, std::int32_t nanos) { // 0 <= nanos < 1e9
        Value made = make(Kind::timestamp, seconds);
        made.extra_ = static_cast<std::uint32_t>(nanos);
        return made;
    }
    static Value duration(std::chrono::nanoseconds span) {
        return make(Kind::duration, span.count());
    }
    /// Any JSON value: scalars become scalars (integral numbers ints, others doubles), lists and
    /// maps are read in place. An absent view is null.
    static Value packed(PackedView view);
    static Value packed_map(std::string_view bytes) { ///< An empty map where they are of none.
        if (!PackedView{bytes}.is_map()) return map_of({});
        Value made = make(Kind::map, 0);
        made.form_ = Form::packed;
        made.text_ = bytes.data();
        return made;
    }
    static Value object(const Object* object) { ///< null for nullptr
        if (object == nullptr) return null();
        Value made;
        made.kind_ = Kind::object;
        made.form_ = Form::host;
        made.object_ = object;
        return made;
    }
    static Value list(const ListObject* list);                     ///< null for nullptr
    static Value map(const MapObject* map);                        ///< null for nullptr
    static Value list(std::span<const Value> items, Arena& arena); ///< A copy of the items.
    static Value list_of(std::span<const Value> items);            ///< Borrows the items.
    /// Keys and values in turns, borrowed; the keys must differ.
    static Value map_of(std::span<const Value> keys_and_values);
    static Value type(std::string_view name) { return make_text(Kind::type, name); }
    static Value optional_none() { return make(Kind::optional, 0); }
    static Value optional_of(Value inner, Arena& arena);
    /// `text` is borrowed: a literal, or something that lives as long.
    static Value error(std::string_view text) { return make_text(Kind::error, text); }
    static Value error(std::string_view text, Arena& arena) { return error(text, {}, arena); }
    static Value error(std::string_view text, std::string_view detail, Arena& arena);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_error() const { return kind_ == Kind::error; }
    bool is_null() const { return kind_ == Kind::null; }
    bool is_true() const { return kind_ == Kind::boolean && integer_ != 0; }
    bool is_number() const {
        return kind_ == Kind::integer || kind_ == Kind::unsigned_integer || kind_ == Kind::floating;
    }

    // Each needs a value of its kind, where it is not said otherwise.
    bool as_bool() const { return integer_ != 0; }
    std::int64_t
    as_int() const; ///< Of any number: doubles are cut, and what is outside is clamped.
    std::uint64_t as_uint() const { return static_cast<std::uint64_t>(integer_); }
    double as_double() const { ///< Of any number.
        if (kind_ == Kind::floating) return floating_;
        return kind_ == Kind::integer ? static_cast<double>(integer_)
                                      : static_cast<double>(as_uint());
    }
    std::string_view as_string() const { return {text_, extra_}; } ///< Of bytes and types too.
    Timestamp as_timestamp() const;                                ///< To the millisecond below.
    std::int64_t seconds() const { return integer_; }              ///< Of a timestamp.
    std::int32_t nanos() const { return static_cast<std::int32_t>(extra_); } ///< Of a timestamp.
    std::chrono::nanoseconds as_duration() const { return std::chrono::nanoseconds{integer_}; }
    const Object* as_object() const { return object_; }
    std::string_view error_text() const { return is_error() ? as_string() : std::string_view{}; }
    bool has_inner() const { return items_ != nullptr; } ///< Of an optional.
    Value inner() const { return *items_; }              ///< Of an optional that has one.

    /// Items of a list, pairs of a map, code points of a string, octets of bytes; 0 for anything
    /// else.
    std::size_t size() const;
    /// The n-th item of a list; an error past its end.
    Value at(std::size_t index, Arena& arena) const;
    /// As above, for lists that are not the host's.
    Value at(std::size_t index) const;
    /// Puts the value under `key` of a map into `found`. Keys 1, 1u and 1.0 are one key.
    bool find(Value key, Value& found, Arena& arena) const;
    bool find(std::string_view key, Value& found, Arena& arena) const;

    // How lists and maps are kept; for those who walk them (see cursor.hpp).
    enum class Form : std::uint8_t { scalar, array, packed, host };
    Form form() const { return form_; }
    std::span<const Value> items() const {
        return {items_, extra_};
    }                                                       ///< Form array; a map's in turns.
    PackedView packed() const { return PackedView{text_}; } ///< Form packed.
    const ListObject* host_list() const { return list_; }
    const MapObject* host_map() const { return map_; }

private:
    static Value make(Kind kind, std::int64_t content) {
        Value made;
        made.kind_ = kind;
        made.integer_ = content;
        return made;
    }
    static Value make_text(Kind kind, std::string_view text) {
        Value made;
        made.kind_ = kind;
        made.extra_ = static_cast<std::uint32_t>(text.size());
        made.text_ = text.data();
        return made;
    }

    Kind kind_;
    Form form_;
    std::uint32_t extra_; ///< A size, or a timestamp's nanoseconds.
    union {
        std::int64_t integer_; ///< Bools, ints, uints, durations, a timestamp's seconds.
        double floating_;
        const char* text_;
        const Value* items_;
        const Object* object_;
        const ListObject* list_;
        const MapObject* map_;
    };
};
static_assert(sizeof(Value) == 16);

/// The value as packed JSON: timestamps as RFC 3339 text, durations as "1.5s", bytes as base64,
/// host objects as maps of their fields, uints past int64 as doubles, keys as text; as null errors,
/// what is nested deeper than 64, and what lies behind the writer's first 4 MiB.
void append_packed(PackedWriter& writer, Value value);

/// The value for people and logs, written as an expression would write it where it can be; bounded
/// alike.
std::string to_text(Value value);

/// The name of the value's type as `type(x)` gives it: "int", "google.protobuf.Timestamp".
std::string type_name(Value value);

} // namespace journeys::cel
