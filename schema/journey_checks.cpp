#include "schema/journey_reader.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

namespace {

/// `{{names}}` that every message has.
const std::set<std::string, std::less<>> always_there{"preferences_url", "unsubscribe_url",
                                                      "confirm_url", "money", "date"};

/// The line of the first `{{name}}` in a template; 0 where it is not to be found.
unsigned line_of_name(std::string_view text, std::string_view name) {
    for (auto at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
        auto start = text.find_first_not_of("{#^/& \t", at);
        if (start == std::string_view::npos || !text.substr(start).starts_with(name)) continue;
        const auto end = start + name.size();
        if (end < text.size() && text[end] != '}' && text[end] != ' ' && text[end] != '.') continue;
        return 1 + static_cast<unsigned>(std::count(
                       text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    }
    return 0;
}

std::string span_text(std::chrono::minutes span) {
    const auto hours = span.count() / 60, minutes = span.count() % 60;
    return (hours > 0 ? std::to_string(hours) + 'h' : std::string{}) +
           (minutes > 0 || hours == 0 ? std::to_string(minutes) + 'm' : std::string{});
}

std::string clock_text(std::chrono::minutes of_day) {
    const auto two = [](std::int64_t number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    return two(of_day.count() / 60) + ':' + two(of_day.count() % 60);
}

} // namespace

void JourneyReader::check_whole() {
    check_reachable();
    check_event_waits();
    check_sends();
    std::vector<std::string> send_names;
    for (const auto& step : journey_->steps)
        if (step.named && std::holds_alternative<Send>(step.action) &&
            step.path.find('.') == std::string::npos) // An action's own are not to be named.
            send_names.push_back(step.path);
    for (const auto& [name, at] : sent_names_)
        if (std::find(send_names.begin(), send_names.end(), name) == send_names.end())
            mistakes_.add(at, "run.sent has no " + quoted(name) + '.' +
                                  did_you_mean(name, send_names) +
                                  " Named sends of this file: " + listed(send_names));
}

bool JourneyReader::always_ends(std::size_t list) const {
    const auto& steps = lists_[list].steps;
    return std::any_of(steps.begin(), steps.end(),
                       [&](StepIndex step) { return always_ends(step); });
}

bool JourneyReader::always_ends(StepIndex step) const {
    const auto& action = journey_->steps[step].action;
    // One that could not be read stands as an exit without a reason.
    if (const auto* exit = std::get_if<ExitStep>(&action)) return !exit->reason.empty();
    std::size_t ways = 0;
    if (const auto* branch = std::get_if<Branch>(&action)) {
        const bool has_otherwise =
            std::any_of(branch->arms.begin(), branch->arms.end(),
                        [](const Branch::Arm& arm) { return !arm.when.has_value(); });
        if (!has_otherwise) return false;
        ways = branch->arms.size();
    } else if (const auto* split = std::get_if<Split>(&action)) {
        ways = split->variants.size();
    } else if (std::holds_alternative<WaitForEvent>(action) ||
               std::holds_alternative<WaitForCondition>(action)) {
        ways = 2;
    }
    if (ways == 0) return false;
    std::size_t ended = 0;
    for (const auto& block : blocks_)
        if (block.step == step && always_ends(block.list)) ++ended;
    return ended == ways;
}

void JourneyReader::check_reachable() {
    for (const auto& list : lists_)
        for (std::size_t i = 0; i + 1 < list.steps.size(); ++i)
            if (always_ends(list.steps[i])) {
                mistakes_.add(step_places_[list.steps[i + 1]],
                              "this step can never be reached: the one before it (line " +
                                  std::to_string(step_places_[list.steps[i]].line) +
                                  ") always ends the run");
                break;
            }
}

void JourneyReader::check_event_waits() {
    for (const auto& wait : event_waits_) {
        for (const auto& [name, at] : wait.events) {
            const auto& exits = journey_->exits;
            const auto rule =
                std::find_if(exits.begin(), exits.end(), [&](const ExitRule& candidate) {
                    return candidate.when.empty() &&
                           std::find(candidate.on.begin(), candidate.on.end(), name) !=
                               candidate.on.end();
                });
            if (rule == exits.end()) continue;
            const bool is_all = wait.events.size() == 1;
            mistakes_.add(at, (is_all ? std::string{"this wait never resumes: "}
                                      : "this wait never resumes at " + name + ": ") +
                                  "exit rule " + std::to_string(rule - exits.begin() + 1) +
                                  " (line " + std::to_string(rule->line) + ") ends the run at " +
                                  name + " first");
        }
    }
}

void JourneyReader::check_sends() {
    for (const auto& place : sends_) {
        const auto& send = std::get<Send>(journey_->steps[place.step].action);
        check_template(place, send);
        if (context_.settings == nullptr || place.expires_at.line == 0) continue;
        if (send.quiet_hours != OnQuietHours::defer) continue;
        const QuietHours* longest = nullptr;
        journeys::Duration hold{};
        for (const auto& quiet : context_.settings->quiet_hours) {
            const auto& channels = quiet.channels;
            if (!channels.empty() &&
                std::find(channels.begin(), channels.end(), send.channel) == channels.end())
                continue;
            const std::chrono::minutes night{
                (quiet.to - quiet.from + std::chrono::hours{24}).count() % (24 * 60)};
            const auto span = night + quiet.jitter;
            if (span > hold) {
                hold = span;
                longest = &quiet;
            }
        }
        if (longest != nullptr && send.expires < hold)
            mistakes_.add(place.expires_at,
                          "expires is shorter than the longest hold by quiet hours, " +
                              span_text(std::chrono::ceil<std::chrono::minutes>(hold)) + " (" +
                              clock_text(longest->from) + " to " + clock_text(longest->to) +
                              "): a message held that long would never leave");
    }
}

void JourneyReader::check_template(const SendPlace& place, const Send& send) {
    if (send.template_name.empty() || context_.settings == nullptr) return;
    const auto* channel = context_.settings->channel(send.channel);
    if (channel == nullptr || channel->templates.contains(send.template_name)) return;
    if (!channel->renders) {
        if (channel->templates.empty() || channel->templates.contains(send.template_name)) return;
        std::vector<std::string> known;
        for (const auto& [name, id] : channel->templates) known.push_back(name);
        mistakes_.add(place.template_at, "channel " + send.channel + " has no template " +
                                             quoted(send.template_name) + '.' +
                                             did_you_mean(send.template_name, known) +
                                             " Mapped in sojourn.yaml: " + listed(known));
        return;
    }
    if (context_.templates == nullptr) return;
    bool exists = false;
    std::vector<std::string> known;
    const auto given = place.given.value_or(std::vector<std::string>{});
    for (const auto& [file, content] : *context_.templates) {
        const auto base = file.substr(0, file.find('.'));
        if (known.empty() || known.back() != base) known.push_back(base);
        if (base != send.template_name) continue;
        exists = true;
        if (content.parsed == nullptr || !place.given) continue;
        for (const auto& name : content.parsed->names()) {
            if (always_there.contains(name) ||
                std::find(given.begin(), given.end(), name) != given.end())
                continue;
            const auto line = line_of_name(content.text, name);
            const auto trait = nearest(name, context_.seen_traits);
            mistakes_.add(
                place.template_at,
                "template " + file +
                    (line > 0 ? " (line " + std::to_string(line) + ')' : std::string{}) + " uses " +
                    name + "; this send gives " + (given.empty() ? "no data" : listed(given)) +
                    (trait.empty() ? std::string{} : ". Seen trait: " + std::string{trait}));
        }
    }
    if (!exists)
        mistakes_.add(place.template_at, "no template " + quoted(send.template_name) + '.' +
                                             did_you_mean(send.template_name, known) +
                                             " Templates are files config/templates/NAME.mustache");
}

/// Waits are looked at when an event is applied. What no event can change is never looked at again.
void JourneyReader::check_only_time_changes(const YamlNode& node, const cel::Program& program) {
    bool reads_now = false;
    for (const auto& path : program.paths()) {
        const auto& root = path.segments[0];
        if (root == "now")
            reads_now = true;
        else if (root != "run" || path.segments.size() < 2 || path.segments[1] == "sent" ||
                 path.segments[1] == "last_event" || path.segments[1] == "events")
            return;
    }
    static const std::set<std::string, std::less<>> of_state{"count",     "last",    "recent",
                                                             "reachable", "running", "last_sent",
                                                             "lookup",    "product", "audience"};
    for (const auto& call : program.calls())
        if (of_state.contains(call.function)) return;
    const bool is_date = program.type().is(cel::Kind::timestamp);
    if (reads_now)
        mistakes_.add(
            node.at,
            is_date ? "this date moves on with now and never comes. Count from run.entered_at, "
                      "or wait for: a duration"
                    : "only time can change this, and a condition is looked at when an event "
                      "comes. Wait until: { date: … } or for: a duration");
    else if (!is_date && program.type().is(cel::Kind::boolean))
        mistakes_.add(node.at, "no event can change this: it reads nothing of the customer");
}

} // namespace schema
