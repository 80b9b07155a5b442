#include "schema/journey_reader.hpp"

#include "journeys/local_time.hpp"

#include <algorithm>
#include <cmath>

namespace schema {

using namespace journeys;

namespace {

bool is_name(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || text.size() > 64 || !is_letter(text[0])) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

} // namespace

std::string JourneyReader::read_name(const YamlNode& node, std::string_view what) {
    const auto text = values_.text(node, what);
    if (!text) return {};
    if (!is_name(*text))
        mistakes_.add(node.at,
                      quoted(*text) + " is not " + std::string{what} +
                          ": begin with a letter, then letters, digits, - and _, at most 64");
    return *text;
}

std::size_t JourneyReader::read_steps(const YamlNode& node, const std::string& prefix,
                                      StepIndex parent) {
    const auto list = lists_.size();
    lists_.push_back({parent, {}});
    if (!node.is_list()) {
        if (!node.is_empty())
            mistakes_.add(node.at, "expected a list of steps, each beginning with \"- \"");
        return list;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i)
        read_step(node.items[i], prefix + std::to_string(i + 1), list);
    return list;
}

void JourneyReader::read_step(const YamlNode& node, const std::string& path, std::size_t list) {
    auto& steps = journey_->steps;
    if (steps.size() >= steps_max) {
        if (steps.size() == steps_max)
            mistakes_.add(node.at,
                          "more than " + std::to_string(steps_max) + " steps in one journey");
        return;
    }
    const auto reader = section(node, "step");
    if (!reader.is_map()) return;

    const auto index = static_cast<StepIndex>(steps.size());
    lists_[list].steps.push_back(index);
    steps.emplace_back();
    steps.back().path = path;
    steps.back().line = node.at.line;
    steps.back().action = ExitStep{}; // Until it is read.
    step_places_.push_back(node.at);
    block_prefixes_.push_back(path + '.');
    if (const auto* name = reader.find("name")) {
        const auto text = read_name(*name, "a step's name");
        if (!text.empty()) {
            if (!names_.insert(text).second)
                mistakes_.add(name->at, "a second step with the name " + quoted(text) +
                                            "; names are unique in a file");
            steps[index].path = text;
            steps[index].named = true;
        }
    }

    std::vector<std::string> kinds;
    for (const auto& key : journey_section("step").keys)
        if (key != "name" && reader.has(key)) kinds.push_back(key);
    if (kinds.empty()) {
        mistakes_.add(node.at, "this step does nothing. It needs one of: wait, send, branch, "
                               "split, decide, update, call, exit");
        return;
    }
    if (kinds.size() > 1)
        mistakes_.add(node.at, "a step does one thing, and this one has " + kinds[0] + " and " +
                                   kinds[1] + ". Begin a new step with \"- \" for each");
    if ((kinds[0] == "send" || kinds[0] == "split" || kinds[0] == "decide") && !steps[index].named)
        mistakes_.warn(node.at,
                       "a " + kinds[0] +
                           " without a name. Reports, diffs and running customers know a step "
                           "by it; without one by its number, " +
                           path);
    const auto& body = *reader.find(kinds[0]);
    if (kinds[0] == "wait")
        read_wait(body, index);
    else if (kinds[0] == "send")
        read_send(body, index);
    else if (kinds[0] == "branch")
        read_branch(body, index);
    else if (kinds[0] == "split")
        read_split(body, index);
    else if (kinds[0] == "update")
        read_update(body, index);
    else if (kinds[0] == "call")
        read_call(body, index);
    else if (kinds[0] == "exit")
        read_exit(body, index);
    else if (kinds[0] == "decide")
        read_decide(body, index);
}

/// The steps of an arm, a variant, `then` or `timeout`.
void JourneyReader::read_block(const YamlNode& node, const std::string& label, StepIndex step,
                               std::size_t index) {
    const auto list = read_steps(node, block_prefixes_[step] + label + '.', step);
    blocks_.push_back({step, index, list});
}

ZoneChoice JourneyReader::read_zone(const YamlNode* node) {
    ZoneChoice zone;
    if (node == nullptr) return zone;
    const auto name =
        values_.text(*node, "customer, or a zone such as Europe/Berlin").value_or("customer");
    if (name == "customer") return zone;
    if (!is_known_zone(name))
        mistakes_.add(node->at, "no time zone " + quoted(name) +
                                    ". Write customer, or an IANA name such as Europe/Berlin");
    return {false, name};
}

void JourneyReader::read_wait(const YamlNode& node, StepIndex step) {
    const auto wait = section(node, "wait");
    if (!wait.is_map()) return;
    std::vector<std::string> forms;
    for (const std::string form :
         {"for", "until", "for_event", "for_condition", "until_churn_risk"})
        if (wait.has(form)) forms.push_back(form);
    if (forms.empty()) {
        mistakes_.add(
            node.at,
            "a wait without an end. It needs one of: for, until, for_event, for_condition, "
            "until_churn_risk");
        return;
    }
    if (forms.size() > 1)
        mistakes_.add(node.at,
                      "a wait has one form, and this one has " + forms[0] + " and " + forms[1]);
    const auto& form = forms[0];
    const bool is_event = form == "for_event", is_condition = form == "for_condition";
    const auto refuse = [&](std::string_view key, std::string_view belongs_to) {
        if (const auto* found = wait.find(key))
            mistakes_.add(found->at, quoted(key) + " has no meaning beside " + quoted(form) +
                                         "; it belongs to " + std::string{belongs_to});
    };
    if (form != "for") refuse("restart_on", "for");
    if (!is_event) refuse("when", "for_event");
    if (!is_event && !is_condition) {
        refuse("then", "for_event and for_condition");
        refuse("timeout", "for_event and for_condition");
    }
    if (form == "until") refuse("at_most", "for, for_event and for_condition");

    std::optional<Duration> at_most;
    if (const auto* limit = wait.find("at_most")) at_most = values_.duration(*limit);

    if (form == "for") {
        WaitFor made;
        const auto& body = *wait.find("for");
        made.duration = values_.duration(body).value_or(Duration{});
        if (const auto* restart = wait.find("restart_on")) made.restart_on = event_names(*restart);
        made.at_most = at_most;
        if (wait.has("at_most") && made.restart_on.empty())
            mistakes_.add(wait.find("at_most")->at,
                          "at_most caps restarts, and there is no restart_on");
        else if (at_most && *at_most < made.duration)
            mistakes_.add(wait.find("at_most")->at,
                          "at_most is shorter than the wait itself, for: " + body.text);
        journey_->steps[step].action = std::move(made);
    } else if (form == "until") {
        read_until(*wait.find("until"), step);
    } else if (is_event) {
        WaitForEvent made;
        EventWait place{step, {}};
        made.events = event_names(*wait.find("for_event"), &place.events);
        applied_ = &made.events;
        if (const auto* when = wait.find("when")) made.when = condition(*when, Scope::event);
        applied_ = nullptr;
        made.at_most = at_most;
        journey_->steps[step].action = std::move(made);
        event_waits_.push_back(std::move(place));
    } else if (is_condition) {
        WaitForCondition made;
        const auto& body = *wait.find("for_condition");
        if (auto found = condition(body, Scope::step)) {
            check_only_time_changes(body, *found->program);
            made.condition = std::move(*found);
        }
        made.at_most = at_most;
        journey_->steps[step].action = std::move(made);
    }
    if (form == "until_churn_risk") {
        WaitUntilRisk made;
        made.risk = values_.number(*wait.find("until_churn_risk"), 0.001, 0.999).value_or(0.5);
        made.at_most = at_most;
        if (!context_.models_loaded)
            mistakes_.warn(node.at,
                           "no model is loaded, so only at_most or an exit ends this wait");
        journey_->steps[step].action = std::move(made);
    }
    if (is_event || is_condition) {
        if (!wait.has("at_most"))
            mistakes_.add(
                node.at,
                "a wait without an end: add at_most, the longest it may last, and timeout: for "
                "what happens then");
        if (const auto* then = wait.find("then")) read_block(*then, "then", step, 0);
        if (const auto* timeout = wait.find("timeout")) read_block(*timeout, "timeout", step, 1);
    }
}

void JourneyReader::read_until(const YamlNode& node, StepIndex step) {
    const auto until = section(node, "until");
    if (!until.is_map()) return;
    const auto* time = until.find("time");
    const auto* date = until.find("date");
    std::optional<std::chrono::minutes> of_day;
    if (time != nullptr) of_day = values_.time_of_day(*time);
    const auto zone = read_zone(until.find("timezone"));
    if (date == nullptr) {
        for (const auto* key : {"offset", "past"})
            if (const auto* found = until.find(key))
                mistakes_.add(found->at, quoted(key) + " has a meaning only beside date");
        if (time == nullptr)
            mistakes_.add(node.at,
                          "until needs time: \"09:00\", or date: an expression that gives one");
        WaitUntilTime made;
        made.time = of_day.value_or(std::chrono::minutes{});
        if (const auto* weekdays = until.find("weekdays"))
            made.weekdays = values_.weekdays(*weekdays).value_or(std::uint8_t{0x7f});
        made.zone = zone;
        journey_->steps[step].action = std::move(made);
        return;
    }
    if (const auto* weekdays = until.find("weekdays"))
        mistakes_.add(weekdays->at, "weekdays has no meaning beside date");
    if (until.has("timezone") && time == nullptr)
        mistakes_.add(until.find("timezone")->at, "timezone has a meaning only beside time");
    WaitUntilDate made;
    if (auto found = expression(*date, Scope::step, cel::Expect::timestamp)) {
        check_only_time_changes(*date, *found->program);
        made.date = std::move(*found);
    }
    if (const auto* offset = until.find("offset"))
        made.offset = values_.duration(*offset, true).value_or(Duration{});
    made.time = of_day;
    made.zone = zone;
    if (const auto* past = until.find("past"))
        made.past = values_
                        .one_of<WaitUntilDate::Past>(*past, {{"exit", WaitUntilDate::Past::exit},
                                                             {"go_on", WaitUntilDate::Past::go_on},
                                                             {"skip", WaitUntilDate::Past::skip}})
                        .value_or(WaitUntilDate::Past::exit);
    journey_->steps[step].action = std::move(made);
}

std::string JourneyReader::read_channel(const YamlNode* node) {
    if (node == nullptr) return {};
    const auto name = values_.text(*node, "the name of a channel").value_or("");
    if (!name.empty() && context_.settings != nullptr &&
        context_.settings->channel(name) == nullptr) {
        std::vector<std::string> known;
        for (const auto& channel : context_.settings->channels) known.push_back(channel.name);
        mistakes_.add(node->at, "no channel " + quoted(name) + '.' + did_you_mean(name, known) +
                                    " Configured in sojourn.yaml: " + listed(known));
    }
    return name;
}

std::string JourneyReader::read_topic(const YamlNode* node) {
    if (node == nullptr) return {};
    const auto name = values_.text(*node, "the name of a topic").value_or("");
    if (name.empty() || context_.settings == nullptr) return name;
    const auto& known = context_.settings->topics;
    // Settings that declare none leave topics free, so that an empty file runs.
    if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end())
        mistakes_.add(node->at, "no topic " + quoted(name) + '.' + did_you_mean(name, known) +
                                    " Configured in sojourn.yaml: " + listed(known));
    return name;
}

/// The pool whose codes a message gives away.
std::string JourneyReader::read_pool(const YamlNode& node) {
    const auto name = values_.text(node, "the name of a pool of codes").value_or("");
    if (name.empty() || !context_.coupons || context_.coupons->contains(name)) return name;
    const std::vector<std::string> known(context_.coupons->begin(), context_.coupons->end());
    mistakes_.add(node.at, "no pool " + quoted(name) + '.' + did_you_mean(name, known) +
                               " Pools stand in config/coupons.yaml: " + listed(known));
    return name;
}

void JourneyReader::read_send(const YamlNode& node, StepIndex step) {
    const auto reader = section(node, "send");
    if (!reader.is_map()) return;
    Send send;
    SendPlace place{step, node.at, {}, {}};
    if (const auto* purpose = reader.find("purpose"))
        send.purpose = values_
                           .one_of<Purpose>(*purpose, {{"marketing", Purpose::marketing},
                                                       {"transactional", Purpose::transactional}})
                           .value_or(Purpose::marketing);
    send.channel = read_channel(reader.require("channel", "a channel of sojourn.yaml"));
    if (const auto* name = reader.require("template", "the name of the message's template")) {
        send.template_name = values_.text(*name, "the name of a template").value_or("");
        place.template_at = name->at;
    }
    if (send.purpose == Purpose::marketing)
        send.topic = read_topic(
            reader.require("topic", "the subscription topic that consent is checked against"));
    else
        send.topic = read_topic(reader.find("topic"));
    const auto* coupon = reader.find("coupon");
    if (coupon != nullptr) send.coupon = read_pool(*coupon);
    read_content(reader, send);
    const auto* data = reader.find("data");
    if (data == nullptr || data->is_empty() || (data->is_map() && !data->in_brackets)) {
        place.given.emplace();
        if (data != nullptr)
            for (const auto& [name, value] : data->entries) place.given->push_back(name.text);
    }
    if (coupon != nullptr && !send.coupon.empty() && !reads_code_)
        mistakes_.add(coupon->at, "a code is given and does not reach the message. Write under "
                                  "data: code: coupon.code");
    if (const auto* from = reader.find("from"))
        send.from = values_.text(*from, "a sender").value_or("");
    if (const auto* delivery = reader.find("delivery"))
        send.delivery =
            values_
                .one_of<Delivery>(*delivery, {{"at_most_once", Delivery::at_most_once},
                                              {"at_least_once", Delivery::at_least_once}})
                .value_or(Delivery::at_most_once);
    if (const auto* quiet = reader.find("quiet_hours"))
        send.quiet_hours = values_
                               .one_of<OnQuietHours>(*quiet, {{"defer", OnQuietHours::defer},
                                                              {"ignore", OnQuietHours::ignore},
                                                              {"drop", OnQuietHours::drop}})
                               .value_or(OnQuietHours::defer);
    if (const auto* capped = reader.find("capped"))
        send.capped = values_
                          .one_of<OnCap>(*capped, {{"drop", OnCap::drop},
                                                   {"defer", OnCap::defer},
                                                   {"ignore", OnCap::ignore}})
                          .value_or(OnCap::drop);
    if (const auto* at = reader.find("at"))
        send.at_best_hour = values_.one_of<bool>(*at, {{"best_hour", true}}).value_or(false);
    if (const auto* expires = reader.find("expires")) {
        send.expires = values_.duration(*expires).value_or(send.expires);
        place.expires_at = expires->at;
    }
    journey_->steps[step].action = std::move(send);
    sends_.push_back(place);
}

/// What a message is made of, and whether it leaves.
void JourneyReader::read_content(const MapReader& reader, Send& send) {
    at_hand_over_ = true;
    gives_coupon_ = reader.has("coupon");
    reads_code_ = false;
    if (const auto* data = reader.find("data"); data != nullptr && !data->is_empty())
        send.data = expressions_by_name(*data, "data");
    gives_coupon_ = false;
    if (const auto* when = reader.find("when")) send.when = condition(*when, Scope::step);
    at_hand_over_ = false;
    if (send.when)
        send.is_checked_late =
            std::ranges::any_of(send.when->program->calls(),
                                [](const cel::Call& call) { return call.function == "product"; });
}

void JourneyReader::read_call(const YamlNode& node, StepIndex step) {
    const auto reader = section(node, "call");
    if (!reader.is_map()) return;
    Send send;
    send.is_call = true;
    send.quiet_hours = OnQuietHours::ignore;
    send.capped = OnCap::ignore;
    send.channel = read_channel(reader.require("channel", "a channel of sojourn.yaml"));
    read_content(reader, send);
    if (const auto* delivery = reader.find("delivery"))
        send.delivery =
            values_
                .one_of<Delivery>(*delivery, {{"at_most_once", Delivery::at_most_once},
                                              {"at_least_once", Delivery::at_least_once}})
                .value_or(Delivery::at_most_once);
    if (const auto* expires = reader.find("expires"))
        send.expires = values_.duration(*expires).value_or(send.expires);
    journey_->steps[step].action = std::move(send);
}

void JourneyReader::read_branch(const YamlNode& node, StepIndex step) {
    if (!node.is_list() || node.items.empty()) {
        mistakes_.add(
            node.at,
            "a branch is a list of { when, steps } and at most one { otherwise: [steps] }");
        return;
    }
    Branch made;
    std::vector<std::pair<const YamlNode*, std::string>> bodies;
    bool has_otherwise = false;
    for (const auto& item : node.items) {
        const auto arm = section(item, "branch arm");
        if (!arm.is_map()) continue;
        if (has_otherwise)
            mistakes_.add(item.at, "this arm can never be reached: otherwise takes everything "
                                   "before it. Write it last");
        if (const auto* otherwise = arm.find("otherwise")) {
            if (arm.has("when") || arm.has("steps"))
                mistakes_.add(item.at, "otherwise holds its steps itself, without when and steps");
            has_otherwise = true;
            made.arms.emplace_back();
            bodies.emplace_back(otherwise, "otherwise");
            continue;
        }
        Branch::Arm one;
        if (const auto* when =
                arm.require("when", "the condition of this arm; or write otherwise: [steps]"))
            one.when = condition(*when, Scope::step);
        const auto* steps = arm.find("steps");
        if (steps == nullptr) mistakes_.add(item.at, "this arm has no steps");
        bodies.emplace_back(steps, "when" + std::to_string(made.arms.size()));
        made.arms.push_back(std::move(one));
    }
    journey_->steps[step].action = std::move(made);
    for (std::size_t i = 0; i < bodies.size(); ++i)
        if (bodies[i].first != nullptr) read_block(*bodies[i].first, bodies[i].second, step, i);
}

void JourneyReader::read_split(const YamlNode& node, StepIndex step) {
    const auto reader = section(node, "split");
    const auto* variants = reader.require("variants", "at least two, each with a weight");
    if (variants == nullptr) return;
    if (!variants->is_map() || variants->entries.size() < 2) {
        mistakes_.add(variants->at,
                      "a split needs at least two variants: {A: {weight: 50, steps: []}, B: …}");
        return;
    }
    Split made;
    double sum = 0;
    bool all_read = true;
    std::vector<const YamlNode*> bodies;
    for (const auto& [name, body] : variants->entries) {
        Split::Variant one;
        one.name = name.text;
        const bool is_plain =
            !name.text.empty() && std::all_of(name.text.begin(), name.text.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
            });
        if (!is_plain || name.text.size() > 64)
            mistakes_.add(name.at,
                          quoted(name.text) + " is no variant's name: letters, digits, - and _");
        const auto variant = section(body, "variant");
        if (const auto* weight = variant.require("weight", "its share in percent")) {
            const auto share = weight->is_text() ? parse_percentage(weight->text) : std::nullopt;
            const auto number =
                share ? std::optional{*share * 100} : values_.number(*weight, 0, 100);
            all_read = all_read && number.has_value();
            one.weight = number.value_or(0);
            sum += one.weight;
        } else {
            all_read = false;
        }
        bodies.push_back(variant.is_map() ? variant.find("steps") : nullptr);
        made.variants.push_back(std::move(one));
    }
    if (all_read && std::abs(sum - 100) > 1e-6) {
        auto text = std::to_string(sum);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
        mistakes_.add(variants->at, "the weights add up to " + text + ", not to 100");
    }
    auto names = made.variants;
    journey_->steps[step].action = std::move(made);
    for (std::size_t i = 0; i < bodies.size(); ++i)
        if (bodies[i] != nullptr) read_block(*bodies[i], names[i].name, step, i);
}

void JourneyReader::read_update(const YamlNode& node, StepIndex step) {
    if (node.is_map() && node.find("subscribe") != nullptr)
        mistakes_.add(node.find("subscribe")->at, "a journey never subscribes anybody");
    const auto reader = section(node, "update");
    if (!reader.is_map()) return;
    Update made;
    if (!reader.has("set") && !reader.has("unsubscribe"))
        mistakes_.add(node.at,
                      "an update needs set: {trait: expression}, or unsubscribe: {channel, topic}");
    if (const auto* set = reader.find("set")) made.set = expressions_by_name(*set, "set");
    if (const auto* unsubscribe = reader.find("unsubscribe")) {
        const auto inner = section(*unsubscribe, "unsubscribe");
        if (inner.is_map()) {
            Update::Unsubscribe from;
            from.channel = read_channel(inner.require("channel", "the channel to leave"));
            from.topic = read_topic(inner.find("topic"));
            made.unsubscribe = std::move(from);
        }
    }
    journey_->steps[step].action = std::move(made);
}

void JourneyReader::read_exit(const YamlNode& node, StepIndex step) {
    if (node.is_text()) {
        mistakes_.add(node.at, "write exit: { reason: " + node.text + " }");
        return;
    }
    ExitStep made{"exit"};
    if (!node.is_empty()) {
        const auto reader = section(node, "exit step");
        if (const auto* reason = reader.find("reason"))
            made.reason = read_name(*reason, "a reason");
    }
    journey_->steps[step].action = std::move(made);
}

/// Where a run goes after each step. Blocks come after the step they belong to, so one pass does.
void JourneyReader::link_steps() {
    auto& steps = journey_->steps;
    const auto after = [&](const StepList& list) {
        return list.parent == end_of_run ? end_of_run : steps[list.parent].next;
    };
    for (const auto& list : lists_)
        for (std::size_t i = 0; i < list.steps.size(); ++i)
            steps[list.steps[i]].next = i + 1 < list.steps.size() ? list.steps[i + 1] : after(list);
    if (!lists_.empty() && !lists_[0].steps.empty()) journey_->first = lists_[0].steps[0];

    // What has no block goes on at once.
    for (auto& step : steps) {
        if (auto* wait = std::get_if<WaitForEvent>(&step.action))
            wait->then = wait->timeout = step.next;
        if (auto* wait = std::get_if<WaitForCondition>(&step.action))
            wait->then = wait->timeout = step.next;
        if (auto* branch = std::get_if<Branch>(&step.action))
            for (auto& arm : branch->arms) arm.first = step.next;
        if (auto* split = std::get_if<Split>(&step.action))
            for (auto& variant : split->variants) variant.first = step.next;
    }
    for (const auto& block : blocks_) {
        const auto& list = lists_[block.list];
        const auto first = list.steps.empty() ? after(list) : list.steps[0];
        auto& action = steps[block.step].action;
        if (auto* wait = std::get_if<WaitForEvent>(&action))
            (block.index == 0 ? wait->then : wait->timeout) = first;
        if (auto* wait = std::get_if<WaitForCondition>(&action))
            (block.index == 0 ? wait->then : wait->timeout) = first;
        if (auto* branch = std::get_if<Branch>(&action)) branch->arms[block.index].first = first;
        if (auto* split = std::get_if<Split>(&action)) split->variants[block.index].first = first;
    }
    // `past: skip` also skips the steps up to the next wait of the same list.
    for (const auto& list : lists_)
        for (std::size_t i = 0; i < list.steps.size(); ++i) {
            auto* date = std::get_if<WaitUntilDate>(&steps[list.steps[i]].action);
            if (date == nullptr) continue;
            date->after_skip = after(list);
            for (std::size_t k = i + 1; k < list.steps.size(); ++k) {
                const auto& action = steps[list.steps[k]].action;
                if (std::holds_alternative<WaitFor>(action) ||
                    std::holds_alternative<WaitUntilTime>(action) ||
                    std::holds_alternative<WaitUntilDate>(action) ||
                    std::holds_alternative<WaitForEvent>(action) ||
                    std::holds_alternative<WaitForCondition>(action)) {
                    date->after_skip = list.steps[k];
                    break;
                }
            }
        }
}

} // namespace schema
