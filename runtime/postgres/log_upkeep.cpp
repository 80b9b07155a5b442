#include "runtime/postgres/log_upkeep.hpp"

#include <spdlog/spdlog.h>

namespace runtime {
namespace {

using journeys::Result;

/// May take as long as it takes, for nobody waits for it.
Result<void> index(Connection& connection, const std::string& segment,
                   const std::function<bool()>& goes_on) {
    auto transaction = Transaction::begin(connection);
    if (!transaction) return transaction.error();
    if (auto made = connection.run_long("CREATE INDEX IF NOT EXISTS " + segment + "_message ON " +
                                            segment + " (customer_hash, message_hash)",
                                        goes_on);
        !made)
        return made.error();
    SqlParams params;
    params.add_text(segment);
    if (auto noted =
            connection.run("UPDATE log_segments SET indexed = true WHERE segment = $1", params);
        !noted)
        return noted.error();
    return transaction->commit();
}

Result<void> index_closed(Connection& connection, const std::function<bool()>& goes_on) {
    auto closed = connection.run(
        "SELECT segment FROM log_segments WHERE closed AND NOT indexed ORDER BY from_at");
    if (!closed) return closed.error();
    for (int row = 0; row < closed->size(); ++row) {
        if (auto indexed = index(connection, std::string{closed->bytes(row, 0)}, goes_on); !indexed)
            return indexed;
    }
    return {};
}

Result<void> drop_old(Connection& connection, const LogBounds& bounds) {
    SqlParams params;
    params.add(bounds.now - bounds.retention).add(bounds.bytes_max);
    // Summed from the newest back: what lies beyond the cap goes.
    auto old = connection.run(
        "SELECT segment FROM (SELECT *, sum(pg_total_relation_size(segment::regclass)) "
        "OVER (ORDER BY from_at DESC) AS bytes FROM log_segments WHERE closed) AS s "
        "WHERE (until_at < $1 OR ($2 > 0 AND bytes > $2)) AND NOT EXISTS (SELECT FROM log_ends e "
        "LEFT JOIN progress p USING (partition) "
        "WHERE e.segment = s.segment AND e.last_offset > coalesce(p.watermark, 0)) "
        "ORDER BY from_at",
        params);
    if (!old) return old.error();
    for (int row = 0; row < old->size(); ++row) {
        const std::string segment{old->bytes(row, 0)};
        // A long reader of the log only puts this off.
        auto dropped = connection.run_script(
            "BEGIN; SET LOCAL lock_timeout = '1s'; ALTER TABLE log DETACH PARTITION " + segment +
            "; DROP TABLE " + segment + "; DELETE FROM log_segments WHERE segment = '" + segment +
            "'; COMMIT");
        if (!dropped) {
            (void)connection.run_script("ROLLBACK");
            return dropped.error();
        }
        spdlog::info("log: {} dropped", segment);
    }
    return {};
}

} // namespace

Result<void> add_log_mark(Connection& connection, journeys::Timestamp at,
                          const std::vector<std::uint64_t>& positions) {
    SqlArray array{SqlArray::Type::int8};
    for (const auto position : positions) array.add(position);
    SqlParams params;
    params.add(at).add(array);
    auto noted = connection.run("INSERT INTO log_marks (accepted_at, positions) VALUES ($1, $2) "
                                "ON CONFLICT DO NOTHING",
                                params);
    if (!noted) return noted.error();
    return {};
}

Result<void> keep_up_log(Connection& connection, const LogBounds& bounds,
                         const std::function<bool()>& goes_on) {
    if (auto indexed = index_closed(connection, goes_on); !indexed) return indexed;
    if (auto dropped = drop_old(connection, bounds); !dropped) return dropped;
    auto forgotten = connection.run(
        "DELETE FROM log_marks WHERE accepted_at < (SELECT max(accepted_at) FROM log_marks m "
        "WHERE NOT EXISTS (SELECT FROM progress p "
        "WHERE m.positions[p.partition + 1] > p.watermark))");
    if (!forgotten) return forgotten.error();
    auto summarised =
        connection.run("SELECT brin_summarize_new_values((segment || '_at')::regclass) "
                       "FROM log_segments WHERE NOT closed");
    if (!summarised) return summarised.error();
    return {};
}

} // namespace runtime
