#include "journeys/cel/checker.hpp"

namespace journeys::cel {
namespace {

bool either(const Type& left, const Type& right, Kind kind) {
    return left.is(kind) || right.is(kind);
}

const char* sign_of(Operation operation) {
    switch (operation) {
    case Operation::add: return "+";
    case Operation::subtract: return "-";
    case Operation::multiply: return "*";
    case Operation::divide: return "/";
    case Operation::remainder: return "%";
    case Operation::equal: return "==";
    case Operation::not_equal: return "!=";
    case Operation::less: return "<";
    case Operation::less_equal: return "<=";
    case Operation::greater: return ">";
    case Operation::greater_equal: return ">=";
    case Operation::in: return "in";
    default: return "";
    }
}

std::optional<Type> arithmetic(Operation operation, const Type& left, const Type& right,
                               bool is_strict) {
    const bool is_sum = operation == Operation::add;
    const bool is_difference = operation == Operation::subtract;
    if (left.is(Kind::null) || right.is(Kind::null)) return std::nullopt;
    if (left.is_dyn() || right.is_dyn()) {
        const auto& known = left.is_dyn() ? right : left;
        if (known.is_dyn()) return Type{};
        if (known.is_number() && is_strict) return known;
        if (known.is_number()) return known.is(Kind::floating) ? known : Type{};
        if (is_sum && (known.is(Kind::string) || known.is(Kind::bytes))) return known;
        if (is_sum && known.is(Kind::list)) return Type::list({});
        if (is_sum && known.is(Kind::timestamp)) return known;
        if ((is_sum || is_difference) && (known.is(Kind::timestamp) || known.is(Kind::duration))) {
            return Type{};
        }
        return std::nullopt;
    }
    if (left.is_number() && right.is_number()) {
        if (operation == Operation::remainder && either(left, right, Kind::floating))
            return std::nullopt;
        if (left.kind() == right.kind()) return left;
        if (!is_strict && either(left, right, Kind::floating)) return Type::floating();
        return std::nullopt;
    }
    if (is_sum && left.kind() == right.kind()) {
        if (left.is(Kind::string) || left.is(Kind::bytes) || left.is(Kind::duration)) return left;
        if (left.is(Kind::list)) return Type::join(left, right);
    }
    if (is_sum && left.is(Kind::timestamp) && right.is(Kind::duration)) return left;
    if (is_sum && left.is(Kind::duration) && right.is(Kind::timestamp)) return right;
    if (is_difference && left.is(Kind::timestamp) && right.is(Kind::timestamp))
        return Type::duration();
    if (is_difference && left.is(Kind::timestamp) && right.is(Kind::duration)) return left;
    if (is_difference && left.is(Kind::duration) && right.is(Kind::duration)) return left;
    return std::nullopt;
}

bool may_be_equal(const Type& left, const Type& right) {
    if (left.is_dyn() || right.is_dyn()) return true;
    // A comparison with null asks whether something is there.
    if (left.is(Kind::null) || right.is(Kind::null)) return true;
    if (left.is_number() && right.is_number()) return true;
    if (left.kind() != right.kind()) return false;
    if (left.is(Kind::list) || left.is(Kind::optional))
        return may_be_equal(left.item(), right.item());
    if (left.is(Kind::map)) {
        return may_be_equal(left.key(), right.key()) && may_be_equal(left.mapped(), right.mapped());
    }
    return left.may_be(right);
}

bool have_order(const Type& left, const Type& right) {
    const auto is_ordered = [](const Type& type) {
        return type.is_dyn() || type.is_number() || type.is(Kind::boolean) ||
               type.is(Kind::string) || type.is(Kind::bytes) || type.is(Kind::timestamp) ||
               type.is(Kind::duration);
    };
    if (!is_ordered(left) || !is_ordered(right)) return false;
    if (left.is_dyn() || right.is_dyn()) return true;
    return (left.is_number() && right.is_number()) || left.kind() == right.kind();
}

bool may_contain(const Type& range, const Type& item) {
    if (range.is_dyn()) return true;
    if (range.is(Kind::list)) return may_be_equal(range.item(), item);
    return range.is(Kind::map) && may_be_equal(range.key(), item);
}

} // namespace

std::optional<Type> type_of_operation(Operation operation, const Type& left, const Type& right,
                                      bool is_strict) {
    bool fits = false;
    switch (operation) {
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::divide:
    case Operation::remainder:
        return arithmetic(operation, left.without_null(), right.without_null(), is_strict);
    case Operation::equal:
    case Operation::not_equal: fits = may_be_equal(left, right); break;
    case Operation::less:
    case Operation::less_equal:
    case Operation::greater:
    case Operation::greater_equal: fits = have_order(left, right); break;
    case Operation::in: fits = may_contain(right, left); break;
    case Operation::none:
    case Operation::negate:
    case Operation::logical_not:
    case Operation::logical_and:
    case Operation::logical_or: break;
    }
    if (!fits) return std::nullopt;
    return Type::boolean();
}

std::string mistake_in_operation(Operation operation, const Type& left, const Type& right) {
    const std::string types = left.text() + " and " + right.text();
    const std::string sign = "\"" + std::string{sign_of(operation)} + "\"";
    const bool is_equality = operation == Operation::equal || operation == Operation::not_equal;
    if (operation == Operation::in) {
        if (right.is(Kind::string)) {
            return "\"in\" looks into a list or a map, not into a string: write "
                   "text.contains(\"part\")";
        }
        if (right.is(Kind::list) || right.is(Kind::map)) {
            return "\"in\" finds no " + left.text() + " in " + right.text();
        }
        return "\"in\" looks into a list or a map, not into " + right.text();
    }
    std::string help;
    if (either(left, right, Kind::string) && (left.is_number() || right.is_number())) {
        help = is_equality || operation != Operation::add
                   ? ": write a number without quotes, or double(text)"
                   : ": write string(number)";
    }
    if (either(left, right, Kind::timestamp) && either(left, right, Kind::string)) {
        help = ": write date(\"2024-05-17\")";
    }
    if (either(left, right, Kind::duration) && (left.is_number() || right.is_number())) {
        help = ": write days(7), hours(2) or duration(\"90m\") for the number";
    }
    if (either(left, right, Kind::integer) && either(left, right, Kind::floating)) {
        help = operation == Operation::remainder ? ": write int(number)" : ": write double(number)";
    }
    if (either(left, right, Kind::integer) && either(left, right, Kind::unsigned_integer)) {
        help = ": write int(number)";
    }
    if (is_equality) return sign + " compares " + types + ", which are never equal" + help;
    return sign + " has no meaning for " + types + help;
}

} // namespace journeys::cel
