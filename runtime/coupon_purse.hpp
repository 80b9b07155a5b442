/// Codes held ready for hand-overs, which cannot wait for the database.
#pragma once

#include "journeys/coupons.hpp"
#include "runtime/coupon_book.hpp"
#include "runtime/log.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace runtime {

/// Leases codes from the book in batches and hands them out one by one. A code that is handed out
/// counts as given once the flush of its hand-over is committed, and that flush proves the lease:
/// so a code that a dead process had taken, and that reached nobody, is free again, and one that
/// reached somebody is not. For any thread.
class CouponPurse final : public journeys::CouponSource {
public:
    CouponPurse(std::shared_ptr<CouponBook> book, std::function<journeys::Timestamp()> now,
                Log& log);
    ~CouponPurse() override;

    /// From here on this process gives codes out. Until then every pool answers `not_now`.
    journeys::Result<void> open();
    journeys::CouponAnswer take(std::string_view pool, journeys::RunId run,
                                journeys::Timestamp now) override;
    /// Once open: leases codes before anybody asks for one, so that the first does not wait.
    /// Blocks. Where it fails they are leased when they are asked for.
    void prepare(const std::string& pool);
    /// The pool has been given codes: it is asked for again even if it was empty.
    void has_more(const std::string& pool);

    /// The database is asked for nothing more; what is held is still handed out.
    void stop();

    /// Of one pool: more are leased when fewer than half of them are left.
    static constexpr std::size_t codes_held = 1'000;
    /// How often an empty pool is looked at again.
    static constexpr std::chrono::seconds asked_again_after{5};

private:
    struct Pool {
        std::deque<schema::CouponCode> codes;
        bool is_empty = false; ///< In the database, too, when it was last asked.
        std::chrono::steady_clock::time_point asked_at{};
    };
    void want(const std::string& pool); ///< `mutex_` is held.
    void loop();
    void fill(const std::string& pool);
    void keep(const std::string& pool, std::vector<schema::CouponCode>& leased);

    const std::shared_ptr<CouponBook> book_;
    const std::function<journeys::Timestamp()> now_;
    Log& log_;
    const std::uint64_t lease_;
    std::mutex mutex_;
    std::condition_variable wanted_changed_;
    std::map<std::string, Pool, std::less<>> pools_;
    std::set<std::string> wanted_;
    bool is_open_ = false, stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
