#include "journeys/cel/functions.hpp"
#include "journeys/cel/plan.hpp"

#include <array>
#include <cstring>

namespace journeys::cel {
namespace {

constexpr std::size_t forms_arguments_max = 4;

/// Evaluated arguments, on the stack where they are few.
class Arguments {
public:
    /// `walks_lists`: the function goes through lists and maps and charges nothing itself.
    Arguments(const std::vector<NodePtr>& nodes, Frame& frame, bool walks_lists = false)
        : count_(nodes.size()) {
        values_ = count_ <= here_.size() ? here_.data() : frame.arena.allocate_array<Value>(count_);
        if (values_ == nullptr) {
            problem_ = Value::error(too_large_result);
            return;
        }
        std::size_t bytes = 0, items = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            values_[i] = nodes[i]->evaluate(frame);
            if (values_[i].is_error()) {
                problem_ = values_[i];
                return;
            }
            if (values_[i].is(Kind::string) || values_[i].is(Kind::bytes)) {
                bytes += values_[i].as_string().size();
            } else if (walks_lists && (values_[i].is(Kind::list) || values_[i].is(Kind::map))) {
                items += values_[i].size();
            }
        }
        // Functions of texts read them about once.
        if (!frame.budget.charge(1 + bytes / 64 + items)) problem_ = Value::error(out_of_steps);
    }
    Value problem() const { return problem_; }
    std::span<const Value> values() const { return {values_, count_}; }

private:
    std::array<Value, forms_arguments_max> here_;
    Value* values_;
    std::size_t count_;
    Value problem_;
};

template <class Sets> bool fit(std::span<const Value> values, const Sets& wanted) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!is_in(values[i].kind(), wanted[i])) return false;
    }
    return true;
}

std::string no_form_text(const std::string& name) {
    return name + " does not take values of these kinds";
}

class CallNode : public Node {
public:
    CallNode(const Expr& call, std::vector<NodePtr> arguments, bool is_strict)
        : arguments_(std::move(arguments)), no_form_(no_form_text(call.name)) {
        for (const auto& candidate : find_built_in(call.name)) {
            if (candidate.is_member != call.has_receiver) continue;
            if (candidate.arguments.size() != arguments_.size()) continue;
            Form form{candidate.call, {}};
            for (std::size_t i = 0; i < candidate.arguments.size(); ++i) {
                form.wanted[i] = kinds_of(candidate.arguments[i], is_strict);
            }
            forms_.push_back(form);
        }
    }
    Value evaluate(Frame& frame) const override {
        const Arguments arguments{arguments_, frame};
        if (arguments.problem().is_error()) return arguments.problem();
        CallContext context{frame.arena, frame.budget};
        for (const auto& form : forms_) {
            if (fit(arguments.values(), form.wanted)) return form.call(context, arguments.values());
        }
        return Value::error(no_form_);
    }

private:
    struct Form {
        Value (*call)(CallContext&, std::span<const Value>);
        std::array<KindSet, forms_arguments_max> wanted;
    };
    std::vector<NodePtr> arguments_;
    std::vector<Form> forms_;
    std::string no_form_;
};

/// math.greatest and math.least, of any number of arguments.
class ExtremeNode : public Node {
public:
    ExtremeNode(const BuiltIn& form, std::vector<NodePtr> arguments)
        : call_(form.call), arguments_(std::move(arguments)) {}
    Value evaluate(Frame& frame) const override {
        const Arguments arguments{arguments_, frame};
        if (arguments.problem().is_error()) return arguments.problem();
        CallContext context{frame.arena, frame.budget};
        return call_(context, arguments.values());
    }

private:
    Value (*call_)(CallContext&, std::span<const Value>);
    std::vector<NodePtr> arguments_;
};

class HostCallNode : public Node {
public:
    HostCallNode(const Expr& call, std::vector<NodePtr> arguments, bool is_strict)
        : call_(call.host->call), arguments_(std::move(arguments)),
          no_form_(no_form_text(call.name)) {
        for (const auto& overload : call.host->overloads) {
            if (overload.member != call.has_receiver) continue;
            if (overload.arguments.size() != arguments_.size()) continue;
            auto& wanted = forms_.emplace_back();
            for (const auto& type : overload.arguments) wanted.push_back(kinds_of(type, is_strict));
        }
    }
    Value evaluate(Frame& frame) const override {
        const Arguments arguments{arguments_, frame, true};
        if (arguments.problem().is_error()) return arguments.problem();
        for (const auto& wanted : forms_) {
            if (fit(arguments.values(), wanted)) {
                return call_(frame.context, arguments.values(), frame.arena);
            }
        }
        return Value::error(no_form_);
    }

private:
    HostFunction call_;
    std::vector<NodePtr> arguments_;
    std::vector<std::vector<KindSet>> forms_;
    std::string no_form_;
};

/// `matches` with a pattern that is known beforehand.
class MatchesNode : public Node {
public:
    MatchesNode(NodePtr text, std::string_view pattern)
        : text_(std::move(text)), pattern_(pattern) {}
    Value evaluate(Frame& frame) const override {
        const auto text = text_->evaluate(frame);
        if (text.is_error()) return text;
        if (!text.is(Kind::string)) return Value::error("matches needs a text");
        if (!pattern_.is_valid()) return Value::error("invalid regular expression");
        const auto content = text.as_string();
        if (!frame.budget.charge(pattern_.search_cost(content))) return Value::error(out_of_steps);
        return Value::boolean(pattern_.is_in(content));
    }

private:
    NodePtr text_;
    Pattern pattern_;
};

/// orValue and or: the second is looked at only where the first has nothing.
class OptionalOrNode : public Node {
public:
    OptionalOrNode(std::vector<NodePtr> arguments, bool unwraps)
        : first_(std::move(arguments[0])), second_(std::move(arguments[1])), unwraps_(unwraps) {}
    Value evaluate(Frame& frame) const override {
        const auto first = first_->evaluate(frame);
        if (first.is_error()) return first;
        if (!first.is(Kind::optional)) return Value::error("an optional is needed");
        if (first.has_inner()) return unwraps_ ? first.inner() : first;
        const auto second = second_->evaluate(frame);
        if (unwraps_ || second.is_error() || second.is(Kind::optional)) return second;
        return Value::error("an optional is needed");
    }

private:
    NodePtr first_;
    NodePtr second_;
    bool unwraps_;
};

} // namespace

NodePtr make_call(const Expr& call, std::vector<NodePtr> arguments, const Environment& environment,
                  PatternAllowance& patterns) {
    const bool is_strict = environment.strict_numbers;
    if (call.host != nullptr) {
        return std::make_unique<const HostCallNode>(call, std::move(arguments), is_strict);
    }
    if (call.name == "math.greatest" || call.name == "math.least") {
        return std::make_unique<const ExtremeNode>(*call.built_in, std::move(arguments));
    }
    if (call.name == "matches" && arguments.size() == 2) {
        const auto* const pattern = arguments[1]->constant();
        if (pattern != nullptr && pattern->is(Kind::string)) {
            if (!patterns.take(pattern->as_string())) return make_failure("too many patterns");
            return std::make_unique<const MatchesNode>(std::move(arguments[0]),
                                                       pattern->as_string());
        }
    }
    const bool unwraps = call.name == "orValue";
    if (call.has_receiver && arguments.size() == 2 && (unwraps || call.name == "or")) {
        return std::make_unique<const OptionalOrNode>(std::move(arguments), unwraps);
    }
    return std::make_unique<const CallNode>(call, std::move(arguments), is_strict);
}

} // namespace journeys::cel
