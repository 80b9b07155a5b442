#include "schema/stock_level.hpp"

#include "journeys/packed.hpp"
#include "schema/packed_json.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <map>

namespace schema {
namespace {

using journeys::PackedView;
using journeys::PackedWriter;

std::map<std::string, std::int64_t> levels_of(PackedView product) {
    std::map<std::string, std::int64_t> levels;
    for (const auto& [place, available] :
         product.find("properties").find("inventory_levels").entries())
        if (available.kind() == journeys::PackedKind::integer)
            levels.emplace(place, available.as_int());
    return levels;
}

std::int64_t sum_of(const std::map<std::string, std::int64_t>& levels) {
    std::int64_t sum = 0;
    for (const auto& [place, available] : levels) sum += available;
    return sum;
}

std::string fields_of(std::string_view id, std::int64_t stock,
                      const std::map<std::string, std::int64_t>& levels) {
    PackedWriter writer;
    const auto whole = writer.begin_map();
    writer.key("id");
    writer.string(id);
    writer.key("stock");
    writer.integer(stock);
    writer.key("properties");
    const auto properties = writer.begin_map();
    writer.key("inventory_levels");
    const auto places = writer.begin_map();
    for (const auto& [place, available] : levels) {
        writer.key(place);
        writer.integer(available);
    }
    writer.end_map(places, levels.size());
    writer.end_map(properties, 1);
    writer.end_map(whole, 3);
    return writer.take();
}

} // namespace

std::optional<StockLevel> stock_level_from_json(std::string_view json) {
    const auto packed = packed_from_json(json);
    if (!packed) return std::nullopt;
    const PackedView said{*packed};
    StockLevel level;
    level.item = said.string_at("inventory_item");
    level.place = said.string_at("inventory_place");
    const auto available = said.find("available");
    if (level.item.empty() || level.place.empty() ||
        available.kind() != journeys::PackedKind::integer)
        return std::nullopt;
    level.available = available.as_int();
    level.said_at = parse_producer_time(said.string_at("updated_at"));
    return level;
}

std::vector<std::string> inventory_items_of(std::string_view product) {
    std::vector<std::string> items;
    for (const auto& [none, item] :
         PackedView{product}.find("properties").find("inventory_items").entries())
        if (item.is_string()) items.emplace_back(item.as_string());
    return items;
}

ProductChange change_by(std::string_view product, const StockLevel& level) {
    const PackedView was{product};
    auto levels = levels_of(was);
    const auto stock = was.find("stock");
    const auto before = stock.is_number() ? static_cast<std::int64_t>(stock.as_double()) : 0;
    const bool is_whole = !levels.empty() && sum_of(levels) == before;
    const auto place = level.item + '@' + level.place;
    if (levels.size() < levels_max || levels.contains(place)) levels[place] = level.available;
    const auto after = is_whole ? sum_of(levels) : std::max(before, level.available);
    return {std::string{was.string_at("id")}, fields_of(was.string_at("id"), after, levels),
            level.said_at};
}

} // namespace schema
