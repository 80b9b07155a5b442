#include "runtime/product_catalogue.hpp"

#include "journeys/copies.hpp"
#include "journeys/packed.hpp"
#include "runtime/database_session.hpp"
#include "runtime/walk_book.hpp"
#include "schema/packed_json.hpp"

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

class ProductCatalogue::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

ProductCatalogue::ProductCatalogue(std::string conninfo,
                                   std::function<bool(std::string_view event)> is_heard)
    : session_(std::make_unique<Session>(std::move(conninfo))), is_heard_(std::move(is_heard)) {}
ProductCatalogue::~ProductCatalogue() = default;

Result<void> ProductCatalogue::load() {
    const std::scoped_lock lock{taking_};
    return session_->run([&](pqxx::work& work) {
        for (const auto& row : work.exec(
                 "SELECT id, body, (extract(epoch FROM said_at) * 1000)::bigint FROM products")) {
            auto packed = schema::packed_from_json(row[1].as<std::string>());
            if (!packed) continue; // Was written by us, so it reads.
            keep(row[0].as<std::string>(), std::move(*packed),
                 journeys::from_millis(row[2].as<std::int64_t>()));
        }
    });
}

void ProductCatalogue::keep(std::string id, std::string packed, journeys::Timestamp said_at) {
    for (auto& item : schema::inventory_items_of(packed))
        product_of_item_.insert_or_assign(std::move(item), id);
    said_at_[id] = said_at;
    shelf_->put(std::move(id), std::move(packed));
}

Result<ProductCatalogue::Taken>
ProductCatalogue::take(const std::vector<schema::ProductChange>& changes, journeys::Timestamp now) {
    const std::scoped_lock lock{taking_};
    return take_one_batch(changes, now);
}

Result<ProductCatalogue::Taken> ProductCatalogue::take(const schema::StockLevel& level,
                                                       journeys::Timestamp now) {
    const std::scoped_lock lock{taking_};
    const auto product = product_of_item_.find(level.item);
    const auto known = product == product_of_item_.end() ? nullptr : shelf_->find(product->second);
    if (!known) return Taken{};
    return take_one_batch({schema::change_by(*known, level)}, now);
}

Result<ProductCatalogue::Taken>
ProductCatalogue::take_one_batch(const std::vector<schema::ProductChange>& changes,
                                 journeys::Timestamp now) {
    Taken taken;
    struct After {
        std::string packed;
        journeys::Timestamp said_at;
    };
    std::unordered_map<std::string, After> after; // Of a product that is said twice the last word.
    std::size_t added = 0;
    for (const auto& change : changes) {
        const auto at = std::min(change.said_at.value_or(now), now);
        const auto known = said_at_.find(change.id);
        auto [made, is_first] = after.try_emplace(change.id);
        if (is_first) {
            const auto before = shelf_->find(change.id);
            made->second.packed = before ? *before : std::string{};
            made->second.said_at = known == said_at_.end() ? journeys::Timestamp{} : known->second;
            if (known == said_at_.end()) ++added;
        }
        if (at < made->second.said_at) {
            ++taken.out_of_date;
            continue;
        }
        made->second.packed = schema::changed_product(made->second.packed, change.fields);
        made->second.said_at = at;
        if (made->second.packed.size() > 4 * schema::product_bytes_max)
            return Error{ErrorCode::limit_exceeded,
                         "a product would have more than 64 KiB of properties"};
        ++taken.changed;
    }
    if (said_at_.size() + added > products_max)
        return Error{ErrorCode::limit_exceeded, "more than 500,000 products"};
    std::vector<actors::Walk> walks;
    for (const auto& [id, product] : after) {
        const auto before = shelf_->find(id);
        for (auto& event : journeys::product_events(before ? *before : std::string{},
                                                    product.packed, product.said_at))
            if (is_heard_(event.name)) walks.push_back(walk_of(std::move(event), id));
    }
    const auto written = session_->run([&](pqxx::work& work) {
        const auto quote = [&](const std::string& text) { return work.quote(text); };
        for (const auto& walk : walks) work.exec(begin_walk_sql(walk, quote));
        for (const auto& [id, product] : after)
            work.exec_params("INSERT INTO products (id, body, said_at) VALUES ($1, $2, "
                             "to_timestamp($3::float8 / 1000)) ON CONFLICT (id) DO UPDATE SET "
                             "body = excluded.body, said_at = excluded.said_at",
                             id, journeys::to_json(journeys::PackedView{product.packed}),
                             journeys::to_millis(product.said_at));
    });
    if (!written) return written.error();
    for (auto& [id, product] : after) keep(id, std::move(product.packed), product.said_at);
    return taken;
}

} // namespace runtime
