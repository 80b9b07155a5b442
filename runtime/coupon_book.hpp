/// The pools of codes in the database: what is in them, what was given, and who holds codes ready.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "schema/coupon_csv.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct PoolStand {
    std::string pool;
    std::int64_t codes = 0;       ///< Ever imported.
    std::int64_t given = 0;       ///< To runs.
    std::int64_t given_today = 0; ///< Of these in the last 24 hours.
    std::int64_t expired = 0;     ///< Never given, and of no use any more.
    std::int64_t left() const { return codes - given - expired; }
};

/// Blocking; any thread. Every call answers `storage_unavailable` where the database does not.
class CouponBook {
public:
    explicit CouponBook(std::string conninfo);
    ~CouponBook();

    /// Those that the pool has already, given or not, stay as they are. How many were new. `file`:
    /// a digest of the file of which these are all, to be remembered.
    journeys::Result<std::int64_t> add(const std::string& pool,
                                       const std::vector<schema::CouponCode>& codes,
                                       std::optional<std::uint64_t> file = std::nullopt);
    /// Whether that is the one that was remembered last for the pool.
    journeys::Result<bool> has_file(const std::string& pool, std::uint64_t file);
    /// Up to `count` codes that are good at `now`, in the order of import: from here on only the
    /// holder of `lease` may give them.
    journeys::Result<std::vector<schema::CouponCode>>
    lease(const std::string& pool, std::uint64_t lease, std::size_t count, journeys::Timestamp now);
    /// What is held ready by whom is free again. Only for the one process that works.
    journeys::Result<void> end_leases();
    /// Of all pools that hold or held a code, by name.
    journeys::Result<std::vector<PoolStand>> stands(journeys::Timestamp now);
    /// Codes left of each pool: cheap, whatever was given before. `expired` and `given` are 0.
    journeys::Result<std::vector<PoolStand>> left(journeys::Timestamp now);

private:
    class Session;
    std::unique_ptr<Session> session_;
};

} // namespace runtime
