#include "schema/timeline_json.hpp"

#include "journeys/local_time.hpp"

namespace schema {
namespace {

void member(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out += ",\"";
    out += name;
    out += "\":";
    journeys::append_json_string(out, text);
}

} // namespace

bool is_simulated(journeys::EntryKind kind) {
    using journeys::EntryKind;
    switch (kind) {
    case EntryKind::enter:
    case EntryKind::exit:
    case EntryKind::end:
    case EntryKind::send:
    case EntryKind::suppress:
    case EntryKind::decide:
    case EntryKind::reward:
    case EntryKind::take_back:
    case EntryKind::update:
    case EntryKind::call:
    case EntryKind::goal: return true;
    case EntryKind::no_entry:
    case EntryKind::wait:
    case EntryKind::restart:
    case EntryKind::defer:
    case EntryKind::settle:
    case EntryKind::consent:
    case EntryKind::stage:
    case EntryKind::linked:
    case EntryKind::merged:
    case EntryKind::moved: return false;
    }
    return false;
}

std::string to_json_line(const journeys::CustomerId& customer,
                         const journeys::TimelineEntry& entry) {
    std::string out = "{\"at\":\"" + journeys::to_text(entry.at) + '"';
    member(out, "customer", journeys::display(customer));
    member(out, "journey", entry.journey);
    if (!entry.journey.empty()) {
        member(out, "version", journeys::version_text(entry.version));
        out += ",\"key\":";
        journeys::append_json_string(out, entry.key);
    }
    member(out, "kind", journeys::to_text(entry.kind));
    member(out, "step", entry.step);
    member(out, "channel", entry.channel);
    member(out, "template", entry.template_name);
    member(out, "topic", entry.topic);
    member(out, "reason", entry.reason);
    if (entry.condition != 0) out += ",\"condition\":" + std::to_string(entry.condition);
    if (entry.until != journeys::Timestamp{}) {
        out += ",\"until\":";
        if (entry.until == journeys::no_time)
            out += "null";
        else
            out += '"' + journeys::to_text(entry.until) + '"';
    }
    using journeys::EntryKind;
    const bool is_decision = entry.kind == EntryKind::decide || entry.kind == EntryKind::reward ||
                             entry.kind == EntryKind::take_back;
    if (entry.intent)
        member(out, is_decision ? "decision" : "intent", journeys::to_text(entry.intent));
    if (!entry.data.empty()) {
        out += ",\"data\":";
        journeys::append_json(out, journeys::PackedView{entry.data});
    }
    out.push_back('}');
    return out;
}

} // namespace schema
