/// The shop's products in memory, for hand-overs on any thread.
#pragma once

#include "journeys/products.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

namespace runtime {

class ProductShelf final : public journeys::Products {
public:
    std::shared_ptr<const std::string> find(std::string_view id) const override;
    void put(std::string id, std::string packed);
    std::size_t size() const;

private:
    mutable std::shared_mutex mutex_;
    std::map<std::string, std::shared_ptr<const std::string>, std::less<>> products_;
};

} // namespace runtime
