#include "journeys/cel/plan.hpp"

#include <array>

namespace journeys::cel {
namespace {

/// What folding a constant may take; more is left for the evaluation, and its limits.
constexpr std::size_t folded_bytes_max = 64 * 1024;
constexpr std::int64_t folded_steps_max = 10'000;

class Constant : public Node {
public:
    explicit Constant(Value value) : value_(value) {}
    Value evaluate(Frame&) const override { return value_; }
    const Value* constant() const override { return &value_; }

private:
    Value value_;
};

class Failure : public Node {
public:
    explicit Failure(std::string text) : text_(std::move(text)) {}
    Value evaluate(Frame&) const override { return Value::error(text_); }

private:
    std::string text_;
};

std::size_t nodes_of(const Expr& expression) {
    std::size_t sum = 1;
    for (const auto& argument : expression.arguments) sum += nodes_of(*argument);
    return sum;
}

class Planner {
public:
    Planner(const Environment& environment, Arena& constants)
        : environment_(environment), constants_(constants) {}

    NodePtr make(const Expr& expression) {
        const bool missing_is_null = environment_.missing_is_null;
        switch (expression.kind) {
        case ExprKind::literal: return literal(expression.value);
        case ExprKind::name: return name(expression);
        case ExprKind::select: {
            auto operand = make(*expression.arguments[0]);
            if (expression.field >= 0 && !expression.is_optional) {
                return make_field(
                    std::move(operand),
                    {static_cast<unsigned>(expression.field), storage_of(expression, environment_)},
                    expression.name, missing_is_null);
            }
            return make_select(std::move(operand), expression.name, expression.is_optional,
                               missing_is_null);
        }
        case ExprKind::index: {
            const auto& key = *expression.arguments[1];
            auto operand = make(*expression.arguments[0]);
            return make_index(std::move(operand), make(key), expression.is_optional,
                              missing_is_null);
        }
        case ExprKind::has: {
            const auto& field = *expression.arguments[0];
            return make_has(make(*field.arguments[0]), field.name);
        }
        case ExprKind::call: return call(expression);
        case ExprKind::list:
            return folded(make_list(all(expression), expression.optional_entries), expression);
        case ExprKind::map:
            return folded(make_map(all(expression), expression.optional_entries), expression);
        case ExprKind::unary:
            return folded(make_unary(expression.operation, make(*expression.arguments[0])),
                          expression);
        case ExprKind::binary: {
            auto left = make(*expression.arguments[0]);
            auto right = make(*expression.arguments[1]);
            return make_binary(expression.operation, std::move(left), std::move(right),
                               environment_.strict_numbers);
        }
        case ExprKind::logic: return make_logic(expression.operation, all(expression));
        case ExprKind::conditional: {
            auto parts = all(expression);
            return make_conditional(std::move(parts[0]), std::move(parts[1]), std::move(parts[2]));
        }
        case ExprKind::macro: {
            MacroParts parts{.first_local = expression.slot,
                             .variables = expression.variables.size(),
                             .arguments = all(expression)};
            // An item costs what the macro puts to it, however long that is.
            std::size_t nodes = 0;
            for (std::size_t i = 1; i < expression.arguments.size(); ++i)
                nodes += nodes_of(*expression.arguments[i]);
            parts.item_cost = 1 + nodes / 16;
            const bool is_quantifier = expression.macro == Macro::all ||
                                       expression.macro == Macro::exists ||
                                       expression.macro == Macro::exists_one;
            if (is_quantifier && expression.variables.size() == 1)
                parts.records =
                    make_record_condition(*expression.arguments[1], expression.slot, environment_);
            return make_macro(expression.macro, std::move(parts));
        }
        }
        return nullptr;
    }

private:
    std::vector<NodePtr> all(const Expr& expression) {
        std::vector<NodePtr> nodes;
        nodes.reserve(expression.arguments.size());
        for (const auto& argument : expression.arguments) nodes.push_back(make(*argument));
        return nodes;
    }

    NodePtr literal(Value value) {
        if (value.is(Kind::string)) value = Value::string(value.as_string(), constants_);
        if (value.is(Kind::bytes)) value = Value::bytes(value.as_string(), constants_);
        return make_constant(value);
    }

    NodePtr name(const Expr& expression) {
        switch (expression.resolution) {
        case Resolution::variable: return make_variable(expression.slot, expression.name);
        case Resolution::local: return make_local(expression.slot);
        case Resolution::type: return make_constant(expression.value);
        case Resolution::none:
        case Resolution::unknown: break;
        }
        return make_failure("no name " + expression.name);
    }

    NodePtr call(const Expr& expression) {
        if (expression.host == nullptr && expression.built_in == nullptr) {
            return make_failure("no function " + expression.name);
        }
        auto node = make_call(expression, all(expression), environment_, patterns_);
        static constexpr std::array<std::string_view, 5> foldable{"duration", "timestamp", "date",
                                                                  "days", "hours"};
        for (const auto known : foldable) {
            if (expression.host == nullptr && expression.name == known) {
                return folded(std::move(node), expression);
            }
        }
        return node;
    }

    /// A node of nothing but constants becomes one.
    NodePtr folded(NodePtr node, const Expr& expression) {
        for (const auto& argument : expression.arguments) {
            if (!is_constant(*argument)) return node;
        }
        constants_.set_limit(constants_.used() + folded_bytes_max);
        Frame frame{{}, nullptr, constants_, {folded_steps_max}, nullptr};
        const auto value = node->evaluate(frame);
        constants_.set_limit(std::numeric_limits<std::size_t>::max());
        return value.is_error() ? std::move(node) : make_constant(value);
    }
    static bool is_constant(const Expr& expression) {
        if (expression.kind == ExprKind::literal) return true;
        const bool is_collection = expression.kind == ExprKind::list ||
                                   expression.kind == ExprKind::map ||
                                   expression.kind == ExprKind::unary;
        if (!is_collection) return false;
        for (const auto& argument : expression.arguments) {
            if (!is_constant(*argument)) return false;
        }
        return true;
    }

    const Environment& environment_;
    Arena& constants_;
    PatternAllowance patterns_;
};

} // namespace

NodePtr make_constant(Value value) { return std::make_unique<const Constant>(value); }
NodePtr make_failure(std::string text) { return std::make_unique<const Failure>(std::move(text)); }

NodePtr plan(const Expr& root, const Environment& environment, Arena& constants) {
    return Planner{environment, constants}.make(root);
}

} // namespace journeys::cel
