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

namespace {

/// A decision and what came of it. Each taking back ends one reward, and another may follow: so a
/// reward stands at an instant where more were taken back after it, or more were given than taken.
/// $1: after, $2: through.
constexpr std::string_view outcome_columns =
    "SELECT d.intent, d.customer, d.at, d.until, d.journey, d.step, d.data, d.held_out, r.at, "
    "r.data, r.ended_then < r.ended OR r.given > r.ended, "
    "r.ended_before < r.ended OR r.given > r.ended, r.forgotten > 0 "
    "FROM timeline d LEFT JOIN LATERAL ("
    "SELECT (array_agg(data ORDER BY at DESC, revision DESC, n DESC))[1] AS data, "
    "max(at) FILTER (WHERE kind = 'reward') AS at, "
    "count(*) FILTER (WHERE kind = 'reward') AS given, "
    "count(*) FILTER (WHERE reason = 'forgotten' AND kind = 'take_back') AS forgotten, "
    "count(*) FILTER (WHERE reason = 'whole' AND kind = 'take_back') AS ended, "
    "count(*) FILTER (WHERE reason = 'whole' AND kind = 'take_back' AND until <= $2) AS "
    "ended_then, "
    "count(*) FILTER (WHERE reason = 'whole' AND kind = 'take_back' AND until <= $1) AS "
    "ended_before FROM timeline WHERE kind IN ('reward', 'take_back') AND intent = d.intent) r "
    "ON true WHERE d.kind = 'decide' AND d.intent IS NOT NULL ";

/// `params`: after, through, and what `which` names.
journeys::Result<void> read(const std::string& conninfo, std::string_view which,
                            const SqlParams& params,
                            const std::function<void(const LoggedDecision&)>& take) {
    auto connection =
        Connection::open({.conninfo = conninfo, .instance = "decisions"}, "decisions");
    if (!connection) return connection.error();
    LoggedDecision one;
    const auto sql = std::string{outcome_columns}.append(which);
    return connection->stream(sql.c_str(), params, [&](const SqlRows& rows) {
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
        one.was_rewarded = rows.boolean(0, 11);
        one.is_forgotten = rows.boolean(0, 12);
        if (rows.boolean(0, 10)) {
            one.rewarded_at = rows.time(0, 8);
            const std::string data{rows.bytes(0, 9)};
            if (PackedView::validate(data)) one.value = double_at(PackedView{data}, "value");
        }
        take(one);
    });
}

} // namespace

journeys::Result<void> read_decisions(const std::string& conninfo, Timestamp after,
                                      Timestamp through,
                                      const std::function<void(const LoggedDecision&)>& take) {
    SqlParams params;
    params.add(after).add(through);
    return read(conninfo, "AND d.until > $1 AND d.until <= $2 ORDER BY d.until, d.intent", params,
                take);
}

journeys::Result<void> read_decisions_of(const std::string& conninfo, const std::string& journey,
                                         const std::function<void(const LoggedDecision&)>& take) {
    SqlParams params;
    params.add(Timestamp{}).add(journeys::timestamp_max).add_text(journey);
    return read(conninfo, "AND d.until IS NOT NULL AND d.journey = $3", params, take);
}

journeys::Result<void> read_corrections(const std::string& conninfo, Timestamp after,
                                        Timestamp through,
                                        const std::function<void(const LoggedDecision&)>& take) {
    SqlParams params;
    params.add(after).add(through);
    return read(conninfo,
                "AND d.until <= $1 AND d.intent IN (SELECT intent FROM timeline WHERE kind = "
                "'take_back' AND until > $1 AND until <= $2) ORDER BY d.until, d.intent",
                params, take);
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
            // By its time and nothing else: of those still open only the rewarded ones would be in.
            if (one.until > now) {
                ++counts.still_open;
                return;
            }
            if (one.is_forgotten) {
                ++counts.forgotten;
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
