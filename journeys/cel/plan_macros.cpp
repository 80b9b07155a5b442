#include "journeys/cel/cursor.hpp"
#include "journeys/cel/map_builder.hpp"
#include "journeys/cel/plan.hpp"
#include "journeys/cel/sorting.hpp"

namespace journeys::cel {
namespace {

/// What the macros over lists and maps share: one pass that sets their variables.
class MacroNode : public Node {
public:
    explicit MacroNode(MacroParts parts)
        : local_(parts.first_local), has_two_(parts.variables == 2),
          range_(std::move(parts.arguments.front())), first_(std::move(parts.arguments[1])),
          second_(parts.arguments.size() > 2 ? std::move(parts.arguments[2]) : nullptr),
          item_cost_(parts.item_cost), records_(std::move(parts.records)),
          records_cost_(records_ ? records_->cost() : 0) {}

protected:
    /// The range, or the error that stands in its place.
    Value range(Frame& frame) const {
        const auto value = range_.evaluate(frame);
        if (value.is(Kind::list) || value.is(Kind::map) || value.is_error()) return value;
        return Value::error("macros go through lists and maps");
    }

    /// Calls `visit` for each item until it answers false; false where the budget ends first.
    template <class Visit> bool each(Value range, Frame& frame, Visit visit) const {
        if (range.is(Kind::list) && range.form() == Value::Form::array && !has_two_) {
            for (const auto item :
                 range.items()) { // As below, without asking each time what it is.
                if (!frame.budget.charge(item_cost_)) return false;
                frame.locals[local_] = item;
                if (!visit()) break;
            }
            return true;
        }
        if (range.is(Kind::list) && range.form() == Value::Form::host && !has_two_) {
            const auto& list = *range.host_list();
            for (std::size_t i = 0, size = list.size(); i < size; ++i) {
                if (!frame.budget.charge(item_cost_)) return false;
                frame.locals[local_] = list.at(i, frame.arena);
                if (!visit()) break;
            }
            return true;
        }
        for (Cursor at{range, frame.arena}; at.next();) {
            if (!frame.budget.charge(item_cost_)) return false;
            if (has_two_) {
                frame.locals[local_] = at.key();
                frame.locals[local_ + 1] = at.value();
            } else {
                frame.locals[local_] = range.is(Kind::map) ? at.key() : at.value();
            }
            if (!visit()) break;
        }
        return true;
    }

    enum class Filter { in, out, failed };
    /// `problem` is set where the condition is neither true nor false.
    static Filter test(const Node& condition, Frame& frame, Value& problem) {
        const auto value = condition.evaluate(frame);
        if (value.is(Kind::boolean)) return value.as_bool() ? Filter::in : Filter::out;
        problem = value.is_error() ? value : Value::error("true or false is needed");
        return Filter::failed;
    }

    /// Puts the condition to each item; `visit` gets the answer, and goes on as above.
    template <class Visit>
    bool each_tested(Value range, Frame& frame, Value& problem, Visit visit) const {
        if (!records_) {
            return each(range, frame, [&] { return visit(test(*first_, frame, problem)); });
        }
        const auto answer = [&](const char* memory) {
            return records_->holds(memory) ? Filter::in : Filter::out;
        };
        if (range.is(Kind::list) && range.form() == Value::Form::host) {
            const auto rows = range.host_list()->rows();
            if (rows.first != nullptr) {
                const char* at = rows.first;
                for (auto left = range.host_list()->size(); left > 0; --left, at += rows.stride) {
                    if (!frame.budget.charge(records_cost_)) return false;
                    if (!visit(answer(at))) break;
                }
                return true;
            }
        }
        return each(range, frame, [&] {
            const auto item = frame.locals[local_];
            if (item.is(Kind::object) && item.as_object()->memory != nullptr)
                return visit(answer(item.as_object()->memory));
            return visit(test(*first_, frame, problem));
        });
    }

    unsigned local_;
    bool has_two_;
    Operand range_;
    NodePtr first_;
    NodePtr second_;
    std::size_t item_cost_;
    RecordConditionPtr records_; ///< The same as `first_`, for records.
    std::size_t records_cost_;
};

/// all and exists: || and && over the items, which one deciding item ends.
template <bool deciding> class QuantifierNode : public MacroNode {
public:
    using MacroNode::MacroNode;
    Value evaluate(Frame& frame) const override {
        const auto items = range(frame);
        if (items.is_error()) return items;
        Value problem;
        bool is_decided = false;
        Value its_problem;
        const bool is_complete = each_tested(items, frame, its_problem, [&](Filter found) {
            switch (found) {
            case Filter::in: is_decided = deciding; break;
            case Filter::out: is_decided = !deciding; break;
            case Filter::failed:
                if (!problem.is_error()) problem = its_problem;
                break;
            }
            return !is_decided;
        });
        if (!is_complete) return Value::error(out_of_steps);
        if (is_decided) return Value::boolean(deciding);
        return problem.is_error() ? problem : Value::boolean(!deciding);
    }
};

class ExistsOneNode : public MacroNode {
public:
    using MacroNode::MacroNode;
    Value evaluate(Frame& frame) const override {
        const auto items = range(frame);
        if (items.is_error()) return items;
        Value problem;
        std::size_t count = 0;
        const bool is_complete = each_tested(items, frame, problem, [&](Filter found) {
            count += found == Filter::in ? 1 : 0;
            return found != Filter::failed;
        });
        if (!is_complete) return Value::error(out_of_steps);
        return problem.is_error() ? problem : Value::boolean(count == 1);
    }
};

/// map, filter and transformList.
class ListMacroNode : public MacroNode {
public:
    ListMacroNode(Macro macro, MacroParts parts)
        : MacroNode(std::move(parts)), is_filter_(macro == Macro::filter) {}

    Value evaluate(Frame& frame) const override {
        const auto items = range(frame);
        if (items.is_error()) return items;
        const auto most = items.size();
        auto* const out = frame.arena.allocate_array<Value>(most);
        if (out == nullptr) return Value::error(too_large_result);
        const Node* const condition = is_filter_ || second_ ? first_.get() : nullptr;
        const Node* const transform = second_ ? second_.get() : first_.get();
        std::size_t count = 0;
        Value problem;
        const bool is_complete = each(items, frame, [&] {
            if (condition != nullptr) {
                const auto found = test(*condition, frame, problem);
                if (found != Filter::in) return found == Filter::out;
            }
            const auto value = is_filter_ ? frame.locals[local_] : transform->evaluate(frame);
            if (value.is_error())
                problem = value;
            else if (count < most)
                out[count++] = value;
            return !value.is_error();
        });
        if (!is_complete) return Value::error(out_of_steps);
        return problem.is_error() ? problem : Value::list_of({out, count});
    }

private:
    bool is_filter_;
};

class SortNode : public MacroNode {
public:
    using MacroNode::MacroNode;
    Value evaluate(Frame& frame) const override {
        const auto range = this->range(frame);
        if (range.is_error()) return range;
        const auto most = range.size();
        auto* const items = frame.arena.allocate_array<SortItem>(most);
        if (items == nullptr) return Value::error(too_large_result);
        std::size_t count = 0;
        Value problem;
        const bool is_complete = each(range, frame, [&] {
            const auto item = frame.locals[local_];
            const auto key = first_->evaluate(frame);
            if (key.is_error())
                problem = key;
            else if (count < most)
                items[count++] = {key, item};
            return !key.is_error();
        });
        if (!is_complete) return Value::error(out_of_steps);
        return problem.is_error() ? problem : sorted({items, count}, frame.arena, frame.budget);
    }
};

/// transformMap and transformMapEntry.
class MapMacroNode : public MacroNode {
public:
    MapMacroNode(Macro macro, MacroParts parts)
        : MacroNode(std::move(parts)), makes_entries_(macro == Macro::transform_map_entry) {}

    Value evaluate(Frame& frame) const override {
        const auto items = range(frame);
        if (items.is_error()) return items;
        MapBuilder builder{items.size(), frame.arena};
        Value problem;
        const bool is_complete = each(items, frame, [&] {
            if (second_) {
                const auto found = test(*first_, frame, problem);
                if (found != Filter::in) return found == Filter::out;
            }
            const auto key = frame.locals[local_];
            const auto value = (second_ ? second_ : first_)->evaluate(frame);
            problem = makes_entries_ ? add_entries(value, builder, frame)
                                     : builder.add(key, value, frame.budget);
            return !problem.is_error();
        });
        if (!is_complete) return Value::error(out_of_steps);
        return problem.is_error() ? problem : builder.take();
    }

private:
    static Value add_entries(Value value, MapBuilder& builder, Frame& frame) {
        if (value.is_error()) return value;
        if (!value.is(Kind::map) || value.size() != 1) {
            return Value::error("transformMapEntry needs a map of one entry for each item");
        }
        Cursor at{value, frame.arena};
        at.next();
        return builder.add(at.key(), at.value(), frame.budget);
    }

    bool makes_entries_;
};

/// cel.bind: the value is looked at only where its name is used, so its error is kept, too.
class BindNode : public Node {
public:
    BindNode(unsigned local, std::vector<NodePtr> arguments)
        : local_(local), value_(std::move(arguments[0])), result_(std::move(arguments[1])) {}
    Value evaluate(Frame& frame) const override {
        frame.locals[local_] = value_->evaluate(frame);
        return result_->evaluate(frame);
    }

private:
    unsigned local_;
    NodePtr value_;
    NodePtr result_;
};

class OptionalMapNode : public Node {
public:
    OptionalMapNode(unsigned local, bool is_flat, std::vector<NodePtr> arguments)
        : local_(local), is_flat_(is_flat), operand_(std::move(arguments[0])),
          result_(std::move(arguments[1])) {}
    Value evaluate(Frame& frame) const override {
        const auto operand = operand_->evaluate(frame);
        if (operand.is_error()) return operand;
        if (!operand.is(Kind::optional)) return Value::error("an optional is needed");
        if (!operand.has_inner()) return operand;
        frame.locals[local_] = operand.inner();
        const auto result = result_->evaluate(frame);
        if (result.is_error()) return result;
        if (!is_flat_) return Value::optional_of(result, frame.arena);
        return result.is(Kind::optional) ? result : Value::error("optFlatMap needs an optional");
    }

private:
    unsigned local_;
    bool is_flat_;
    NodePtr operand_;
    NodePtr result_;
};

} // namespace

NodePtr make_macro(Macro macro, MacroParts parts) {
    switch (macro) {
    case Macro::all: return std::make_unique<const QuantifierNode<false>>(std::move(parts));
    case Macro::exists: return std::make_unique<const QuantifierNode<true>>(std::move(parts));
    case Macro::exists_one: return std::make_unique<const ExistsOneNode>(std::move(parts));
    case Macro::map:
    case Macro::filter:
    case Macro::transform_list:
        return std::make_unique<const ListMacroNode>(macro, std::move(parts));
    case Macro::sort_by: return std::make_unique<const SortNode>(std::move(parts));
    case Macro::transform_map:
    case Macro::transform_map_entry:
        return std::make_unique<const MapMacroNode>(macro, std::move(parts));
    case Macro::bind:
        return std::make_unique<const BindNode>(parts.first_local, std::move(parts.arguments));
    case Macro::opt_map:
    case Macro::opt_flat_map:
        return std::make_unique<const OptionalMapNode>(
            parts.first_local, macro == Macro::opt_flat_map, std::move(parts.arguments));
    case Macro::none: break;
    }
    return make_failure("no such macro");
}

} // namespace journeys::cel
