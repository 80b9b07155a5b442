/// Decisions in a journey, and the steps of the actions that they choose among.
#include "schema/actions_yaml.hpp"
#include "schema/journey_reader.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

namespace {

/// A step of an action, moved to where it stands in a journey.
class Moved {
public:
    Moved(StepIndex by, StepIndex after) : by_(by), after_(after) {}

    Step of(const Step& step) const {
        Step moved = step;
        moved.next = place(step.next);
        std::visit([this](auto& action) { move(action); }, moved.action);
        return moved;
    }
    StepIndex place(StepIndex index) const {
        return index == end_of_run ? after_ : static_cast<StepIndex>(index + by_);
    }

private:
    /// Two journeys with one action count each for itself.
    static void count_anew(Expression& expression) {
        expression.counts = std::make_shared<ExpressionCounts>();
    }
    static void count_anew(std::optional<Expression>& expression) {
        if (expression) count_anew(*expression);
    }
    void move(WaitFor&) const {}
    void move(WaitUntilTime&) const {}
    void move(WaitUntilRisk&) const {}
    void move(ExitStep&) const {}
    void move(Decide&) const {} // An action makes no decision.
    void move(WaitUntilDate& wait) const {
        wait.after_skip = place(wait.after_skip);
        count_anew(wait.date);
    }
    void move(WaitForEvent& wait) const {
        wait.then = place(wait.then);
        wait.timeout = place(wait.timeout);
        count_anew(wait.when);
    }
    void move(WaitForCondition& wait) const {
        wait.then = place(wait.then);
        wait.timeout = place(wait.timeout);
        count_anew(wait.condition);
    }
    void move(Send& send) const {
        count_anew(send.when);
        for (auto& [name, expression] : send.data) count_anew(expression);
    }
    void move(Branch& branch) const {
        for (auto& arm : branch.arms) {
            arm.first = place(arm.first);
            count_anew(arm.when);
        }
    }
    void move(Split& split) const {
        for (auto& variant : split.variants) variant.first = place(variant.first);
    }
    void move(Update& update) const {
        for (auto& [name, expression] : update.set) count_anew(expression);
    }

    StepIndex by_, after_;
};

} // namespace

void JourneyReader::read_decide(const YamlNode& node, StepIndex step) {
    const auto reader = section(node, "decide");
    if (!reader.is_map()) return;
    if (is_action_) {
        mistakes_.add(node.at, "an action makes no decision of its own");
        return;
    }
    Decide made;
    std::vector<const ActionSteps*> steps;
    if (const auto* list = reader.require("actions", "ids of actions.yaml")) {
        std::vector<std::string> known;
        if (context_.actions)
            for (const auto& [id, unused] : *context_.actions) known.push_back(id);
        for (const auto& [id, at] : values_.texts(*list, "ids of actions.yaml")) {
            if (std::ranges::count(made.ways, id, &Decide::Way::action)) {
                mistakes_.add(at, quoted(id) + " is named twice");
                continue;
            }
            const ActionSteps* own = nullptr;
            if (context_.actions) {
                const auto found = context_.actions->find(id);
                if (found == context_.actions->end()) {
                    mistakes_.add(at, "no action " + quoted(id) + '.' + did_you_mean(id, known) +
                                          (known.empty() ? " There is no file of actions, or none "
                                                           "in it"
                                                         : " In actions.yaml: " + listed(known)));
                    continue;
                }
                own = &found->second;
            }
            made.ways.push_back({id});
            steps.push_back(own);
        }
        if (made.ways.size() > actions_max)
            mistakes_.add(list->at, "more than " + std::to_string(actions_max) +
                                        " actions are never weighed against each other");
    }
    read_policy(node, made);
    journey_->steps[step].action = std::move(made);
    for (std::size_t way = 0; way < steps.size(); ++way)
        if (steps[way] && !steps[way]->steps.empty()) keep_place_for(*steps[way], step, way);
}

void JourneyReader::read_policy(const YamlNode& node, Decide& decide) {
    if (const auto* policy = node.find("policy"))
        decide.policy = values_
                            .one_of<DecisionPolicy>(*policy, {{"best", DecisionPolicy::best},
                                                              {"explore", DecisionPolicy::explore},
                                                              {"fixed", DecisionPolicy::fixed}})
                            .value_or(DecisionPolicy::best);
    const auto* event = node.find("reward");
    const auto* within = node.find("within");
    if ((event == nullptr) != (within == nullptr)) {
        mistakes_.add(event ? event->at : within->at,
                      "reward: EVENT and within: DURATION belong together; without both it is as "
                      "actions.yaml has it");
        return;
    }
    if (event == nullptr) return;
    RewardRule rule;
    rule.event = values_.text(*event, "the name of an event").value_or("");
    if (!rule.event.empty()) check_event(rule.event, event->at);
    const auto read = values_.duration(*within);
    rule.within = read.value_or(Duration{});
    if (read && rule.within <= Duration::zero())
        mistakes_.add(within->at, "a reward needs time to come: within is longer than 0s");
    if (rule.within > reward_window_max)
        mistakes_.add(within->at, "a reward is waited for 90 days, and no longer");
    decide.reward = std::move(rule);
}

void JourneyReader::keep_place_for(const ActionSteps& own, StepIndex decide, std::size_t way) {
    auto& steps = journey_->steps;
    if (steps.size() + own.steps.size() > steps_max) {
        mistakes_.add(step_places_[decide], "with the steps of its actions the journey has more "
                                            "than " +
                                                std::to_string(steps_max) + " steps");
        return;
    }
    inlined_.push_back({decide, way, static_cast<StepIndex>(steps.size()), &own});
    for (const auto& step : own.steps) {
        auto& kept = steps.emplace_back();
        kept.path = steps[decide].path + '.' +
                    std::get<Decide>(steps[decide].action).ways[way].action + '.' + step.path;
        kept.action = ExitStep{};
        step_places_.push_back(step_places_[decide]);
        block_prefixes_.push_back(kept.path + '.');
    }
    for (const auto& name : own.properties_read) read_property(name);
}

/// Last of all: where a decision's run goes on is known by now.
void JourneyReader::link_decisions() {
    auto& steps = journey_->steps;
    for (auto& step : steps)
        if (auto* decide = std::get_if<Decide>(&step.action))
            for (auto& way : decide->ways) way.first = step.next;
    for (const auto& inlined : inlined_) {
        journey_->actions_file = inlined.steps->file;
        const Moved moved{inlined.at, steps[inlined.decide].next};
        for (std::size_t i = 0; i < inlined.steps->steps.size(); ++i) {
            auto& step = steps[inlined.at + i];
            auto path = std::move(step.path);
            step = moved.of(inlined.steps->steps[i]);
            step.path = std::move(path);
            step.of_action = true;
        }
        std::get<Decide>(steps[inlined.decide].action).ways[inlined.way].first =
            moved.place(inlined.steps->first);
    }
}

ActionStepsResult JourneyReader::read_action_steps() {
    ActionStepsResult result;
    if (mistakes_.has_errors()) return result; // Told by who reads the rest of the file.
    mistakes_.take();
    is_action_ = true;
    const auto* actions = document_.root().find("actions");
    if (actions == nullptr || !actions->is_list()) return result;
    for (const auto& action : actions->items) {
        const auto* id = action.find("id");
        const auto* steps = action.find("steps");
        if (id == nullptr || !id->is_text() || steps == nullptr) continue;
        journey_ = std::make_shared<Journey>();
        lists_.clear();
        blocks_.clear();
        step_places_.clear();
        block_prefixes_.clear();
        sends_.clear();
        event_waits_.clear();
        sent_names_.clear();
        names_.clear();
        properties_read_.clear();
        const auto errors = mistakes_.errors();
        read_steps(*steps, "", end_of_run);
        for (const auto& [name, at] : sent_names_)
            mistakes_.add(at, "an action is taken in many journeys, so its steps know of no send "
                              "by name");
        sent_names_.clear();
        link_steps();
        check_whole();
        if (mistakes_.errors() > errors) {
            result.wrong.push_back(id->text);
            continue;
        }
        ActionSteps made;
        made.steps = std::move(journey_->steps);
        made.first = journey_->first;
        made.file = mistakes_.file();
        made.properties_read.assign(properties_read_.begin(), properties_read_.end());
        append_canonical(made.canonical, *steps, false, false);
        result.steps[id->text] = std::move(made);
    }
    result.mistakes = mistakes_.take();
    return result;
}

ActionStepsResult load_action_steps(const std::string& file, std::string_view text,
                                    const LoadContext& context) {
    return JourneyReader{file, text, context}.read_action_steps();
}

} // namespace schema
