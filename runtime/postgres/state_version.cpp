#include "runtime/postgres/state_version.hpp"

#include "journeys/record.hpp"
#include "journeys/release.hpp"

#include <string>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

constexpr std::int32_t batch = 1'000;

Result<void> note_version(Connection& connection, std::int16_t version) {
    SqlParams params;
    params.add(version);
    auto noted = connection.run("UPDATE deployment SET state_version = $1", params);
    if (!noted) return noted.error();
    return {};
}

Result<void> shut_others_out(Connection& connection) {
    auto raised = connection.run("UPDATE partitions SET epoch = epoch + 1, owner = ''");
    if (!raised) return raised.error();
    return {};
}

/// A state on its way to another customer is in the log as this release writes it. After an orderly
/// end of the service nothing but the outcomes of its last calls waits there; what is older than an
/// hour is not looked for.
Result<void> require_no_state_on_its_way(Connection& connection) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(journeys::RecordKind::transfer));
    auto left =
        connection.run("SELECT (SELECT count(*) FROM transfers) + (SELECT count(*) FROM log l "
                       "LEFT JOIN progress p USING (partition) WHERE l.kind = $1 "
                       "AND l.\"offset\" > coalesce(p.watermark, 0) AND l.accepted_at > "
                       "(SELECT max(accepted_at) - interval '1 hour' FROM log_positions))",
                       params);
    if (!left) return left.error();
    if (const auto count = left->int8(0, 0); count != 0)
        return Error{ErrorCode::invalid_state,
                     std::to_string(count) + " states are on their way to other customers: start "
                                             "the service, stop it with SIGTERM, and try again"};
    return {};
}

/// The customers behind `after` whose states the release before could not read.
Result<SqlRows> next_states(Connection& connection, std::string_view after) {
    SqlParams params;
    params.add_bytes(after).add(std::int16_t{journeys::customer_schema_version_before}).add(batch);
    return connection.run("SELECT customer, block FROM snapshots WHERE customer > $1 "
                          "AND schema_version > $2 ORDER BY customer LIMIT $3",
                          params);
}

/// Of `rows`, all in one statement.
Result<void> rewrite(Connection& connection, const SqlRows& rows, Rewritten& done) {
    SqlArray customers{SqlArray::Type::bytea}, blocks{SqlArray::Type::bytea};
    for (int row = 0; row < rows.size(); ++row) {
        const auto customer = journeys::unpack(rows.bytes(row, 1));
        if (!customer) {
            ++done.unreadable;
            continue;
        }
        if (!customer->rewarded.empty()) ++done.rewarded;
        customers.add(rows.bytes(row, 0));
        blocks.add(journeys::pack_for_release_before(*customer));
    }
    if (customers.size() == 0) return {};
    done.states += customers.size();
    SqlParams params;
    params.add(customers).add(blocks).add(std::int16_t{journeys::customer_schema_version_before});
    auto written = connection.run("UPDATE snapshots s SET block = n.block, schema_version = $3 "
                                  "FROM unnest($1, $2) AS n(customer, block) "
                                  "WHERE s.customer = n.customer",
                                  params);
    if (!written) return written.error();
    return {};
}

} // namespace

Result<void> claim_state_version(Connection& connection) {
    SqlParams params;
    params.add(std::int16_t{journeys::state_version()});
    auto claimed = connection.run(
        "UPDATE deployment SET state_version = $1 WHERE state_version <= $1", params);
    if (!claimed) return claimed.error();
    auto stored = connection.run("SELECT state_version FROM deployment");
    if (!stored) return stored.error();
    if (!stored->empty() && stored->int2(0, 0) > journeys::state_version())
        return Error{ErrorCode::invalid_state,
                     "a newer release has written customers' states of version " +
                         std::to_string(stored->int2(0, 0)) + "; this one reads up to " +
                         std::to_string(journeys::state_version()) +
                         ". To go back, run `sojourn downgrade` of the newer one first"};
    return {};
}

Result<Rewritten> write_states_for_release_before(Connection& connection) {
    if (auto done = shut_others_out(connection); !done) return done.error();
    if (auto done = require_no_state_on_its_way(connection); !done) return done.error();
    Rewritten result;
    std::string after;
    while (true) {
        const auto rows = next_states(connection, after);
        if (!rows) return rows.error();
        if (rows->empty()) break;
        if (auto done = rewrite(connection, *rows, result); !done) return done.error();
        after = rows->bytes(rows->size() - 1, 0);
    }
    if (auto done = note_version(connection, journeys::customer_schema_version_before); !done)
        return done.error();
    return result;
}

} // namespace runtime
