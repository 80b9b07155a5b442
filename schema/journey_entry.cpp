#include "schema/event_names.hpp"
#include "schema/journey_reader.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

void JourneyReader::check_event(std::string_view name, Place at) {
    if (auto mistake = mistake_in_event_name(name, context_.events); !mistake.empty())
        mistakes_.add(at, std::move(mistake));
}

std::vector<std::string>
JourneyReader::event_names(const YamlNode& node,
                           std::vector<std::pair<std::string, Place>>* places) {
    std::vector<std::string> names;
    for (auto& [name, at] : values_.texts(node, "the name of an event")) {
        check_event(name, at);
        if (std::find(names.begin(), names.end(), name) != names.end())
            mistakes_.add(at, quoted(name) + " is named twice");
        names.push_back(name);
        if (places != nullptr) places->emplace_back(std::move(name), at);
    }
    return names;
}

void JourneyReader::read_bound(const YamlNode& node, std::optional<Timestamp>& bound) {
    if (bound) mistakes_.add(node.at, "given twice: stands beside status and under enter");
    if (node.is_text()) bound = parse_producer_time(node.text);
    if (!bound)
        mistakes_.add(node.at,
                      "expected a date or a time such as 2026-11-27 or 2026-11-27T08:00:00Z");
}

void JourneyReader::warn_of_past(const YamlNode* until) {
    const auto& bound = journey_->enter.until;
    const bool is_over = journey_->status == Status::closed || journey_->status == Status::archived;
    if (until == nullptr || !bound || !context_.now || *bound > *context_.now || is_over) return;
    mistakes_.warn(until->at, timestamp_text(*bound) + " is over, so nobody is let in. Where that "
                                                       "is meant say status: closed");
}

void JourneyReader::warn_of_share(const YamlNode* node, double share, double of_nobody,
                                  std::string_view what) {
    if (node != nullptr && share == of_nobody)
        mistakes_.warn(node->at, std::string{node->text} + ": " + std::string{what});
}

void JourneyReader::read_enter(const YamlNode& node) {
    const auto enter = section(node, "enter");
    if (!enter.is_map()) return;
    auto& entry = journey_->enter;
    if (const auto* risk = enter.find("on_churn_risk")) {
        entry.on_churn_risk = values_.number(*risk, 0.001, 0.999).value_or(0.5);
        if (!context_.models_loaded)
            mistakes_.warn(risk->at, "no model is loaded, so nobody is let in: see sojourn fit");
    }
    if (const auto* becomes = enter.find("becomes"))
        entry.becomes = condition(*becomes, Scope::entry);
    int way_count = 0;
    for (const auto* way : {"on", "becomes", "date", "audience", "on_churn_risk"})
        if (enter.has(way) && ++way_count == 2)
            mistakes_.add(enter.find(way)->at,
                          "a journey has one way in: on, becomes, date, audience or on_churn_risk");
    read_date_entry(enter);
    read_audience_entry(enter);
    if (const auto* on =
            way_count == 0 ? enter.require("on", "the events that open a run") : enter.find("on"))
        entry.on = event_names(*on);
    read_interested(enter);
    applied_ = &entry.on;
    if (const auto* each = enter.find("each")) {
        entry.each = expression(*each, Scope::entry, cel::Expect::list);
        if (entry.each) check_is_list(*each, *entry.each->program);
        if (!enter.has("key"))
            mistakes_.add(each->at, "each needs a key that tells its runs apart, e.g. key: "
                                    "run.item.product_id");
    }
    if (const auto* when = enter.find("when")) entry.when = conditions(*when, Scope::entry);
    if (const auto* key = enter.find("key"))
        if (auto expression_of_key =
                expression(*key, entry.each ? Scope::event : Scope::entry, cel::Expect::string)) {
            for (const auto& path : expression_of_key->program->paths()) {
                if (path.segments.size() == 2 && path.segments[0] == "cart" &&
                    path.segments[1] == "id")
                    entry.key_is_cart = true;
                if (path.segments[0] == "run" &&
                    (path.segments.size() < 2 || path.segments[1] != "item"))
                    mistakes_.add(document_.place_in(*key, path.offset),
                                  "there is no run yet where a journey is entered; with each, "
                                  "run.item is the element");
            }
            check_key_of_each(*key, *expression_of_key->program);
            entry.key = std::move(expression_of_key);
        }
    applied_ = nullptr;
    const auto* reentry = enter.find("reentry");
    if (reentry == nullptr || reentry->is_empty()) {
        // A date, and an instant of an audience, come once each time by themselves.
        if (!enter.has("date") && !enter.has("audience"))
            mistakes_.add(
                node.at, "reentry is missing. Write one of: always, never, after 7d (of this key), "
                         "{ after: 7d, per: customer }");
    } else if (const auto rule = read_reentry(*reentry)) {
        entry.reentry = *rule;
        if (entry.key_is_cart && rule->kind == Reentry::Kind::after && !rule->per_customer) {
            std::string after =
                reentry->is_text() ? reentry->text.substr(6) : reentry->find("after")->text;
            mistakes_.warn(reentry->at, "this key is new for each cart, so " + after +
                                            " holds hardly anybody back. Per person: { after: " +
                                            after + ", per: customer }");
        }
    }
}

/// The type checker knows no more of a property than that there may be one.
void JourneyReader::check_is_list(const YamlNode& node, const cel::Program& program) {
    if (!program.type().is_dyn() || program.paths().size() != 1 || !program.calls().empty()) return;
    const auto& path = program.paths()[0];
    const auto type = known_type(path.segments);
    if (!type.is_dyn() && !type.is(cel::Kind::list))
        refuse(document_.place_in(node, path.offset),
               "a list is needed here; " + path.segments.back() + " is " + type.text());
}

/// With `each` a key that looks at no element is the same for all of them.
void JourneyReader::check_key_of_each(const YamlNode& node, const cel::Program& program) {
    if (!journey_->enter.each) return;
    const bool tells_apart = std::ranges::any_of(program.paths(), [](const cel::Path& path) {
        return path.segments[0] == "run"; // Anything but run.item is a mistake of its own.
    });
    if (!tells_apart)
        refuse(node.at, "all elements of each share this key, so only the first would open a run. "
                        "A key that tells them apart reads run.item, e.g. run.item.product_id");
}

std::optional<Reentry> JourneyReader::read_reentry(const YamlNode& node) {
    Reentry rule;
    if (node.is_map()) {
        const auto reader = section(node, "reentry");
        const auto* after = reader.require("after", "how long after the last run: 7d");
        if (const auto* per = reader.find("per"))
            rule.per_customer =
                values_.one_of<bool>(*per, {{"customer", true}, {"key", false}}).value_or(false);
        if (after == nullptr) return std::nullopt;
        const auto duration = values_.duration(*after);
        if (!duration) return std::nullopt;
        rule.kind = Reentry::Kind::after;
        rule.after = *duration;
        return rule;
    }
    if (node.is_text()) {
        if (node.text == "always") return rule;
        if (node.text == "never") {
            rule.kind = Reentry::Kind::never;
            return rule;
        }
        if (node.text.starts_with("after "))
            if (const auto duration = parse_duration(std::string_view{node.text}.substr(6))) {
                rule.kind = Reentry::Kind::after;
                rule.after = *duration;
                return rule;
            }
    }
    mistakes_.add(node.at, "expected one of: always, never, after 7d (of this key), { after: 7d, "
                           "per: customer }; found " +
                               (node.is_text() ? quoted(node.text) : "something else"));
    return std::nullopt;
}

void JourneyReader::read_exits(const YamlNode& node) {
    if (!node.is_list() && !node.is_map()) {
        mistakes_.add(node.at, "exit is a list of rules, each with on and/or when, and a reason");
        return;
    }
    const auto read_rule = [&](const YamlNode& item) {
        const auto reader = section(item, "exit rule");
        if (!reader.is_map()) return;
        ExitRule rule;
        rule.line = item.at.line;
        rule.reason = "exit";
        if (!reader.has("on") && !reader.has("when"))
            mistakes_.add(item.at,
                          "an exit rule needs on, the events that end a run, or when, a condition");
        if (const auto* on = reader.find("on")) rule.on = event_names(*on);
        applied_ = &rule.on;
        if (const auto* when = reader.find("when")) {
            rule.when = conditions(*when, Scope::event);
            if (rule.on.empty() && !rule.when.empty() &&
                std::ranges::all_of(rule.when, [](const Expression& condition) {
                    return constant_value(*condition.program) == true;
                }))
                refuse(when->at, "this always holds, so it ends every run at the next event");
        }
        applied_ = nullptr;
        if (const auto* reason = reader.find("reason"))
            rule.reason = read_name(*reason, "a reason");
        journey_->exits.push_back(std::move(rule));
    };
    if (node.is_map()) read_rule(node);
    for (const auto& item : node.items) read_rule(item);
}

Duration JourneyReader::longer_than_nothing(const YamlNode& node, std::string_view otherwise) {
    const auto duration = values_.duration(node);
    if (duration && *duration <= Duration{})
        refuse(node.at, node.text + " is no time at all: " + std::string{otherwise});
    return duration.value_or(Duration{});
}

void JourneyReader::read_goal(const YamlNode& node) {
    const auto reader = section(node, "goal");
    if (!reader.is_map()) return;
    Goal goal;
    if (!reader.has("on") && !reader.has("when"))
        mistakes_.add(node.at, "a goal needs on, the events that reach it, or when, a condition");
    if (const auto* on = reader.find("on")) goal.on = event_names(*on);
    applied_ = &goal.on;
    if (const auto* when = reader.find("when")) goal.when = conditions(*when, Scope::event);
    if (const auto* within =
            reader.require("within", "how long after the send it still counts: 5d"))
        goal.within = longer_than_nothing(*within, "no goal would ever be counted");
    if (const auto* value = reader.find("value"))
        goal.value = expression(*value, Scope::event, cel::Expect::any);
    applied_ = nullptr;
    journey_->goals.push_back(std::move(goal));
}

} // namespace schema
