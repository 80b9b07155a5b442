#include "runtime/pages.hpp"

#include "journeys/local_time.hpp"
#include "journeys/packed.hpp"
#include "runtime/console.hpp"
#include "runtime/customer_json.hpp"

namespace runtime {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '&': out += "&amp;"; break;
        case '"': out += "&quot;"; break;
        default: out.push_back(c);
        }
    }
    return out;
}

std::string cell(std::string_view text) { return "<td>" + escaped(text) + "</td>"; }
std::string number_cell(std::uint64_t number) {
    return "<td class=n>" + std::to_string(number) + "</td>";
}

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 "
    "1rem;color:#1c2430}"
    "h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}table{border-collapse:collapse;width:"
    "100%}"
    "th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid "
    "#e3e7ec;white-space:nowrap}"
    ".n{text-align:right}.bad{color:#a11}.ok{color:#176b3a}.dim{color:#68758a}";

} // namespace

std::string overview_html(const Overview& overview) {
    std::string out =
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=2>"
        "<title>Sojourn</title><style>";
    out += style;
    out += "</style><h1>Sojourn</h1><p>";
    out += overview.not_ready.empty()
               ? "<span class=ok>ready</span>"
               : "<span class=bad>" + escaped(overview.not_ready) + "</span>";
    out += " · service time " + escaped(journeys::to_text(overview.now));
    if (overview.clock_speed != 1)
        out += " · " + std::to_string(static_cast<long>(overview.clock_speed)) +
               " times the wall clock";
    out += " · " + std::to_string(overview.events) + " events applied · " +
           std::to_string(overview.active) + " active customers</p>";

    out += "<h2>Journeys</h2><table><tr><th>journey<th>status<th>version<th class=n>entered<th "
           "class=n>sent<th class=n>not sent<th class=n>ended</tr>";
    for (const auto& journey : overview.journeys)
        out += "<tr>" +
               cell(journey.title.empty() ? journey.id : journey.id + " · " + journey.title) +
               cell(journey.status) + cell(journey.version) + number_cell(journey.entered) +
               number_cell(journey.sent) + number_cell(journey.held_back) +
               number_cell(journey.ended) + "</tr>";
    out += "</table><h2>Last triggers</h2><table><tr><th>when<th>customer<th>journey › "
           "step<th>channel<th>what and why</tr>";
    for (const auto& [customer, entry] : overview.triggers) {
        const bool sent = entry.kind == journeys::EntryKind::send;
        out += "<tr>" + cell(local_text(entry.at, overview.zone, overview.now)) +
               cell(journeys::display(customer)) + cell(entry.journey + " › " + entry.step) +
               cell(entry.channel) +
               (sent ? "<td class=ok>sent" : "<td class=dim>not sent: " + escaped(entry.reason)) +
               "</td></tr>";
    }
    if (overview.triggers.empty()) out += "<tr><td colspan=5 class=dim>none yet</td></tr>";
    return out + "</table></html>";
}

std::string journeys_json(const Overview& overview) {
    std::string out = "{\"journeys\":[";
    bool first = true;
    for (const auto& journey : overview.journeys) {
        out += first ? "{\"id\":" : ",{\"id\":";
        first = false;
        journeys::append_json_string(out, journey.id);
        out += ",\"title\":";
        journeys::append_json_string(out, journey.title);
        out += ",\"status\":\"" + journey.status + "\",\"version\":\"" + journey.version +
               "\",\"entered\":" + std::to_string(journey.entered) +
               ",\"sent\":" + std::to_string(journey.sent) +
               ",\"not_sent\":" + std::to_string(journey.held_back) +
               ",\"ended\":" + std::to_string(journey.ended) + '}';
    }
    return out + "]}";
}

} // namespace runtime
