/// `config/coupons.yaml`: the pools of codes that messages give away.
#pragma once

#include "schema/mistakes.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// A pool. Its codes are in the database; a file only brings more of them.
struct CouponPool {
    std::string file;     ///< A table as `schema/coupon_csv.hpp` has it; empty: none.
    Place at;             ///< Where the file is named.
    std::int64_t low = 0; ///< With fewer codes than this left the service warns; 0: at the last.
};

struct CouponsFile {
    std::map<std::string, CouponPool> pools; ///< By name.
    std::vector<Mistake> mistakes;
    bool is_read = true; ///< False: the file is no YAML, and what it holds is not known.
    std::set<std::string> names() const;
};

CouponsFile load_coupons(const std::string& file, std::string_view text);

inline constexpr std::size_t coupon_pools_max = 200;

} // namespace schema
