#include "runtime/imports/product_table.hpp"

#include "runtime/imports/import_rows.hpp"
#include "schema/product_json.hpp"

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;

journeys::Result<std::shared_ptr<ProductShelf>> read_product_table(std::istream& in,
                                                                   const std::string& name) {
    const auto at = [&](std::uint64_t line, const std::string& why) {
        return Error{ErrorCode::invalid_argument, name + ':' + std::to_string(line) + ": " + why};
    };
    auto table = schema::CsvReader::open(in);
    if (!table) return at(1, table.error().detail);
    const auto rows = open_import("products", *table, {}, journeys::timestamp_max);
    if (!rows) return at(1, rows.error().detail);
    auto shelf = std::make_shared<ProductShelf>();
    while (true) {
        const auto row = table->next();
        if (row == schema::CsvReader::Row::end) break;
        if (row == schema::CsvReader::Row::bad) return at(table->line(), table->why());
        std::string json = "[";
        if (const auto made = (*rows)->append(*table, json); !made)
            return at(table->line(), made.error().detail);
        json.back() = ']'; // Instead of the comma.
        const auto body = schema::products_from_json(json);
        if (!body) return at(table->line(), body.error().detail);
        for (const auto& product : body->products) {
            const auto before = shelf->find(product.id);
            shelf->put(product.id,
                       schema::changed_product(before ? *before : std::string{}, product.fields));
        }
    }
    return shelf;
}

} // namespace runtime
