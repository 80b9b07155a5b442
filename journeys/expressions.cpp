#include "journeys/expressions.hpp"

#include <type_traits>

namespace journeys {
namespace {

/// Calls `visit(file, role, expression, is_condition)`; works on constant journeys and others
/// alike.
template <class AnyJourney, class Visit> class Walk {
public:
    Walk(AnyJourney& journey, Visit visit) : journey_(journey), visit_(visit) {}

    void all() {
        for (auto& condition : journey_.enter.when) tell("enter.when", condition, true);
        if (journey_.enter.becomes) tell("enter.becomes", *journey_.enter.becomes, true);
        if (journey_.enter.each) tell("enter.each", *journey_.enter.each, false);
        if (journey_.enter.date) tell("enter.date", journey_.enter.date->date, false);
        if (journey_.enter.key) tell("enter.key", *journey_.enter.key, false);
        for (auto& rule : journey_.exits)
            for (auto& condition : rule.when) tell("exit.when", condition, true);
        for (auto& goal : journey_.goals) {
            for (auto& condition : goal.when) tell("goal.when", condition, true);
            if (goal.value) tell("goal.value", *goal.value, false);
        }
        for (auto& step : journey_.steps) {
            path_ = step.path + ' ';
            file_ = step.of_action ? &journey_.actions_file : &journey_.file;
            std::visit([&](auto& action) { of(action); }, step.action);
        }
    }

private:
    template <class Any> void tell(std::string role, Any& expression, bool is_condition) {
        visit_(*file_, std::move(role), expression, is_condition);
    }

    template <class Action> void of(Action& action) {
        using Kind = std::remove_const_t<Action>;
        if constexpr (std::is_same_v<Kind, WaitUntilDate>) {
            tell(path_ + "wait.until", action.date, false);
        } else if constexpr (std::is_same_v<Kind, WaitForEvent>) {
            if (action.when) tell(path_ + "wait.when", *action.when, true);
        } else if constexpr (std::is_same_v<Kind, WaitForCondition>) {
            tell(path_ + "wait.for_condition", action.condition, true);
        } else if constexpr (std::is_same_v<Kind, Send>) {
            const auto kind = path_ + (action.is_call ? "call." : "send.");
            if (action.when) tell(kind + "when", *action.when, true);
            for (auto& [name, value] : action.data) tell(kind + "data." + name, value, false);
        } else if constexpr (std::is_same_v<Kind, Branch>) {
            for (auto& arm : action.arms)
                if (arm.when) tell(path_ + "branch.when", *arm.when, true);
        } else if constexpr (std::is_same_v<Kind, Update>) {
            for (auto& [name, value] : action.set) tell(path_ + "set." + name, value, false);
        }
    }

    AnyJourney& journey_;
    Visit visit_;
    std::string path_;
    const std::string* file_ = &journey_.file; ///< Of what is visited.
};

} // namespace

std::vector<ExpressionUse> expressions_of(const Journey& journey) {
    std::vector<ExpressionUse> all;
    Walk{journey,
         [&](const std::string& file, std::string role, const Expression& expression,
             bool is_condition) {
             all.push_back({std::move(role), &expression, is_condition,
                            file + ':' + std::to_string(expression.line)});
         }}
        .all();
    return all;
}

JourneyPtr sharing_counts(const JourneyPtr& made, const Journey& before) {
    const auto counted = expressions_of(before);
    auto joined = std::make_shared<Journey>(*made);
    std::size_t at = 0;
    Walk{*joined,
         [&](const std::string&, const std::string&, Expression& expression, bool) {
             // One version has one content, so the two agree; a text that differs counts anew.
             if (at < counted.size() &&
                 counted[at].expression->program->text() == expression.program->text())
                 expression.counts = counted[at].expression->counts;
             ++at;
         }}
        .all();
    return joined;
}

} // namespace journeys
