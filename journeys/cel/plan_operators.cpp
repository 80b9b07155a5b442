#include "journeys/cel/arithmetic.hpp"
#include "journeys/cel/cursor.hpp"
#include "journeys/cel/plan.hpp"
#include "journeys/same_bytes.hpp"

#include <algorithm>

namespace journeys::cel {
namespace {

Value needs_bool(Value value) {
    return value.is_error() ? value : Value::error("true or false is needed");
}

class NegateNode : public Node {
public:
    explicit NegateNode(NodePtr operand) : operand_(std::move(operand)) {}
    Value evaluate(Frame& frame) const override { return negate(operand_->evaluate(frame)); }

private:
    NodePtr operand_;
};

class NotNode : public Node {
public:
    explicit NotNode(NodePtr operand) : operand_(std::move(operand)) {}
    Value evaluate(Frame& frame) const override {
        const auto value = operand_->evaluate(frame);
        if (!value.is(Kind::boolean)) return needs_bool(value);
        return Value::boolean(!value.as_bool());
    }

private:
    NodePtr operand_;
};

class ArithmeticNode : public Node {
public:
    ArithmeticNode(Operation operation, NodePtr left, NodePtr right, bool is_strict)
        : left_(std::move(left)), right_(std::move(right)), operation_(operation),
          is_strict_(is_strict) {}
    Value evaluate(Frame& frame) const override {
        const auto left = left_.evaluate(frame);
        const auto right = right_.evaluate(frame);
        if (is_product_of_doubles(left, right)) {
            return Value::floating(left.as_double() * right.as_double());
        }
        return compute(operation_, left, right, is_strict_, frame.arena, frame.budget);
    }

private:
    /// `price * quantity`, ahead of everything else.
    bool is_product_of_doubles(Value left, Value right) const {
        if (operation_ != Operation::multiply || !left.is_number() || !right.is_number())
            return false;
        const bool has_double = left.is(Kind::floating) || right.is(Kind::floating);
        return has_double && (!is_strict_ || left.kind() == right.kind());
    }

    Operand left_;
    Operand right_;
    Operation operation_;
    bool is_strict_;
};

class EqualNode : public Node {
public:
    EqualNode(NodePtr left, NodePtr right, bool wanted)
        : left_(std::move(left)), right_(std::move(right)), wanted_(wanted) {}
    Value evaluate(Frame& frame) const override {
        const auto left = left_.evaluate(frame);
        const auto right = right_.evaluate(frame);
        if (left.is(Kind::string) && right.is(Kind::string)) { // By far the commonest.
            if (!frame.budget.charge(1 + left.as_string().size() / 64))
                return Value::error(out_of_steps);
            return Value::boolean(same_text(left.as_string(), right.as_string()) == wanted_);
        }
        const auto same = equal(left, right, frame.arena, frame.budget);
        return same.is_error() ? same : Value::boolean(same.as_bool() == wanted_);
    }

private:
    Operand left_;
    Operand right_;
    bool wanted_;
};

bool holds(Operation operation, std::partial_ordering sign) {
    switch (operation) {
    case Operation::less: return sign < 0;
    case Operation::less_equal: return sign <= 0;
    case Operation::greater: return sign > 0;
    default: return sign >= 0;
    }
}

Value compare(Operation operation, Value left, Value right) {
    const auto sign = order(left, right);
    if (sign) return Value::boolean(holds(operation, *sign));
    if (left.is_error()) return left;
    if (right.is_error()) return right;
    if (left.is_null() || right.is_null()) return Value::error("null has no order");
    return Value::error("there is no order between values of these kinds");
}

class CompareNode : public Node {
public:
    CompareNode(Operation operation, NodePtr left, NodePtr right)
        : left_(std::move(left)), right_(std::move(right)), operation_(operation) {}
    Value evaluate(Frame& frame) const override {
        const auto left = left_.evaluate(frame);
        const auto right = right_.evaluate(frame);
        if (left.is(Kind::string) || left.is(Kind::bytes)) {
            if (!frame.budget.charge(left.as_string().size() / 64))
                return Value::error(out_of_steps);
        }
        return compare(operation_, left, right);
    }

private:
    Operand left_;
    Operand right_;
    Operation operation_;
};

/// `x > 20.0` or `x > 20`: the commonest condition of all.
class CompareDoubleNode : public Node {
public:
    CompareDoubleNode(Operation operation, NodePtr left, Value right)
        : left_(std::move(left)), right_(right), number_(right.as_double()), operation_(operation) {
    }
    Value evaluate(Frame& frame) const override {
        const auto left = left_.evaluate(frame);
        if (!left.is_number()) return compare(operation_, left, right_);
        const double number = left.as_double();
        switch (operation_) {
        case Operation::less: return Value::boolean(number < number_);
        case Operation::less_equal: return Value::boolean(number <= number_);
        case Operation::greater: return Value::boolean(number > number_);
        default: return Value::boolean(number >= number_);
        }
    }

private:
    Operand left_;
    Value right_;
    double number_;
    Operation operation_;
};

class InNode : public Node {
public:
    InNode(NodePtr item, NodePtr range) : item_(std::move(item)), range_(std::move(range)) {}
    Value evaluate(Frame& frame) const override {
        const auto item = item_->evaluate(frame);
        const auto range = range_->evaluate(frame);
        if (range.is_error()) return range;
        return contains(range, item, frame.arena, frame.budget);
    }

private:
    NodePtr item_;
    NodePtr range_;
};

/// `x in ["DE", "AT"]`; long lists are searched by halves.
class InTextsNode : public Node {
public:
    InTextsNode(NodePtr item, std::span<const Value> texts) : item_(std::move(item)) {
        for (const auto text : texts) texts_.push_back(text.as_string());
        if (texts_.size() > linear_max) std::sort(texts_.begin(), texts_.end());
    }
    Value evaluate(Frame& frame) const override {
        const auto item = item_.evaluate(frame);
        if (!item.is(Kind::string)) return item.is_error() ? item : Value::boolean(false);
        const auto text = item.as_string();
        if (texts_.size() > linear_max) {
            return Value::boolean(std::binary_search(texts_.begin(), texts_.end(), text));
        }
        for (const auto known : texts_) {
            if (same_text(known, text)) return Value::boolean(true);
        }
        return Value::boolean(false);
    }

private:
    static constexpr std::size_t linear_max = 8;
    Operand item_;
    std::vector<std::string_view> texts_;
};

/// && and ||: one deciding operand hides the errors of all others, on either side.
template <bool deciding> class LogicNode : public Node {
public:
    explicit LogicNode(std::vector<NodePtr> operands) : operands_(std::move(operands)) {}
    Value evaluate(Frame& frame) const override {
        Value problem;
        bool has_problem = false;
        for (const auto& operand : operands_) {
            const auto value = operand->evaluate(frame);
            if (value.is(Kind::boolean)) [[likely]] {
                if (value.as_bool() == deciding) return value;
            } else if (!has_problem) {
                problem = needs_bool(value);
                has_problem = true;
            }
        }
        return has_problem ? problem : Value::boolean(!deciding);
    }

private:
    std::vector<NodePtr> operands_;
};

class ConditionalNode : public Node {
public:
    ConditionalNode(NodePtr condition, NodePtr yes, NodePtr no)
        : condition_(std::move(condition)), yes_(std::move(yes)), no_(std::move(no)) {}
    Value evaluate(Frame& frame) const override {
        const auto condition = condition_->evaluate(frame);
        if (!condition.is(Kind::boolean)) return needs_bool(condition);
        return (condition.as_bool() ? yes_ : no_)->evaluate(frame);
    }

private:
    NodePtr condition_;
    NodePtr yes_;
    NodePtr no_;
};

bool is_list_of_texts(const Value* value) {
    if (value == nullptr || !value->is(Kind::list) || value->form() != Value::Form::array)
        return false;
    const auto items = value->items();
    return std::all_of(items.begin(), items.end(),
                       [](Value item) { return item.is(Kind::string); });
}

} // namespace

NodePtr make_unary(Operation operation, NodePtr operand) {
    if (operation == Operation::negate)
        return std::make_unique<const NegateNode>(std::move(operand));
    return std::make_unique<const NotNode>(std::move(operand));
}

NodePtr make_binary(Operation operation, NodePtr left, NodePtr right, bool is_strict) {
    switch (operation) {
    case Operation::equal:
    case Operation::not_equal:
        return std::make_unique<const EqualNode>(std::move(left), std::move(right),
                                                 operation == Operation::equal);
    case Operation::less:
    case Operation::less_equal:
    case Operation::greater:
    case Operation::greater_equal: {
        const auto* const known = right->constant();
        if (known != nullptr && is_exact_as_double(*known)) {
            return std::make_unique<const CompareDoubleNode>(operation, std::move(left), *known);
        }
        return std::make_unique<const CompareNode>(operation, std::move(left), std::move(right));
    }
    case Operation::in:
        if (is_list_of_texts(right->constant())) {
            return std::make_unique<const InTextsNode>(std::move(left), right->constant()->items());
        }
        return std::make_unique<const InNode>(std::move(left), std::move(right));
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::divide:
    case Operation::remainder:
    case Operation::none:
    case Operation::negate:
    case Operation::logical_not:
    case Operation::logical_and:
    case Operation::logical_or: break;
    }
    return std::make_unique<const ArithmeticNode>(operation, std::move(left), std::move(right),
                                                  is_strict);
}

NodePtr make_logic(Operation operation, std::vector<NodePtr> operands) {
    if (operation == Operation::logical_or) {
        return std::make_unique<const LogicNode<true>>(std::move(operands));
    }
    return std::make_unique<const LogicNode<false>>(std::move(operands));
}

NodePtr make_conditional(NodePtr condition, NodePtr yes, NodePtr no) {
    return std::make_unique<const ConditionalNode>(std::move(condition), std::move(yes),
                                                   std::move(no));
}

} // namespace journeys::cel
