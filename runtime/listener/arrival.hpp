/// A request that has come in whole, and who sends it. Only for `listener/`.
#pragma once

#include "runtime/listener/keys.hpp"
#include "runtime/url_text.hpp"
#include "schema/message_json.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace runtime::listener {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

struct Arrival {
    HttpRequest message;
    std::string path; ///< Without the query; as sent, not decoded. Empty: the target is no path.
    FormFields query;

    std::string_view method() const;
    bool is_head() const;
    /// Empty where there is none; of several the first.
    std::string_view header(boost::beast::http::field name) const;
    std::string_view header(std::string_view name) const;

    /// Whether somebody stands between whoever asks and this machine: then the address that it
    /// comes from says nothing of who they are.
    bool was_passed_on() const;
    /// The key of that text that counts for this request; null for none.
    const Key* find_key(const KeyRing& keys, std::string_view text) const;
    /// The text of the key that the header or the query shows, empty for nobody's; what a Bearer
    /// token may be else, the body says.
    std::optional<std::string> shown_key(const KeyRing& keys) const;
    /// The key that a message of its body names.
    schema::Decoded<schema::NamedKey> key_of_message(const KeyRing& keys,
                                                     std::string_view named) const;
};

Arrival arrival_of(HttpRequest message);

} // namespace runtime::listener
