#include "runtime/listener/door_routes.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/listener/http_answers.hpp"
#include "schema/timestamp_text.hpp"

#include <cstdio>
#include <utility>

namespace runtime::listener {
namespace {

namespace http = boost::beast::http;

Response health(const Door& door) {
    char speed[32];
    std::snprintf(speed, sizeof speed, "%g", door.config.clock_speed);
    return {.body = "{\"status\":\"ok\",\"service_time\":\"" +
                    schema::timestamp_text(door.ports.now()) + "\",\"clock_speed\":" + speed + "}"};
}

Response readiness(const Door& door) {
    const auto why = door.stopping ? std::string{"going down"} : door.not_ready();
    if (why.empty()) return {.body = "{\"ready\":true}"};
    return {.status = 503, .body = "{\"ready\":false,\"reason\":" + json_text(why) + "}"};
}

} // namespace

std::optional<Response> state_of_door(const Arrival& arrival, const Door& door) {
    if (arrival.method() != "GET" && !arrival.is_head()) return std::nullopt;
    if (arrival.path == "/healthz") return health(door);
    if (arrival.path == "/readyz") return readiness(door);
    if (arrival.path == "/metrics" && door.ports.metrics)
        return Response{.body = door.ports.metrics(),
                        .content_type = "text/plain; version=0.0.4; charset=utf-8"};
    return std::nullopt;
}

Outcome take_route(Arrival& arrival, const Door& door, const Place& place,
                   const MakeRespond& respond) {
    const auto method = arrival.method();
    std::string allowed;
    for (const auto& route : door.ports.handlers) {
        auto arguments = match_path(route.path, arrival.path);
        if (!arguments) continue;
        if (route.method != method && !(arrival.is_head() && route.method == "GET")) {
            allowed += (allowed.empty() ? "" : ", ") + route.method;
            continue;
        }
        Request request;
        const bool is_open = route.is_open_here && !arrival.was_passed_on() &&
                             is_loopback_host(arrival.header(http::field::host));
        if (route.scope && !place.is_local() && !is_open) {
            const auto& keys = door.config.keys;
            const auto* key =
                arrival.find_key(keys, arrival.shown_key(keys).value_or(std::string{}));
            if (!key) {
                auto response = unauthorized();
                response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"sojourn\"");
                return response;
            }
            if (!key->allows(*route.scope))
                return error_response(403, "the key does not allow this");
            request.key = key->name;
        }
        request.method = method;
        request.path = arrival.path;
        request.query = std::move(arrival.query);
        request.arguments = std::move(*arguments);
        request.body = std::move(arrival.message.body());
        for (const auto& field : arrival.message) {
            const auto name = field.name_string();
            const auto value = field.value();
            request.headers.emplace_back(journeys::to_lower({name.data(), name.size()}),
                                         std::string_view{value.data(), value.size()});
        }
        route.handle(std::move(request), respond());
        return AnsweredLater{};
    }
    if (allowed.empty()) return error_response(404, "no such path");
    return not_allowed(allowed);
}

} // namespace runtime::listener
