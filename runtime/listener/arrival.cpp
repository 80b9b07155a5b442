#include "runtime/listener/arrival.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/listener/request.hpp"

#include <algorithm>
#include <utility>

namespace runtime::listener {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

} // namespace

std::string_view Arrival::method() const { return as_view(message.method_string()); }
bool Arrival::is_head() const { return message.method() == http::verb::head; }

std::string_view Arrival::header(http::field name) const { return as_view(message[name]); }
std::string_view Arrival::header(std::string_view name) const {
    return as_view(message[beast::string_view{name.data(), name.size()}]);
}

bool Arrival::was_passed_on() const {
    return std::ranges::any_of(message, [](const auto& field) {
        return is_of_proxy(journeys::to_lower(as_view(field.name_string())));
    });
}

const Key* Arrival::find_key(const KeyRing& keys, std::string_view text) const {
    const auto* key = keys.find(text);
    return key && key->is_for_here_only && was_passed_on() ? nullptr : key;
}

std::optional<std::string> Arrival::shown_key(const KeyRing& keys) const {
    const auto authorization = header(http::field::authorization);
    if (!authorization.empty()) {
        auto key = key_of_authorization(authorization);
        if (!key) return std::string{};
        const bool may_be_elsewhere = // Bearer: OAuth.
            authorization.size() > 1 && (authorization[1] == 'e' || authorization[1] == 'E');
        if (!may_be_elsewhere || find_key(keys, *key)) return key;
    }
    for (const auto& [name, value] : query)
        if (name == "write_key" || name == "writeKey") return value;
    return std::nullopt;
}

schema::Decoded<schema::NamedKey> Arrival::key_of_message(const KeyRing& keys,
                                                          std::string_view named) const {
    using schema::RejectReason;
    if (named.empty()) return schema::Reject{RejectReason::bad_key, "writeKey is missing"};
    const auto* key = find_key(keys, named);
    if (!key) return schema::Reject{RejectReason::bad_key, "unknown write key"};
    if (!key->allows(Scope::ingest))
        return schema::Reject{RejectReason::bad_key, "the key is not for events"};
    return schema::NamedKey{key->id(), key->name};
}

Arrival arrival_of(HttpRequest message) {
    Arrival arrival{.message = std::move(message), .path = {}, .query = {}};
    const auto target = as_view(arrival.message.target());
    if (!target.starts_with('/') && target != "*") return arrival;
    const auto question = std::min(target.find('?'), target.size());
    arrival.path = target.substr(0, question);
    arrival.query = parse_form(target.substr(std::min(question + 1, target.size())));
    return arrival;
}

} // namespace runtime::listener
