/// Deletes what is older than its table's time, a little at a time.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "runtime/log.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace runtime {

struct RetentionRule {
    std::string table, column; ///< Names of ours, never from outside.
    journeys::Duration keep{};
    std::string condition{}; ///< More SQL that must hold; empty: none.
};

/// Rows deleted. Batches of a bounded size, each a transaction, so that nobody waits behind it.
journeys::Result<std::size_t> delete_old(const std::string& conninfo,
                                         const std::vector<RetentionRule>& rules,
                                         journeys::Timestamp now);

/// Looks every few minutes, on a thread of its own.
class Retention {
public:
    Retention(std::string conninfo, std::vector<RetentionRule> rules,
              std::function<journeys::Timestamp()> now, Log& log);
    ~Retention();

private:
    std::jthread thread_;
};

} // namespace runtime
