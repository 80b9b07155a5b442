#include "runtime/pages.hpp"

#include "journeys/expressions.hpp"
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

/// An expression for the page; all of it stands in `GET /v1/journeys`.
std::string shortened(const std::string& text) {
    std::size_t end = 200;
    if (text.size() <= end) return text;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end; // A character stays whole.
    return text.substr(0, end) + "…";
}

std::string cell(std::string_view text) { return "<td>" + escaped(text) + "</td>"; }
std::string number_cell(std::uint64_t number) {
    return "<td class=n>" + std::to_string(number) + "</td>";
}

/// The expressions that ended in an error; nothing where none did.
std::string failures_html(const Overview& overview) {
    std::string rows;
    for (const auto& journey : overview.journeys)
        for (const auto& expression : journey.expressions) {
            if (expression.failed == 0) continue;
            rows += "<tr>" + cell(expression.place) + cell(expression.role) + "<td class=x>" +
                    escaped(shortened(expression.text)) + number_cell(expression.evaluated) +
                    (expression.is_condition ? number_cell(expression.met) : "<td>") +
                    "<td class='n bad'>" + std::to_string(expression.failed) + "</tr>";
        }
    if (rows.empty()) return rows;
    return "<h2>Expressions that ended in an error</h2><p class=dim>A condition that does counts "
           "as not met.</p><table><tr><th>file<th>where<th>expression<th "
           "class=n>evaluated<th class=n>met<th class=n>errors</tr>" +
           rows + "</table>";
}

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 "
    "1rem;color:#1c2430}"
    "h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}table{border-collapse:collapse;width:"
    "100%}"
    "th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid "
    "#e3e7ec;white-space:nowrap}"
    ".banner{background:#fdecea;border-left:4px solid #a11;padding:.5rem .75rem;margin:.5rem 0}"
    ".n{text-align:right}.x{white-space:normal;font-family:monospace}.bad{color:#a11}.ok{color:#"
    "176b3a}.dim{color:#68758a}";

/// Of a journey that says what is expected of it.
std::string watch_json(const Overview::Journey& journey) {
    if (journey.watch.empty()) return {};
    std::string out = ",\"watch\":{\"alarm\":";
    if (journey.alarm.empty())
        out += "null";
    else
        journeys::append_json_string(out, journey.alarm);
    out += ",\"now\":";
    journeys::append_json_string(out, journey.watch);
    return out + '}';
}

} // namespace

std::uint64_t Overview::Journey::failed() const {
    std::uint64_t sum = 0;
    for (const auto& expression : expressions) sum += expression.failed;
    return sum;
}

std::vector<Overview::Journey::Expression>
overview_of_expressions(const journeys::Journey& journey) {
    std::vector<Overview::Journey::Expression> all;
    for (const auto& [role, expression, is_condition, place] : journeys::expressions_of(journey))
        all.push_back({.role = role,
                       .place = place,
                       .text = expression->program->text(),
                       .evaluated = expression->counts->evaluated.load(),
                       .met = expression->counts->met.load(),
                       .failed = expression->counts->failed.load(),
                       .is_condition = is_condition});
    return all;
}

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

    for (const auto& warning : overview.warnings)
        out += "<p class=banner>" + escaped(warning) + "</p>";
    out += "<h2>Journeys</h2><table><tr><th>journey<th>status<th>version<th class=n>entered<th "
           "class=n>sent<th class=n>not sent<th class=n>ended<th "
           "class=n>errors</tr>";
    for (const auto& journey : overview.journeys)
        out += "<tr>" +
               cell(journey.title.empty() ? journey.id : journey.id + " · " + journey.title) +
               cell(journey.status) + cell(journey.version) + number_cell(journey.entered) +
               number_cell(journey.sent) + number_cell(journey.held_back) +
               number_cell(journey.ended) + number_cell(journey.failed()) + "</tr>";
    out += "</table>" + failures_html(overview) +
           "<h2>Last triggers</h2><table><tr><th>when<th>customer<th>journey › "
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
               ",\"ended\":" + std::to_string(journey.ended) + watch_json(journey) +
               ",\"expression_errors\":" + std::to_string(journey.failed()) + ",\"expressions\":[";
        for (const auto& expression : journey.expressions) {
            if (&expression != journey.expressions.data()) out += ',';
            out += "{\"where\":";
            journeys::append_json_string(out, expression.role);
            out += ",\"file\":";
            journeys::append_json_string(out, expression.place);
            out += ",\"text\":";
            journeys::append_json_string(out, expression.text);
            out += ",\"evaluated\":" + std::to_string(expression.evaluated);
            if (expression.is_condition) out += ",\"met\":" + std::to_string(expression.met);
            out += ",\"errors\":" + std::to_string(expression.failed) + '}';
        }
        out += "]}";
    }
    return out + "]}";
}

} // namespace runtime
