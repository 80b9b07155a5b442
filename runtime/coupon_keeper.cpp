#include "runtime/coupon_keeper.hpp"

#include "runtime/event_files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

/// The stands in the order of their names, with those of which there is no code yet.
std::vector<PoolStand> whole(const std::map<std::string, schema::CouponPool>& pools,
                             const std::vector<PoolStand>& stands) {
    std::map<std::string, PoolStand> by_name;
    for (const auto& [name, pool] : pools) by_name[name].pool = name;
    for (const auto& stand : stands) by_name[stand.pool] = stand;
    std::vector<PoolStand> all;
    for (auto& [name, stand] : by_name) all.push_back(std::move(stand));
    return all;
}

std::int64_t low_of(const std::map<std::string, schema::CouponPool>& pools,
                    const std::string& name) {
    const auto found = pools.find(name);
    return found == pools.end() ? 0 : found->second.low;
}

/// A million codes of 250 bytes.
constexpr std::uintmax_t file_bytes_max = 256 << 20;

/// Nothing where there are enough.
std::string warning_of(const std::string& pool, std::int64_t left, std::int64_t low) {
    if (left == 0) return "coupons: the pool " + pool + " is empty, its messages are not sent";
    if (left < low)
        return "coupons: " + std::to_string(left) + " codes are left in the pool " + pool +
               ", it warns below " + std::to_string(low);
    return {};
}

/// How long the codes will last at the pace of the last day.
std::string lasts(const PoolStand& stand) {
    if (stand.given_today == 0 || stand.left() == 0) return "–";
    const auto days = stand.left() / stand.given_today;
    return days == 0 ? "less than a day" : std::to_string(days) + (days == 1 ? " day" : " days");
}

} // namespace

std::string coupons_text(const std::map<std::string, schema::CouponPool>& pools,
                         const std::vector<PoolStand>& stands) {
    const auto all = whole(pools, stands);
    if (all.empty()) return "no pools: config/coupons.yaml names them\n";
    std::string text = "pool                          left     given  in 24 h   expired  lasts\n";
    for (const auto& stand : all) {
        char line[160];
        std::snprintf(line, sizeof line, "%-24s %9lld %9lld %8lld %9lld  ", stand.pool.c_str(),
                      static_cast<long long>(stand.left()), static_cast<long long>(stand.given),
                      static_cast<long long>(stand.given_today),
                      static_cast<long long>(stand.expired));
        text += line + lasts(stand);
        if (!pools.contains(stand.pool))
            text += " · not in coupons.yaml any more";
        else if (const auto low = low_of(pools, stand.pool); stand.left() == 0)
            text += " · empty";
        else if (stand.left() < low)
            text += " · low, it warns below " + std::to_string(low);
        text += '\n';
    }
    return text;
}

std::string coupons_json(const std::map<std::string, schema::CouponPool>& pools,
                         const std::vector<PoolStand>& stands) {
    using nlohmann::ordered_json;
    ordered_json json{{"pools", ordered_json::array()}};
    for (const auto& stand : whole(pools, stands))
        json["pools"].push_back({{"pool", stand.pool},
                                 {"left", stand.left()},
                                 {"given", stand.given},
                                 {"given_in_24_hours", stand.given_today},
                                 {"expired", stand.expired},
                                 {"low", low_of(pools, stand.pool)},
                                 {"configured", pools.contains(stand.pool)}});
    return json.dump();
}

CouponKeeper::CouponKeeper(CouponKeeperParts parts)
    : parts_(std::move(parts)), book_(std::make_shared<CouponBook>(parts_.conninfo)),
      purse_(std::make_shared<CouponPurse>(book_, parts_.now, parts_.log)) {}

Result<void> CouponKeeper::begin(std::map<std::string, schema::CouponPool> pools) {
    {
        const std::lock_guard lock{mutex_};
        pools_ = std::move(pools);
    }
    read_files();
    if (auto opened = purse_->open(); !opened) return opened;
    prepare();
    look();
    looking_.emplace(looked_at_every, [this] { look(); });
    return {};
}

void CouponKeeper::use(std::map<std::string, schema::CouponPool> pools) {
    {
        const std::lock_guard lock{mutex_};
        pools_ = std::move(pools);
    }
    read_again();
    prepare();
}

void CouponKeeper::prepare() {
    std::vector<std::string> names;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& [name, pool] : pools_) names.push_back(name);
    }
    for (const auto& name : names) purse_->prepare(name);
}

void CouponKeeper::read_again() {
    read_files();
    look();
}

void CouponKeeper::read_files() {
    std::map<std::string, schema::CouponPool> pools;
    {
        const std::lock_guard lock{mutex_};
        pools = pools_;
    }
    for (const auto& [name, pool] : pools) {
        if (pool.file.empty()) continue;
        const auto file = parts_.directory / pool.file;
        const auto warn = [&](const std::string& why) {
            parts_.log.warning("codes cannot be read",
                               {{"pool", name}, {"file", pool.file}, {"why", why}});
        };
        std::error_code error;
        if (const auto size = std::filesystem::file_size(file, error);
            !error && size > file_bytes_max) {
            warn("it is larger than " + std::to_string(file_bytes_max >> 20) + " MB");
            continue;
        }
        auto text = read_file(file);
        if (!text) {
            warn(text.error().detail);
            continue;
        }
        const auto digest = journeys::hash(*text);
        if (const auto known = book_->has_file(name, digest); known && *known) continue;
        std::istringstream lines{*std::move(text)};
        const auto read = schema::read_coupon_codes(lines);
        if (!read) {
            warn(read.error().detail);
            continue;
        }
        // One with mistakes is read at every start, so that it is said of it.
        const bool is_whole = read->refused.empty();
        if (!is_whole)
            warn(std::to_string(read->refused.size()) + " lines are refused, the first: line " +
                 std::to_string(read->refused.front().line) + ", " + read->refused.front().why);
        const auto added =
            book_->add(name, read->codes, is_whole ? std::optional{digest} : std::nullopt);
        if (!added) {
            warn(added.error().detail);
            continue;
        }
        if (*added == 0) continue;
        purse_->has_more(name);
        parts_.log.info("codes were added", {{"pool", name}, {"codes", *added}});
    }
}

Result<std::int64_t> CouponKeeper::add(const std::string& pool,
                                       const std::vector<schema::CouponCode>& codes) {
    {
        const std::lock_guard lock{mutex_};
        if (!pools_.contains(pool)) {
            std::vector<std::string> known;
            for (const auto& [name, one] : pools_) known.push_back(name);
            return Error{ErrorCode::invalid_argument,
                         "no pool \"" + pool + "\"." + schema::did_you_mean(pool, known) +
                             " Pools stand in config/coupons.yaml: " + schema::listed(known)};
        }
    }
    auto added = book_->add(pool, codes);
    if (added && *added > 0) {
        purse_->has_more(pool);
        look();
    }
    return added;
}

void CouponKeeper::look() {
    const auto left = book_->left(parts_.now());
    if (!left) return; // Said by others; the next look is soon.
    const std::lock_guard lock{mutex_};
    std::map<std::string, std::string> low;
    for (const auto& [name, pool] : pools_) {
        const auto stand = std::ranges::find(*left, name, &PoolStand::pool);
        const auto codes = stand == left->end() ? 0 : stand->codes;
        if (parts_.show) parts_.show(name, codes);
        auto warning = warning_of(name, codes, pool.low);
        if (warning.empty()) continue;
        if (!low_.contains(name))
            parts_.log.warning("a pool of codes runs low", {{"pool", name}, {"left", codes}});
        low[name] = std::move(warning);
    }
    low_ = std::move(low);
}

std::vector<std::string> CouponKeeper::warnings() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const auto& [name, warning] : low_) all.push_back(warning);
    return all;
}

Result<std::string> CouponKeeper::told(bool as_json) const {
    const auto stands = book_->stands(parts_.now());
    if (!stands) return stands.error();
    const std::lock_guard lock{mutex_};
    return as_json ? coupons_json(pools_, *stands) : coupons_text(pools_, *stands);
}

void CouponKeeper::stop() {
    looking_.reset();
    purse_->stop();
}

} // namespace runtime
