#include "runtime/retention.hpp"

#include "runtime/database_session.hpp"

#include <condition_variable>
#include <mutex>

namespace runtime {
namespace {

constexpr int rows_per_batch = 5'000;
constexpr auto interval = std::chrono::minutes{10};

} // namespace

journeys::Result<std::size_t> delete_old(const std::string& conninfo,
                                         const std::vector<RetentionRule>& rules,
                                         journeys::Timestamp now) {
    DatabaseSession session{conninfo};
    std::size_t deleted = 0;
    for (const auto& rule : rules) {
        const auto sql = "DELETE FROM " + rule.table + " WHERE ctid IN (SELECT ctid FROM " +
                         rule.table + " WHERE " + rule.column +
                         " < to_timestamp($1::float8 / 1000)" +
                         (rule.condition.empty() ? "" : " AND " + rule.condition) + " LIMIT " +
                         std::to_string(rows_per_batch) + ')';
        while (true) {
            const auto rows = session.run([&](pqxx::work& work) {
                return work.exec_params(sql, journeys::to_millis(now - rule.keep)).affected_rows();
            });
            if (!rows) return rows.error();
            deleted += *rows;
            if (*rows < rows_per_batch) break;
        }
    }
    return deleted;
}

Retention::Retention(std::string conninfo, std::vector<RetentionRule> rules,
                     std::function<journeys::Timestamp()> now, Log& log)
    : thread_([conninfo = std::move(conninfo), rules = std::move(rules), now = std::move(now),
               &log](const std::stop_token& stopping) {
          std::mutex unshared;
          std::condition_variable_any pause;
          while (!stopping.stop_requested()) {
              if (const auto deleted = delete_old(conninfo, rules, now()); !deleted)
                  log.repeated_warning("old rows could not be deleted",
                                       {{"why", deleted.error().detail}});
              std::unique_lock lock{unshared};
              pause.wait_for(lock, stopping, interval, [] { return false; });
          }
      }) {}

Retention::~Retention() = default;

} // namespace runtime
