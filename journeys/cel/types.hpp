/// What is known of an expression before it runs.
#pragma once

#include "journeys/cel/value.hpp"

#include <memory>
#include <string>
#include <vector>

namespace journeys::cel {

/// A static type. `dyn` is anything; a nullable type is the type, or null. A free type is not known
/// yet, as that of the items of `[]`: it becomes what it is joined with, and is `dyn` until then.
class Type {
public:
    Type() = default; ///< dyn

    static Type dyn() { return {}; }
    static Type free() {
        Type made;
        made.is_free_ = true;
        return made;
    }
    static Type boolean() { return Type{Kind::boolean}; }
    static Type integer() { return Type{Kind::integer}; }
    static Type unsigned_integer() { return Type{Kind::unsigned_integer}; }
    static Type floating() { return Type{Kind::floating}; }
    static Type string() { return Type{Kind::string}; }
    static Type bytes() { return Type{Kind::bytes}; }
    static Type null() { return Type{Kind::null}; }
    static Type timestamp() { return Type{Kind::timestamp}; }
    static Type duration() { return Type{Kind::duration}; }
    static Type type() { return Type{Kind::type}; }
    static Type list(Type item);
    static Type map(Type key, Type value);
    static Type optional(Type inner);
    static Type object(std::string name);
    static Type nullable(Type type) {
        type.nullable_ = true;
        return type;
    }

    bool is_dyn() const { return is_dyn_; } ///< Of free types too.
    bool is_free() const { return is_free_; }
    Kind kind() const { return kind_; } ///< Needs a type that is not dyn.
    bool is(Kind kind) const { return !is_dyn_ && kind_ == kind; }
    bool is_number() const {
        return is(Kind::integer) || is(Kind::unsigned_integer) || is(Kind::floating);
    }
    bool is_nullable() const { return nullable_; }
    Type without_null() const;
    Type item() const;                      ///< Of a list, or of an optional; dyn where unknown.
    Type key() const;                       ///< Of a map; dyn where unknown.
    Type mapped() const;                    ///< Of a map; dyn where unknown.
    const std::string& object_name() const; ///< Of an object.

    /// Whether a value of this type may be what `wanted` asks for: true wherever dyn hides the
    /// answer.
    bool may_be(const Type& wanted) const;
    /// The narrowest type that holds both.
    static Type join(const Type& left, const Type& right);
    /// "list(int)", "map(string, dyn)", "double or null".
    std::string text() const;
    bool operator==(const Type& other) const;

private:
    struct Parts {
        std::string name;
        std::vector<Type> parameters;
    };
    explicit Type(Kind kind) : kind_(kind), is_dyn_(false) {}
    Type parameter(std::size_t index) const;

    Kind kind_ = Kind::null;
    bool is_dyn_ = true;
    bool nullable_ = false;
    bool is_free_ = false;
    std::shared_ptr<const Parts> parts_;
};

/// How a field is read. One that lies in its record's memory is a load, where any other is a call.
struct Storage {
    enum class Form : std::uint8_t {
        called,    ///< By `Object::field`.
        integer,   ///< std::int64_t
        floating,  ///< double
        decimal,   ///< std::int64_t of ten-thousandths; a double for expressions
        text,      ///< std::string
        packed_map ///< std::string of a packed map's bytes; anything else is an empty map
    } form = Form::called;
    std::uint32_t offset = 0; ///< In bytes, from `Object::memory`.
};

struct Field {
    std::string name;
    Type type;
    std::string doc;
    Storage storage = {}; ///< Must agree with `Object::field`, which every field has.
};

/// A record that the host declares. A field is read by its position here.
struct ObjectType {
    std::string name;
    std::vector<Field> fields;
    std::string doc;
};

} // namespace journeys::cel
