#include "runtime/listener/request.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/url_text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace runtime {
namespace {

std::string_view first_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                          std::string_view name) {
    for (const auto& [own, value] : pairs)
        if (own == name) return value;
    return {};
}

/// Cuts the text up to `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

int status_of(journeys::ErrorCode code) {
    switch (code) {
    case journeys::ErrorCode::invalid_argument: return 400;
    case journeys::ErrorCode::unauthorized: return 401;
    case journeys::ErrorCode::not_found: return 404;
    default: return 503;
    }
}

} // namespace

std::string_view Request::header(std::string_view name) const { return first_of(headers, name); }
std::string_view Request::parameter(std::string_view name) const { return first_of(query, name); }

bool is_of_proxy(std::string_view header) {
    return header == "forwarded" || header == "via" || header == "x-real-ip" ||
           header.starts_with("x-forwarded-");
}

bool is_loopback_host(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
    const auto name = host.substr(0, host.find(':'));
    if (journeys::to_lower(name) == "localhost") return true;
    // A name such as 127.example.com is somebody else's.
    return name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos;
}

Response error_response(int status, std::string_view error) {
    Response response{.status = status, .body = "{\"error\":" + json_text(error) + "}"};
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

std::string_view public_text(const journeys::Error& error) {
    switch (error.code) {
    case journeys::ErrorCode::storage_unavailable: return "storage is not reachable";
    case journeys::ErrorCode::invalid_state: return "what is stored cannot be used";
    default: return error.detail;
    }
}

Response failure_response(const journeys::Error& error) {
    return failure_response(error, public_text(error));
}

Response failure_response(const journeys::Error& error, std::string_view text) {
    auto response = error_response(status_of(error.code), text);
    if (public_text(error) != error.detail) response.fault = error.detail;
    return response;
}

std::string json_text(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   std::string_view path) {
    std::vector<std::string> arguments;
    while (!pattern.empty() && !path.empty()) {
        const auto wanted = take_until(pattern, '/');
        const auto part = take_until(path, '/');
        if (wanted.starts_with('{') && !part.empty())
            arguments.push_back(url_decode(part, false));
        else if (wanted != part)
            return std::nullopt;
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return arguments;
}

} // namespace runtime
