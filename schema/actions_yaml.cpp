#include "schema/actions_yaml.hpp"

#include "journeys/environment.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

namespace schema {

using namespace journeys;

namespace {

constexpr double amount_max = 1e6;

const Section& section_of(std::string_view name) {
    const auto& all = actions_sections();
    const auto found = std::ranges::find(all, name, &Section::name);
    assert(found != all.end());
    return *found;
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

class ActionsReader {
public:
    ActionsReader(const std::string& file, std::string_view text, const LoadContext& context)
        : mistakes_(file), document_(YamlDocument::parse(text, mistakes_)), context_(context) {
        if (!context.settings) return;
        for (const auto& channel : context.settings->channels) channels_.push_back(channel.name);
    }

    ActionsFile read() {
        if (!document_.root().is_empty()) {
            const MapReader reader{document_.root(), section_of("actions file"), mistakes_};
            if (reader.is_map()) read_file(reader);
        }
        loaded_.mistakes = mistakes_.take();
        return std::move(loaded_);
    }

private:
    void read_file(const MapReader& reader) {
        auto& rules = loaded_.guardrails;
        share(reader, "margin", rules.margin);
        share(reader, "discount_of_margin", rules.discount_of_margin_max);
        share(reader, "floor", loaded_.floor);
        share(reader, "holdout", loaded_.holdout);
        if (auto rule = read_reward(reader, loaded_.reward)) loaded_.reward = *rule;
        if (const auto* node = reader.find("would_buy_anyway"))
            rules.would_buy_anyway = values_.number(*node, 0, 1).value_or(rules.would_buy_anyway);
        if (const auto* node = reader.find("discount_budget")) {
            const MapReader budget{*node, section_of("discount budget"), mistakes_};
            if (const auto* amount = budget.require("amount", "the most that one customer gets"))
                rules.discount_budget = values_.number(*amount, 0, amount_max);
            window(budget, loaded_.discount_budget_per);
        }
        if (const auto* recommend = reader.find("recommend")) read_recommend(*recommend);
        const auto* actions = reader.require("actions", "a list of them, the most important first");
        if (actions == nullptr) return;
        if (!actions->is_list()) {
            mistakes_.add(actions->at, "actions is a list, each beginning with \"- id:\"");
            return;
        }
        for (std::size_t i = 0; i < actions->items.size(); ++i) {
            if (i == actions_file_max) {
                mistakes_.add(actions->items[i].at,
                              "more than " + std::to_string(actions_file_max) + " actions");
                return;
            }
            const auto errors = mistakes_.errors();
            auto one = read_action(actions->items[i]);
            if (mistakes_.errors() == errors) loaded_.actions.push_back(std::move(one));
        }
        if (const auto* floor = reader.find("floor")) check_floor(*floor);
    }

    /// A floor that all actions of a place cannot have together is cut to what they can.
    void check_floor(const YamlNode& node) {
        if (loaded_.floor > 0.5) {
            mistakes_.add(node.at, "a floor is at most 50%: no two actions can each have more");
            return;
        }
        std::map<std::string, std::size_t> places;
        for (const auto& offered : loaded_.actions)
            ++places[offered.surface.empty() ? offered.channel : offered.surface];
        for (const auto& [place, all] : places) {
            const auto count = std::min(all, actions_max);
            if (loaded_.floor * static_cast<double>(count) <= 1 + 1e-9) continue;
            mistakes_.warn(node.at, quoted(place) + " has " + std::to_string(count) +
                                        " actions, which cannot each have " + node.text +
                                        ": where all may be taken each gets the same chance, and "
                                        "nothing that was learned counts");
        }
    }

    OfferedAction read_action(const YamlNode& node) {
        OfferedAction made;
        auto& action = made.action;
        const MapReader reader{node, section_of("action"), mistakes_};
        if (!reader.is_map()) return made;
        if (const auto* id = reader.require("id", "by which steps and reports name it")) {
            action.id = values_.text(*id, "an id").value_or("");
            if (!action.id.empty() && !is_id(action.id))
                mistakes_.add(id->at, quoted(action.id) +
                                          " is no id: a-z, 0-9 and -, at most 64 characters");
            else if (action.id == "nothing")
                mistakes_.add(id->at, "\"nothing\" is what reports and the export call it where no "
                                      "action was taken");
            else if (!action.id.empty() && !ids_.insert(action.id).second)
                mistakes_.add(id->at, "a second action with the id " + quoted(action.id));
        }
        if (const auto* when = reader.find("when")) made.when = condition(*when, Scope::offer);
        made.reward = read_reward(reader, loaded_.reward);
        read_place(reader, made);
        if (const auto* steps = reader.find("steps"); steps && !made.surface.empty())
            mistakes_.warn(steps->at,
                           "the steps of an action on a surface run only where a journey "
                           "decides, not where the shop asks");
        else if (!steps && !made.channel.empty())
            mistakes_.warn(reader.at(),
                           "an action on a channel without steps: a journey that takes "
                           "it sends nothing");
        if (const auto* value = reader.require("value", "what one success is worth"))
            action.value = values_.number(*value, 0, amount_max).value_or(0);
        if (const auto* cost = reader.find("cost"))
            action.cost = values_.number(*cost, 0, amount_max).value_or(0);
        if (const auto* discount = reader.find("discount")) {
            const auto share =
                discount->is_text() ? parse_percentage(discount->text) : std::nullopt;
            if (share)
                action.discount_percent = *share * 100;
            else if (discount->is_text() && discount->text.ends_with('%'))
                mistakes_.add(discount->at, "a discount is from 0% to 100%, or an amount");
            else
                action.discount_amount = values_.number(*discount, 0, amount_max).value_or(0);
        }
        if (const auto* cap = reader.find("cap")) {
            const MapReader inner{*cap, section_of("cap"), mistakes_};
            if (const auto* max = inner.require("max", "how often one customer gets it"))
                if (const auto times = values_.integer(*max, 1, 1'000))
                    action.cap = static_cast<std::uint32_t>(*times);
            window(inner, made.cap_per);
        }
        if (const auto* prior = reader.find("prior")) {
            const MapReader inner{*prior, section_of("prior"), mistakes_};
            if (const auto* rate = inner.require("rate", "the share that succeeds, from 0 to 1"))
                action.prior.rate = values_.number(*rate, 0, 1).value_or(0);
            if (const auto* weight = inner.find("weight"))
                action.prior.weight = values_.number(*weight, 1, amount_max).value_or(1);
        }
        return made;
    }

    /// Nothing where neither the event nor the time is named.
    std::optional<RewardRule> read_reward(const MapReader& reader, const RewardRule& otherwise) {
        const auto* event = reader.find("reward");
        const auto* within = reader.find("within");
        if (event == nullptr && within == nullptr) return std::nullopt;
        auto rule = otherwise;
        if (event) {
            rule.event = values_.text(*event, "the name of an event").value_or(rule.event);
            if (auto mistake = mistake_in_event_name(rule.event, context_.events); !mistake.empty())
                mistakes_.add(event->at, std::move(mistake));
        }
        if (within) {
            if (const auto read = values_.duration(*within)) rule.within = *read;
            if (rule.within <= Duration::zero())
                mistakes_.add(within->at, "a reward needs time to come: within is longer than 0s");
            if (rule.within > reward_window_max)
                mistakes_.add(within->at, "a reward is waited for 90 days, and no longer");
        }
        return rule;
    }

    void read_place(const MapReader& reader, OfferedAction& made) {
        const auto* channel = reader.find("channel");
        const auto* surface = reader.find("surface");
        if ((channel == nullptr) == (surface == nullptr)) {
            mistakes_.add(channel ? channel->at : reader.at(),
                          "an action has a channel or a surface, one of the two");
            return;
        }
        if (surface) {
            made.surface = values_.text(*surface, "a place in the shop").value_or("");
            if (!made.surface.empty() && !is_id(made.surface))
                mistakes_.add(surface->at, quoted(made.surface) +
                                               " is no surface: a-z, 0-9 and -, at most 64 "
                                               "characters");
            return;
        }
        made.channel = values_.text(*channel, "the name of a channel").value_or("");
        if (context_.settings && !made.channel.empty() &&
            !std::ranges::count(channels_, made.channel))
            mistakes_.add(channel->at, "no channel " + quoted(made.channel) + '.' +
                                           did_you_mean(made.channel, channels_) +
                                           " Configured in sojourn.yaml: " + listed(channels_));
    }

    void read_recommend(const YamlNode& node) {
        const MapReader reader{node, section_of("recommend"), mistakes_};
        auto& rules = loaded_.recommend;
        const auto add = [&](const YamlNode& rule) {
            if (auto read = condition(rule, Scope::product)) rules.when.push_back(std::move(*read));
        };
        if (const auto* when = reader.find("when")) {
            if (when->is_list())
                std::ranges::for_each(when->items, add);
            else
                add(*when);
            if (rules.when.size() > recommend_rules_max)
                mistakes_.add(when->at,
                              "more than " + std::to_string(recommend_rules_max) + " rules");
        }
        if (const auto* most = reader.find("per_category"))
            if (const auto read = values_.integer(*most, 1, 50))
                rules.per_category = static_cast<std::size_t>(*read);
    }

    std::optional<Expression> condition(const YamlNode& node, Scope scope) {
        if (!node.is_text()) {
            mistakes_.add(node.at, "expected a condition; one that begins with [ or { must be "
                                   "quoted whole");
            return std::nullopt;
        }
        auto compiled = cel::compile(node.text, environment(scope), cel::Expect::boolean);
        for (auto& issue : compiled.issues)
            mistakes_.add(document_.place_in(node, issue.offset), std::move(issue.message));
        if (compiled.program == nullptr || !compiled.issues.empty()) {
            if (compiled.issues.empty()) mistakes_.add(node.at, "this is no expression");
            return std::nullopt;
        }
        for (const auto& call : compiled.program->calls())
            if (call.function == "recommend")
                mistakes_.add(document_.place_in(node, call.offset),
                              "recommend may stand under data only");
        if (scope == Scope::product) check_product(node, *compiled.program);
        return Expression{std::move(compiled.program), node.at.line};
    }

    /// What a product has not is null, and a rule about it would hold for none or for all.
    void check_product(const YamlNode& node, const cel::Program& program) {
        static const std::vector<std::string> known{"id", "name", "category", "price", "in_stock"};
        for (const auto& path : program.paths()) {
            if (path.segments.size() < 2 || path.segments[0] != "product") continue;
            if (std::ranges::find(known, path.segments[1]) == known.end())
                mistakes_.add(document_.place_in(node, path.offset),
                              "product has no " + quoted(path.segments[1]) + '.' +
                                  did_you_mean(path.segments[1], known) +
                                  " A rule of recommendations sees: " + listed(known));
        }
    }

    void share(const MapReader& reader, std::string_view key, double& value) {
        if (const auto* node = reader.find(key)) value = values_.share(*node).value_or(value);
    }

    void window(const MapReader& reader, Duration& value) {
        if (const auto* per = reader.require("per", "a window such as 30d"))
            if (const auto read = values_.duration(*per)) {
                value = *read;
                if (value <= Duration::zero())
                    mistakes_.add(per->at, "in a window of 0s nothing is ever counted, so nothing "
                                           "would be held back");
                if (value > decisions_kept)
                    mistakes_.add(per->at, "decisions are remembered for 400 days, and no longer");
            }
    }

    Mistakes mistakes_;
    YamlDocument document_;
    ValueReader values_{mistakes_};
    const LoadContext& context_;
    std::vector<std::string> channels_; ///< Those configured.
    ActionsFile loaded_;
    std::set<std::string> ids_;
};

} // namespace

const std::vector<Section>& actions_sections() {
    static const std::vector<Section> sections{
        {"actions file",
         "a file of actions",
         {"margin", "discount_of_margin", "would_buy_anyway", "discount_budget", "floor", "holdout",
          "reward", "within", "recommend", "actions"}},
        {"recommend", "the rules of recommendations", {"when", "per_category"}},
        {"discount budget", "a discount budget", {"amount", "per"}},
        {"action",
         "an action",
         {"id", "when", "channel", "surface", "value", "cost", "discount", "cap", "prior", "reward",
          "within", "steps"}},
        {"cap", "a cap", {"max", "per"}},
        {"prior", "a prior", {"rate", "weight"}},
    };
    return sections;
}

ActionsFile load_actions(const std::string& file, std::string_view text,
                         const LoadContext& context) {
    auto loaded = ActionsReader{file, text, context}.read();
    auto steps = load_action_steps(file, text, context);
    loaded.steps = std::move(steps.steps);
    loaded.mistakes.insert(loaded.mistakes.end(), std::make_move_iterator(steps.mistakes.begin()),
                           std::make_move_iterator(steps.mistakes.end()));
    std::ranges::stable_sort(loaded.mistakes, {}, [](const Mistake& mistake) {
        return std::pair{mistake.line, mistake.column};
    });
    std::erase_if(loaded.actions, [&](const OfferedAction& offered) {
        return std::ranges::count(steps.wrong, offered.action.id) > 0;
    });
    for (const auto& offered : loaded.actions) loaded.steps[offered.action.id];
    return loaded;
}

} // namespace schema
