#include "runtime/product_shelf.hpp"

#include <mutex>

namespace runtime {

std::shared_ptr<const std::string> ProductShelf::find(std::string_view id) const {
    const std::shared_lock lock{mutex_};
    const auto found = products_.find(id);
    return found == products_.end() ? nullptr : found->second;
}

void ProductShelf::put(std::string id, std::string packed) {
    auto made = std::make_shared<const std::string>(std::move(packed));
    const std::unique_lock lock{mutex_};
    products_.insert_or_assign(std::move(id), std::move(made));
}

std::size_t ProductShelf::size() const {
    const std::shared_lock lock{mutex_};
    return products_.size();
}

} // namespace runtime
