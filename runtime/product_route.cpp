#include "runtime/product_route.hpp"

#include "journeys/packed.hpp"

#include <boost/asio/post.hpp>

#include <memory>

namespace runtime {
namespace {

std::string answer_text(const ProductCatalogue::Taken& taken, const schema::ProductsBody& body) {
    std::string text = "{\"changed\":" + std::to_string(taken.changed) +
                       ",\"out_of_date\":" + std::to_string(taken.out_of_date) + ",\"rejected\":[";
    for (std::size_t i = 0; i < body.refused.size(); ++i)
        text += (i > 0 ? ",{\"index\":" : "{\"index\":") + std::to_string(body.refused[i].index) +
                ",\"error\":" + json_text(body.refused[i].why) + '}';
    return text + "]}";
}

} // namespace

Handlers make_product_routes(const ProductRouteParts& given) {
    const auto parts = std::make_shared<const ProductRouteParts>(given);
    const auto post = [parts](Request request, Respond respond) {
        if (!parts->is_up()) return respond(error_response(503, "this process stands by"));
        boost::asio::post(
            parts->workers, [parts, request = std::move(request), respond = std::move(respond)] {
                const auto body = schema::products_from_json(request.body);
                if (!body) return respond(error_response(400, body.error().detail));
                const auto taken = parts->catalogue.take(body->products, parts->now());
                if (!taken) {
                    const bool is_full = taken.error().code == journeys::ErrorCode::limit_exceeded;
                    return respond(is_full ? error_response(400, taken.error().detail)
                                           : failure_response(taken.error()));
                }
                const bool is_wrong = body->is_one && body->products.empty();
                respond({.status = is_wrong ? 400 : 200, .body = answer_text(*taken, *body)});
            });
    };
    const auto get = [parts](const Request& request, const Respond& respond) {
        const auto found = parts->catalogue.shelf()->find(request.arguments.at(0));
        if (!found) return respond(error_response(404, "no such product"));
        respond({.body = journeys::to_json(journeys::PackedView{*found})});
    };
    return {{"POST", "/v1/products", Scope::ingest, post},
            {"GET", "/v1/products/{id}", Scope::admin, get}};
}

} // namespace runtime
