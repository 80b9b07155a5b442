#include "runtime/decision_log.hpp"

#include "journeys/models/reward_model.hpp"
#include "journeys/packed.hpp"
#include "runtime/postgres/connection.hpp"
#include "schema/timestamp_text.hpp"

#include <array>
#include <charconv>

namespace runtime {
namespace {

using journeys::PackedView;
using journeys::Timestamp;

/// As a field of a CSV: in quotes where it needs them.
std::string field(std::string_view text) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string{text};
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

std::string number(double value) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

double double_at(PackedView map, std::string_view key) {
    const auto value = map.find(key);
    return value.is_number() ? value.as_double() : 0;
}

} // namespace

journeys::Result<void> read_decisions(const std::string& conninfo, Timestamp after,
                                      Timestamp through,
                                      const std::function<void(const LoggedDecision&)>& take) {
    auto connection =
        Connection::open({.conninfo = conninfo, .instance = "decisions"}, "decisions");
    if (!connection) return connection.error();
    SqlParams params;
    params.add(after).add(through);
    LoggedDecision one;
    return connection->stream(
        "SELECT d.intent, d.customer, d.at, d.until, d.journey, d.step, d.data, d.held_out, r.at, "
        "r.data FROM timeline d LEFT JOIN LATERAL (SELECT at, data FROM timeline WHERE kind = "
        "'reward' AND intent = d.intent ORDER BY at LIMIT 1) r ON true WHERE d.kind = 'decide' AND "
        "d.until > $1 AND d.until <= $2 AND d.intent IS NOT NULL ORDER BY d.until, d.intent",
        params, [&](const SqlRows& rows) {
            one.data = rows.bytes(0, 6);
            if (!PackedView::validate(one.data)) return;
            one.id = rows.intent(0, 0);
            one.customer = rows.bytes(0, 1);
            one.at = rows.time(0, 2);
            one.until = rows.time(0, 3);
            one.journey = rows.bytes(0, 4);
            one.step = rows.bytes(0, 5);
            one.held_out = rows.boolean(0, 7);
            one.rewarded_at.reset();
            one.value = 0;
            if (!rows.is_null(0, 8)) {
                one.rewarded_at = rows.time(0, 8);
                const std::string data{rows.bytes(0, 9)};
                if (PackedView::validate(data)) one.value = double_at(PackedView{data}, "value");
            }
            take(one);
        });
}

journeys::Result<DecisionCsv> write_decisions(const std::string& conninfo, Timestamp now,
                                              const std::function<void(const std::string&)>& line) {
    DecisionCsv counts;
    std::string header = "decision_id,at,customer,journey,step,surface,policy,action,propensity,"
                         "reward,value,rewarded_at,event,model,learned";
    for (std::size_t i = 1; i < journeys::models::decision_features; ++i) // The first is always 1.
        header.append(",").append(journeys::models::decision_feature_names[i]);
    line(header);
    const auto read = read_decisions(
        conninfo, Timestamp{}, journeys::timestamp_max, [&](const LoggedDecision& one) {
            if (one.held_out) {
                ++counts.held_out;
                return;
            }
            if (!one.rewarded_at && one.until > now) {
                ++counts.still_open;
                return;
            }
            const PackedView data{one.data};
            const auto action = data.string_at("action");
            std::string row = journeys::to_text(one.id);
            const auto add = [&](std::string_view text) { row.append(",").append(field(text)); };
            add(schema::timestamp_text(one.at));
            add(one.customer);
            add(one.journey);
            add(one.step);
            add(data.string_at("surface"));
            add(data.string_at("policy"));
            add(action.empty() ? "nothing" : action);
            add(number(double_at(data, "propensity")));
            add(one.rewarded_at ? "1" : "0");
            add(number(one.value));
            add(one.rewarded_at ? schema::timestamp_text(*one.rewarded_at) : std::string{});
            add(data.string_at("reward"));
            add(data.string_at("model"));
            add(data.string_at("learned"));
            for (std::size_t i = 1; i < journeys::models::decision_features; ++i)
                add(number(double_at(data, journeys::models::decision_feature_names[i])));
            line(row);
            ++counts.written;
        });
    if (!read) return read.error();
    return counts;
}

} // namespace runtime
