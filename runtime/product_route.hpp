/// `POST /v1/products`: what the shop says of its products.
#pragma once

#include "runtime/listener/request.hpp"
#include "runtime/product_catalogue.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>

namespace runtime {

/// All of it outlives the listener.
struct ProductRouteParts {
    ProductCatalogue& catalogue;
    std::function<bool()> is_up; ///< Else this process stands by, and another keeps the products.
    boost::asio::thread_pool& workers;
    std::function<journeys::Timestamp()> now;
};

/// One product, a list, or `{"products": […]}`; answers when it is durable. A wrong product costs
/// only itself. `GET /v1/products/{id}` shows what is known of one.
Handlers make_product_routes(const ProductRouteParts& parts);

} // namespace runtime
