#include "schema/product_json.hpp"

#include "journeys/packed.hpp"
#include "journeys/products.hpp"
#include "schema/packed_json.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace schema {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::PackedView;
using journeys::PackedWriter;
using journeys::ProductField;
using journeys::Result;

constexpr std::size_t id_bytes_max = 256;
constexpr std::size_t body_bytes_max = 4 * 1024 * 1024;

Error wrong(std::string why) { return {ErrorCode::invalid_argument, std::move(why)}; }

/// Ids come as numbers, too.
std::string id_text(PackedView value) {
    if (value.is_string()) return std::string{value.as_string()};
    if (value.kind() == journeys::PackedKind::integer) return std::to_string(value.as_int());
    return {};
}

/// A number, or a text that is one: shops send prices as texts.
std::optional<double> number(PackedView value) {
    if (value.is_number()) return value.as_double();
    if (!value.is_string()) return std::nullopt;
    const auto text = value.as_string();
    double read = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return read;
}

/// Writes the field, or says what belongs there.
std::string write(PackedWriter& writer, const ProductField& field, PackedView value) {
    writer.key(field.name);
    if (value.is_null()) {
        writer.null();
        return {};
    }
    const std::string name{field.name};
    switch (field.kind) {
    case ProductField::Kind::text:
        if (!value.is_string()) return name + " is a text";
        writer.string(value.as_string());
        return {};
    case ProductField::Kind::money: {
        const auto amount = number(value);
        if (!amount || !(*amount >= 0 && *amount < 1e12))
            return name + " is a number from 0 on, in units of the currency";
        writer.floating(*amount);
        return {};
    }
    case ProductField::Kind::integer: {
        const auto amount = number(value);
        if (!amount || *amount != static_cast<double>(static_cast<std::int64_t>(*amount)) ||
            std::abs(*amount) > 1e12)
            return name + " is a whole number";
        writer.integer(static_cast<std::int64_t>(*amount));
        return {};
    }
    case ProductField::Kind::boolean:
        if (!value.is_bool()) return name + " is true or false";
        writer.boolean(value.as_bool());
        return {};
    }
    return {};
}

Result<ProductChange> product(PackedView json) {
    if (!json.is_map()) return wrong("a product is a JSON object");
    if (json.bytes().size() > product_bytes_max)
        return wrong("a product has at most 16 KiB; this one has more");
    ProductChange change;
    const auto id = json.find("product_id") ? json.find("product_id") : json.find("id");
    change.id = id_text(id);
    const bool is_storable = change.id.find('\0') == change.id.npos; // As a text of the database.
    if (change.id.empty() || change.id.size() > id_bytes_max || !is_storable)
        return wrong("product_id is missing, or no text of 1 to 256 bytes");
    if (const auto at = json.find("updated_at"); at && !at.is_null()) {
        change.said_at = at.is_string() ? parse_producer_time(at.as_string()) : std::nullopt;
        if (!change.said_at) return wrong("updated_at is no time such as 2026-11-27T08:00:00Z");
    }
    PackedWriter writer, more;
    const auto mark = writer.begin_map(), more_mark = more.begin_map();
    std::size_t count = 1, more_count = 0;
    writer.key("id");
    writer.string(change.id);
    for (const auto& [key, value] : json.entries()) {
        if (key == "id" || key == "product_id" || key == "updated_at") continue;
        if (key == "type" && json.string_at(key) == "product")
            continue; // Of a line among messages.
        const auto field = std::ranges::find(journeys::product_fields, key, &ProductField::name);
        if (field != journeys::product_fields.end()) {
            if (auto why = write(writer, *field, value); !why.empty()) return wrong(std::move(why));
            ++count;
            continue;
        }
        if (key == "properties" && value.is_map()) {
            for (const auto& [name, property] : value.entries()) {
                if (json.find(name) && name != "properties") continue; // Said beside them, too.
                more.key(name);
                more.value(property);
                ++more_count;
            }
            continue;
        }
        more.key(key);
        more.value(value);
        ++more_count;
    }
    more.end_map(more_mark, more_count);
    if (more_count > 0) {
        writer.key("properties");
        writer.value(PackedView{more.bytes()});
        ++count;
    }
    writer.end_map(mark, count);
    change.fields = writer.take();
    return change;
}

} // namespace

Result<ProductsBody> products_from_json(std::string_view body) {
    const auto packed = packed_from_json(body, {.bytes_max = body_bytes_max});
    if (!packed) return packed.error();
    PackedView json{*packed};
    if (json.is_map() && json.find("products")) json = json.find("products");
    ProductsBody read;
    std::size_t index = 0;
    const auto take = [&](PackedView one) {
        if (auto made = product(one))
            read.products.push_back(std::move(*made));
        else
            read.refused.push_back({index, made.error().detail});
        ++index;
    };
    if (json.is_map()) {
        read.is_one = true;
        take(json);
        return read;
    }
    if (!json.is_list())
        return wrong("a product, a list of products, or {\"products\": [ ]} is expected");
    if (json.size() > products_per_body)
        return wrong("a body has at most " + std::to_string(products_per_body) + " products");
    for (const auto& [none, one] : json.entries()) take(one);
    return read;
}

std::string changed_product(std::string_view before, std::string_view change) {
    const PackedView was{before}, now{change};
    auto merged = journeys::merge_maps(was, now);
    if (!was.find("properties").is_map() || !now.find("properties").is_map()) return merged;
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("properties");
    writer.value(PackedView{journeys::merge_maps(was.find("properties"), now.find("properties"))});
    writer.end_map(mark, 1);
    return journeys::merge_maps(PackedView{merged}, PackedView{writer.bytes()});
}

} // namespace schema
