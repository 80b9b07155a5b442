#include "journeys/cel/types.hpp"

namespace journeys::cel {
namespace {

const char* name_of(Kind kind) {
    switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::unsigned_integer: return "uint";
    case Kind::floating: return "double";
    case Kind::string: return "string";
    case Kind::bytes: return "bytes";
    case Kind::list: return "list";
    case Kind::map: return "map";
    case Kind::timestamp: return "timestamp";
    case Kind::duration: return "duration";
    case Kind::type: return "type";
    case Kind::optional: return "optional";
    case Kind::object: return "object";
    case Kind::error: return "error";
    }
    return "";
}

} // namespace

Type Type::list(Type item) {
    Type made{Kind::list};
    // Nothing is kept for what is dyn inside, so that the commonest types cost no memory.
    if (item.is_free() || !item.is_dyn())
        made.parts_ = std::make_shared<const Parts>(Parts{{}, {std::move(item)}});
    return made;
}

Type Type::map(Type key, Type value) {
    Type made{Kind::map};
    if (key.is_free() || value.is_free() || !key.is_dyn() || !value.is_dyn()) {
        made.parts_ = std::make_shared<const Parts>(Parts{{}, {std::move(key), std::move(value)}});
    }
    return made;
}

Type Type::optional(Type inner) {
    Type made{Kind::optional};
    if (inner.is_free() || !inner.is_dyn())
        made.parts_ = std::make_shared<const Parts>(Parts{{}, {std::move(inner)}});
    return made;
}

Type Type::object(std::string name) {
    Type made{Kind::object};
    made.parts_ = std::make_shared<const Parts>(Parts{std::move(name), {}});
    return made;
}

Type Type::without_null() const {
    Type made = *this;
    made.nullable_ = false;
    return made;
}

Type Type::parameter(std::size_t index) const {
    return parts_ && index < parts_->parameters.size() ? parts_->parameters[index] : Type{};
}

Type Type::item() const { return parameter(0); }
Type Type::key() const { return is(Kind::map) ? parameter(0) : Type{}; }
Type Type::mapped() const { return is(Kind::map) ? parameter(1) : Type{}; }

const std::string& Type::object_name() const {
    static const std::string none;
    return parts_ ? parts_->name : none;
}

bool Type::may_be(const Type& wanted) const {
    if (is_dyn_ || wanted.is_dyn_) return true;
    if (kind_ == Kind::null) return wanted.nullable_ || wanted.kind_ == Kind::null;
    if (kind_ != wanted.kind_) return nullable_ && wanted.kind_ == Kind::null;
    if (kind_ == Kind::object) return object_name() == wanted.object_name();
    if (kind_ == Kind::list || kind_ == Kind::optional) return item().may_be(wanted.item());
    if (kind_ == Kind::map) {
        return key().may_be(wanted.key()) && mapped().may_be(wanted.mapped());
    }
    return true;
}

Type Type::join(const Type& left, const Type& right) {
    if (left.is_free_) return right;
    if (right.is_free_ || left == right) return left;
    if (left.is_dyn_ || right.is_dyn_) return {};
    if (left.kind_ == Kind::null) return nullable(right);
    if (right.kind_ == Kind::null) return nullable(left);
    if (left.kind_ != right.kind_) return {};
    Type made;
    switch (left.kind_) {
    case Kind::list: made = list(join(left.item(), right.item())); break;
    case Kind::optional: made = optional(join(left.item(), right.item())); break;
    case Kind::map:
        made = map(join(left.key(), right.key()), join(left.mapped(), right.mapped()));
        break;
    case Kind::object:
        if (left.object_name() != right.object_name()) return {};
        made = left;
        break;
    default: // Everything else is told apart by its kind alone.
        made = left;
        break;
    }
    made.nullable_ = left.nullable_ || right.nullable_;
    return made;
}

std::string Type::text() const {
    if (is_dyn_) return "dyn";
    std::string out = name_of(kind_);
    if (kind_ == Kind::object) out = object_name();
    if (kind_ == Kind::list || kind_ == Kind::optional) out += "(" + item().text() + ")";
    if (kind_ == Kind::map) out += "(" + key().text() + ", " + mapped().text() + ")";
    if (nullable_ && kind_ != Kind::null) out += " or null";
    return out;
}

bool Type::operator==(const Type& other) const {
    if (is_dyn_ || other.is_dyn_) return is_dyn_ == other.is_dyn_ && is_free_ == other.is_free_;
    if (kind_ != other.kind_ || nullable_ != other.nullable_) return false;
    if (parts_ == other.parts_) return true;
    if (object_name() != other.object_name()) return false;
    return parameter(0) == other.parameter(0) && parameter(1) == other.parameter(1);
}

} // namespace journeys::cel
