#include "schema/journey_keys.hpp"

#include <algorithm>
#include <cassert>

namespace schema {

const std::vector<Section>& journey_sections() {
    static const std::vector<Section> sections{
        {"journey", "a journey", {"id",     "title",    "owner",     "tags",       "notes",
                                  "status", "priority", "enter",     "exit",       "goal",
                                  "goals",  "holdout",  "steps",     "on_publish", "from",
                                  "until",  "rollout",  "exclusive", "vars",       "watch"}},
        {"enter",
         "enter",
         {"on", "when", "key", "reentry", "each", "becomes", "date", "every", "offset", "at",
          "timezone", "audience", "weekdays", "time", "pace", "interested", "on_churn_risk"}},
        {"interested", "interested", {"did", "within"}},
        {"reentry", "reentry", {"after", "per"}},
        {"watch", "watch", {"sends_per_day", "suppressed_below"}},
        {"sends per day", "sends_per_day", {"at_least", "at_most"}},
        {"exit rule", "an exit rule", {"on", "when", "reason"}},
        {"goal", "a goal", {"on", "when", "within", "value"}},
        {"step",
         "a step",
         {"name", "wait", "send", "branch", "split", "decide", "update", "call", "exit"}},
        {"wait",
         "a wait",
         {"for", "restart_on", "at_most", "until", "for_event", "when", "then", "timeout",
          "for_condition", "until_churn_risk"}},
        {"until", "until", {"time", "weekdays", "timezone", "date", "offset", "past"}},
        {"send",
         "a send",
         {"channel", "template", "topic", "data", "when", "from", "purpose", "delivery",
          "quiet_hours", "capped", "expires", "at", "coupon"}},
        {"call", "a call", {"channel", "data", "when", "delivery", "expires"}},
        {"branch arm", "an arm of a branch", {"when", "steps", "otherwise"}},
        {"split", "a split", {"variants"}},
        {"variant", "a variant", {"weight", "steps"}},
        {"decide", "a decision", {"actions", "reward", "within", "policy"}},
        {"update", "an update", {"set", "unsubscribe"}},
        {"unsubscribe", "unsubscribe", {"channel", "topic"}},
        {"exit step", "an exit", {"reason"}},
    };
    return sections;
}

const Section& journey_section(std::string_view name) {
    const auto& all = journey_sections();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Section& section) { return section.name == name; });
    assert(found != all.end());
    return *found;
}

} // namespace schema
