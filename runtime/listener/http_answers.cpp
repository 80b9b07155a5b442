#include "runtime/listener/http_answers.hpp"

#include "runtime/listener/answers.hpp"

#include <boost/beast/http/status.hpp>

namespace runtime::listener {

namespace http = boost::beast::http;

Response failure(int status, std::string_view why) {
    return {.status = status, .body = failure_text(why)};
}

Response unavailable(int status, std::string_view why, const ListenerLimits& limits) {
    auto response = failure(status, why);
    response.headers.emplace_back("Retry-After", std::to_string(limits.retry_after.count()));
    return response;
}

Response unauthorized() { return error_response(401, "unknown key"); }

Response not_allowed(std::string_view allowed) {
    auto response = error_response(405, "method not allowed");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

Response with_cors(Response response) {
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    response.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After");
    return response;
}

Response preflight(std::string_view methods) {
    auto response = with_cors({.status = 204, .content_type = ""});
    response.headers.emplace_back("Access-Control-Allow-Methods", methods);
    response.headers.emplace_back("Access-Control-Allow-Headers",
                                  "authorization, content-type, x-retry-count");
    response.headers.emplace_back("Access-Control-Max-Age", "86400");
    return response;
}

std::string http_text(const Response& response, WireForm form) {
    const auto phrase =
        http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
    auto out = "HTTP/1.1 " + std::to_string(response.status) + " ";
    out.append(phrase.data(), phrase.size()).append("\r\n");
    if (!response.content_type.empty())
        out.append("Content-Type: ").append(response.content_type).append("\r\n");
    for (const auto& [name, value] : response.headers)
        out.append(name).append(": ").append(value).append("\r\n");
    const bool has_length = response.status != 204;
    if (has_length)
        out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    if (form.closes)
        out += "Connection: close\r\n";
    else if (form.keeps_alive)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    if (form.has_body && has_length) out += response.body;
    return out;
}

} // namespace runtime::listener
