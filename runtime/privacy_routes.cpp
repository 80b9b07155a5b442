#include "runtime/privacy_routes.hpp"

#include "runtime/operator_answers.hpp"

#include <boost/asio/post.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace runtime {
namespace {

using journeys::Result;
using Parts = std::shared_ptr<const PrivacyRouteParts>;

/// Asks on a thread that may block.
template <class Ask> void later(const Parts& parts, const Respond& respond, Ask ask) {
    boost::asio::post(parts->workers, [parts, respond, ask = std::move(ask)] {
        auto response = ask();
        if (!response) return answer_error(respond, response.error());
        respond(std::move(*response));
    });
}

void list(const Parts& parts, const Request& request, const Respond& respond) {
    const bool as_json = !request.parameter("json").empty();
    const bool all = !request.parameter("all").empty();
    later(parts, respond, [parts, as_json, all]() -> Result<Response> {
        auto text = privacy_text(parts->requests, all, as_json);
        if (!text) return text.error();
        return plain(std::move(*text));
    });
}

/// For a path that names a request.
template <class Ask>
void of_request(const Parts& parts, const Request& request, const Respond& respond, Ask ask) {
    const auto number = parse_request_number(request.arguments.at(0));
    if (!number) return respond(error_response(404, "no open request has this number"));
    later(parts, respond,
          [ask, number = *number, actor = actor_of(request)] { return ask(number, actor); });
}

void finish(const Parts& parts, const Request& request, const Respond& respond) {
    of_request(parts, request, respond,
               [parts](std::int64_t number, const std::string& actor) -> Result<Response> {
                   const auto done = parts->desk.finish(number, actor);
                   if (!done) return done.error();
                   return *done ? Response{.body = "{}"}
                                : error_response(404, "no open request has this number");
               });
}

void export_request(const Parts& parts, const Request& request, const Respond& respond) {
    of_request(parts, request, respond,
               [parts](std::int64_t number, const std::string& actor) -> Result<Response> {
                   auto text = parts->desk.export_request(number, actor);
                   if (!text) return text.error();
                   return Response{.body = std::move(*text)};
               });
}

void erase_shop(const Parts& parts, const Request& request, const Respond& respond) {
    of_request(parts, request, respond,
               [parts, shop = std::string{request.parameter("shop")}](
                   std::int64_t number, const std::string& actor) -> Result<Response> {
                   if (auto done = parts->desk.confirm_shop(number, shop, actor); !done)
                       return done.error();
                   parts->has_been_confirmed();
                   return Response{.status = 202, .body = "{}"};
               });
}

void erase(const Parts& parts, const Request& request, const Respond& respond) {
    later(parts, respond,
          [parts, id = request.arguments.at(0), actor = actor_of(request)]() -> Result<Response> {
              const auto rows = parts->desk.erase(id, actor);
              if (!rows) {
                  // Begun and not done: whoever carries requests out goes on.
                  parts->has_been_confirmed();
                  return rows.error();
              }
              return Response{.body = "{\"erased\":true,\"rows\":" + std::to_string(*rows) + "}"};
          });
}

void export_all(const Parts& parts, const Request& request, const Respond& respond) {
    later(parts, respond,
          [parts, id = request.arguments.at(0), actor = actor_of(request)]() -> Result<Response> {
              auto text = parts->desk.export_all(id, actor);
              if (!text) return text.error();
              return Response{.body = std::move(*text)};
          });
}

} // namespace

Handlers make_privacy_routes(const PrivacyRouteParts& given) {
    const auto parts = std::make_shared<const PrivacyRouteParts>(given);
    Handlers routes;
    const auto add = [&](const char* method, const char* path, auto handle) {
        routes.push_back({method, path, Scope::admin,
                          [parts, handle](const Request& request, const Respond& respond) {
                              handle(parts, request, respond);
                          }});
    };
    add("GET", "/admin/privacy", list);
    add("GET", "/admin/privacy/{number}/export", export_request);
    add("POST", "/admin/privacy/{number}/done", finish);
    add("POST", "/admin/privacy/{number}/erase-shop", erase_shop);
    add("DELETE", "/v1/customers/{id}", erase);
    add("GET", "/v1/customers/{id}/export", export_all);
    return routes;
}

} // namespace runtime
