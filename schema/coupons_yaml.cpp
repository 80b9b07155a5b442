#include "schema/coupons_yaml.hpp"

#include "schema/yaml_values.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace schema {
namespace {

const Section& pool_section() {
    static const Section section{"pool", "a pool of codes", {"file", "low"}};
    return section;
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

CouponPool read_pool(const YamlNode& node, Mistakes& mistakes) {
    CouponPool pool;
    if (node.is_empty()) return pool; // Filled by imports alone.
    const MapReader reader{node, pool_section(), mistakes};
    if (!reader.is_map()) return pool;
    ValueReader values{mistakes};
    if (const auto* file = reader.find("file")) {
        pool.file = values.text(*file, "a CSV file with a column code").value_or("");
        pool.at = file->at;
    }
    if (const auto* low = reader.find("low"))
        pool.low = values.integer(*low, 0, std::numeric_limits<std::int32_t>::max()).value_or(0);
    return pool;
}

Place place_of_file(const YamlNode& pool) {
    const auto* file = pool.find("file");
    return file ? file->at : pool.at;
}

/// `./coupons/../five.csv` as `five.csv`.
std::string plain_path(std::string_view path) {
    std::vector<std::string_view> parts;
    const bool is_absolute = path.starts_with('/');
    while (!path.empty()) {
        const auto part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(part.size() + 1, path.size()));
        if (part.empty() || part == ".") continue;
        if (part == ".." && !parts.empty() && parts.back() != "..")
            parts.pop_back();
        else
            parts.push_back(part);
    }
    std::string plain = is_absolute ? "/" : "";
    for (const auto part : parts)
        plain.append(plain.empty() || plain == "/" ? "" : "/").append(part);
    return plain;
}

/// Two pools that read one file would give each of its codes twice, to two people.
void take(const std::string& name, CouponPool pool, std::map<std::string, CouponPool>& pools,
          Place at, Mistakes& mistakes) {
    for (const auto& [other, known] : pools)
        if (!pool.file.empty() && plain_path(known.file) == plain_path(pool.file))
            mistakes.add(at, "the pools " + quoted(other) + " and " + quoted(name) + " both read " +
                                 quoted(pool.file) +
                                 ", so each code would be given twice. A code belongs to one pool; "
                                 "several journeys may name the same pool");
    pools.emplace(name, std::move(pool));
}

} // namespace

std::set<std::string> CouponsFile::names() const {
    std::set<std::string> all;
    for (const auto& [name, pool] : pools) all.insert(name);
    return all;
}

CouponsFile load_coupons(const std::string& file, std::string_view text) {
    Mistakes mistakes{file};
    CouponsFile loaded;
    const auto document = YamlDocument::parse(text, mistakes);
    const auto& root = document.root();
    if (!root.is_map() && !root.is_empty())
        mistakes.add(root.at, "a file of coupons is a map from pools to where their codes are, "
                              "such as spring: { file: coupons/spring.csv, low: 100 }");
    if (root.entries.size() > coupon_pools_max)
        mistakes.add(root.at, "more than " + std::to_string(coupon_pools_max) + " pools");
    for (const auto& [name, body] : root.entries) {
        if (is_name(name.text))
            take(name.text, read_pool(body, mistakes), loaded.pools, place_of_file(body), mistakes);
        else
            mistakes.add(name.at,
                         quoted(name.text) + " is no pool's name: a-z, 0-9 and -, at most 64");
    }
    loaded.is_read = !mistakes.has_errors() || !root.is_empty();
    loaded.mistakes = mistakes.take();
    return loaded;
}

} // namespace schema
