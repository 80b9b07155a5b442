#include "runtime/stored_products.hpp"

#include "runtime/database_session.hpp"
#include "schema/packed_json.hpp"

#include <mutex>

namespace runtime {

struct StoredProducts::Parts {
    DatabaseSession session;
    std::mutex mutex;
    std::string failure; ///< Guarded by `mutex`.
};

StoredProducts::StoredProducts(std::string conninfo)
    : parts_(new Parts{DatabaseSession{std::move(conninfo)}, {}, {}}) {}
StoredProducts::~StoredProducts() = default;

std::shared_ptr<const std::string> StoredProducts::find(std::string_view id) const {
    const auto body = parts_->session.run([&](pqxx::work& work) {
        const auto rows =
            work.exec_params("SELECT body FROM products WHERE id = $1", std::string{id});
        return rows.empty() ? std::string{} : rows[0][0].as<std::string>();
    });
    if (!body) {
        const std::scoped_lock lock{parts_->mutex};
        if (parts_->failure.empty()) parts_->failure = body.error().detail;
        return nullptr;
    }
    if (body->empty()) return nullptr;
    auto packed = schema::packed_from_json(*body);
    return packed ? std::make_shared<const std::string>(std::move(*packed)) : nullptr;
}

std::string StoredProducts::failure() const {
    const std::scoped_lock lock{parts_->mutex};
    return parts_->failure;
}

} // namespace runtime
