#include "journeys/expressions.hpp"

#include <type_traits>

namespace journeys {
namespace {

/// Calls `visit(role, expression, is_condition)`; works on constant journeys and others alike.
template <class AnyJourney, class Visit> class Walk {
public:
    Walk(AnyJourney& journey, Visit visit) : journey_(journey), visit_(visit) {}

    void all() {
        for (auto& condition : journey_.enter.when) visit_("enter.when", condition, true);
        if (journey_.enter.becomes) visit_("enter.becomes", *journey_.enter.becomes, true);
        if (journey_.enter.each) visit_("enter.each", *journey_.enter.each, false);
        if (journey_.enter.date) visit_("enter.date", journey_.enter.date->date, false);
        if (journey_.enter.key) visit_("enter.key", *journey_.enter.key, false);
        for (auto& rule : journey_.exits)
            for (auto& condition : rule.when) visit_("exit.when", condition, true);
        for (auto& goal : journey_.goals) {
            for (auto& condition : goal.when) visit_("goal.when", condition, true);
            if (goal.value) visit_("goal.value", *goal.value, false);
        }
        for (auto& step : journey_.steps) {
            path_ = step.path + ' ';
            std::visit([&](auto& action) { of(action); }, step.action);
        }
    }

private:
    template <class Action> void of(Action& action) {
        using Kind = std::remove_const_t<Action>;
        if constexpr (std::is_same_v<Kind, WaitUntilDate>) {
            visit_(path_ + "wait.until", action.date, false);
        } else if constexpr (std::is_same_v<Kind, WaitForEvent>) {
            if (action.when) visit_(path_ + "wait.when", *action.when, true);
        } else if constexpr (std::is_same_v<Kind, WaitForCondition>) {
            visit_(path_ + "wait.for_condition", action.condition, true);
        } else if constexpr (std::is_same_v<Kind, Send>) {
            const auto kind = path_ + (action.is_call ? "call." : "send.");
            if (action.when) visit_(kind + "when", *action.when, true);
            for (auto& [name, value] : action.data) visit_(kind + "data." + name, value, false);
        } else if constexpr (std::is_same_v<Kind, Branch>) {
            for (auto& arm : action.arms)
                if (arm.when) visit_(path_ + "branch.when", *arm.when, true);
        } else if constexpr (std::is_same_v<Kind, Update>) {
            for (auto& [name, value] : action.set) visit_(path_ + "set." + name, value, false);
        }
    }

    AnyJourney& journey_;
    Visit visit_;
    std::string path_;
};

} // namespace

std::vector<ExpressionUse> expressions_of(const Journey& journey) {
    std::vector<ExpressionUse> all;
    Walk{journey,
         [&](std::string role, const Expression& expression, bool is_condition) {
             all.push_back({std::move(role), &expression, is_condition});
         }}
        .all();
    return all;
}

JourneyPtr sharing_counts(const JourneyPtr& made, const Journey& before) {
    const auto counted = expressions_of(before);
    auto joined = std::make_shared<Journey>(*made);
    std::size_t at = 0;
    Walk{*joined,
         [&](const std::string&, Expression& expression, bool) {
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
