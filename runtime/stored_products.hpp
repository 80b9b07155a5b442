/// The shop's products as the database has them, one by one, for commands that ask for few.
#pragma once

#include "journeys/products.hpp"
#include "journeys/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace runtime {

/// Any thread; each question goes to the database, so what is written meanwhile is seen.
class StoredProducts final : public journeys::Products {
public:
    explicit StoredProducts(std::string conninfo);
    ~StoredProducts() override;
    /// Null too where the database cannot be asked; `failure` says so.
    std::shared_ptr<const std::string> find(std::string_view id) const override;
    /// The first that went wrong; empty: nothing did.
    std::string failure() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace runtime
