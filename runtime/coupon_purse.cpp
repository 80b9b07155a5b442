#include "runtime/coupon_purse.hpp"

#include <random>
#include <utility>

namespace runtime {

using journeys::CouponAnswer;
using Steady = std::chrono::steady_clock;

namespace {

/// No two processes have the same, as far as chance goes; never 0, and no negative number.
std::uint64_t random_lease() {
    std::random_device device;
    return ((std::uint64_t{device()} << 31) ^ device()) | 1;
}

} // namespace

CouponPurse::CouponPurse(std::shared_ptr<CouponBook> book, std::function<journeys::Timestamp()> now,
                         Log& log)
    : book_(std::move(book)), now_(std::move(now)), log_(log), lease_(random_lease()),
      thread_([this] { loop(); }) {}

CouponPurse::~CouponPurse() { stop(); }

void CouponPurse::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wanted_changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

journeys::Result<void> CouponPurse::open() {
    if (auto ended = book_->end_leases(); !ended) return ended;
    const std::lock_guard lock{mutex_};
    is_open_ = true;
    wanted_changed_.notify_all();
    return {};
}

CouponAnswer CouponPurse::take(std::string_view name, journeys::RunId, journeys::Timestamp now) {
    const std::lock_guard lock{mutex_};
    auto found = pools_.find(name);
    if (found == pools_.end()) found = pools_.emplace(name, Pool{}).first;
    auto& [pool_name, pool] = *found;
    while (!pool.codes.empty()) {
        auto code = std::move(pool.codes.front());
        pool.codes.pop_front();
        if (pool.codes.size() < codes_held / 2) want(pool_name);
        const auto expires_at = code.expires_at.value_or(journeys::no_time);
        if (expires_at <= now) continue;
        return {.kind = CouponAnswer::Kind::code,
                .code = std::move(code.code),
                .expires_at = expires_at,
                .lease = lease_};
    }
    want(pool_name);
    return {.kind = pool.is_empty ? CouponAnswer::Kind::empty : CouponAnswer::Kind::not_now};
}

void CouponPurse::prepare(const std::string& name) {
    {
        const std::lock_guard lock{mutex_};
        const auto found = pools_.find(name);
        if (!is_open_ || (found != pools_.end() && !found->second.codes.empty())) return;
    }
    if (auto leased = book_->lease(name, lease_, codes_held, now_())) keep(name, *leased);
}

void CouponPurse::has_more(const std::string& name) {
    const std::lock_guard lock{mutex_};
    const auto found = pools_.find(name);
    if (found == pools_.end()) return;
    found->second.is_empty = false;
    want(name);
}

void CouponPurse::want(const std::string& name) {
    const auto& pool = pools_.find(name)->second;
    if (pool.is_empty && Steady::now() - pool.asked_at < asked_again_after) return;
    if (wanted_.insert(name).second) wanted_changed_.notify_all();
}

void CouponPurse::loop() {
    while (true) {
        std::string pool;
        {
            std::unique_lock lock{mutex_};
            wanted_changed_.wait(lock, [&] { return stopping_ || (is_open_ && !wanted_.empty()); });
            if (stopping_) return;
            pool = *wanted_.begin();
        }
        fill(pool);
    }
}

void CouponPurse::fill(const std::string& name) {
    auto leased = book_->lease(name, lease_, codes_held, now_());
    if (!leased) {
        log_.repeated_warning("no codes can be fetched",
                              {{"pool", name}, {"why", leased.error().detail}});
        // Tried again; what is asked for meanwhile waits.
        std::unique_lock lock{mutex_};
        wanted_changed_.wait_for(lock, std::chrono::seconds{1}, [&] { return stopping_; });
        return;
    }
    keep(name, *leased);
}

void CouponPurse::keep(const std::string& name, std::vector<schema::CouponCode>& leased) {
    const std::lock_guard lock{mutex_};
    wanted_.erase(name);
    auto& pool = pools_[name];
    pool.asked_at = Steady::now();
    pool.is_empty = leased.empty();
    for (auto& code : leased) pool.codes.push_back(std::move(code));
}

} // namespace runtime
