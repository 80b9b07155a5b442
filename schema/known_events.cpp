#include "schema/known_events.hpp"

#include "schema/event_names.hpp"
#include "schema/mistakes.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace schema {
namespace {

/// Made here, beside those that `standard_events` names.
constexpr std::array<std::string_view, 11> made_here{
    "Action Decided",  "Page Viewed",           "Screen Viewed",        "Profile Changed",
    "Consent Changed", "Session Ended",         "Stage Changed",        "Journey Entered",
    "Journey Ended",   "Product Price Dropped", "Product Back In Stock"};
constexpr std::array<std::string_view, 2> of_messages{"Message Sent", "Message Suppressed"};

} // namespace

bool is_standard_event(std::string_view name) {
    const auto& standard = standard_events();
    return std::find(standard.begin(), standard.end(), name) != standard.end() ||
           std::find(made_here.begin(), made_here.end(), name) != made_here.end() ||
           std::find(of_messages.begin(), of_messages.end(), name) != of_messages.end();
}

std::string mistake_in_event_name(std::string_view name, const DeclaredEvents& declared) {
    if (is_standard_event(name)) return {};
    if (declared && declared->contains(name)) return {};
    const auto canonical = canonical_event_name(name);
    if (canonical != name)
        return "no event " + quoted(name) + ". It arrives here as " + quoted(canonical);
    if (!declared) return {};
    const std::string own = " Own events: config/events.yaml";
    if (const auto elsewhere = known_elsewhere(name)) {
        if (elsewhere->system.find(' ') == std::string_view::npos ||
            elsewhere->system == "Google Analytics")
            return "no event " + quoted(name) + ". " + std::string{elsewhere->system} +
                   " says so; here it is " + quoted(elsewhere->ours) + '.' + own;
        return "no event " + quoted(name) + ". Here it is written " + quoted(elsewhere->ours) +
               '.' + own;
    }
    std::vector<std::string> known(standard_events().begin(), standard_events().end());
    known.insert(known.end(), made_here.begin(), made_here.end());
    known.insert(known.end(), of_messages.begin(), of_messages.end());
    known.insert(known.end(), declared->begin(), declared->end());
    return "no event " + quoted(name) + '.' + did_you_mean(name, known) + own;
}

} // namespace schema
