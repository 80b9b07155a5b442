/// The pools of codes of a running service: filled from files and imports, watched, and asked by
/// hand-overs.
#pragma once

#include "runtime/coupon_book.hpp"
#include "runtime/coupon_purse.hpp"
#include "runtime/log.hpp"
#include "runtime/periodic.hpp"
#include "schema/coupons_yaml.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct CouponKeeperParts {
    std::string conninfo;
    std::filesystem::path directory; ///< Of the configuration: pools' files are relative to it.
    std::function<journeys::Timestamp()> now;
    std::function<void(const std::string& pool, std::int64_t left)> show; ///< For metrics.
    Log& log;
};

/// Blocking but for `source` and `warnings`; any thread.
class CouponKeeper {
public:
    explicit CouponKeeper(CouponKeeperParts parts);

    /// Who gives codes out; nobody is given one before `begin`.
    std::shared_ptr<CouponPurse> source() const { return purse_; }
    /// This process works: reads the pools' files, gives codes out, and looks at what is left every
    /// `looked_at_every`.
    journeys::Result<void> begin(std::map<std::string, schema::CouponPool> pools);
    /// The pools of a new publication, whose files are read again: codes are only ever added.
    void use(std::map<std::string, schema::CouponPool> pools);
    /// The files again: they may hold more.
    void read_again();
    /// How many were new. `invalid_argument` where the configuration has no such pool.
    journeys::Result<std::int64_t> add(const std::string& pool,
                                       const std::vector<schema::CouponCode>& codes);
    /// What is low, a sentence each: for the page.
    std::vector<std::string> warnings() const;
    /// All pools of the configuration and of the database; for people, or as JSON.
    journeys::Result<std::string> told(bool as_json) const;
    void stop();

    static constexpr std::chrono::seconds looked_at_every{10};

private:
    void read_files();
    void prepare(); ///< So that no hand-over waits for a pool's first codes.
    void look();

    CouponKeeperParts parts_;
    std::shared_ptr<CouponBook> book_;
    std::shared_ptr<CouponPurse> purse_;
    mutable std::mutex mutex_;
    std::map<std::string, schema::CouponPool> pools_; ///< Guarded by `mutex_`.
    std::map<std::string, std::string> low_;          ///< Likewise: what is said of each pool.
    std::optional<Periodic> looking_;                 ///< Last: it uses all the others.
};

/// What `sojourn coupons` prints of `stands` and the pools of the configuration.
std::string coupons_text(const std::map<std::string, schema::CouponPool>& pools,
                         const std::vector<PoolStand>& stands);
std::string coupons_json(const std::map<std::string, schema::CouponPool>& pools,
                         const std::vector<PoolStand>& stands);

} // namespace runtime
