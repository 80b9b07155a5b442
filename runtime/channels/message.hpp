/// The payload of a message, as `journeys/payload.hpp` writes it, read again for a provider.
#pragma once

#include "actors/ports.hpp"
#include "journeys/result.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace runtime {

struct Message {
    std::string intent, customer, journey, step, template_name, topic, from, at;
    bool is_marketing = true;
    bool is_call = false; ///< A plain request of a journey, no message to a person.
    nlohmann::json data = nlohmann::json::object();
    std::string unsubscribe_url, preferences_url;
    struct Rendered {
        std::string subject, preheader, body;
    };
    std::optional<Rendered> rendered;
};

/// `invalid_argument` for what is no such payload.
journeys::Result<Message> read_message(const actors::ProviderRequest& request);

/// `Shop <shop@example.com>`, or an address alone.
struct Mailbox {
    std::string name, address;
};
Mailbox parse_mailbox(std::string_view text);

/// Compact, the same for the same value; what is no UTF-8 becomes U+FFFD.
std::string to_text(const nlohmann::json& value);
/// `application/x-www-form-urlencoded`, in the given order.
std::string to_form(const std::vector<std::pair<std::string, std::string>>& fields);
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);
std::string percent_encode(std::string_view text);

/// A body that may be anything; discarded where it is no JSON, or nested deeper than anybody means.
nlohmann::json parse_json(std::string_view text);
/// A member that is a text or a number, as text; empty where it is not there.
std::string text_at(const nlohmann::json& object, const char* key);
/// A member that is true, or the text `true`.
bool flag_at(const nlohmann::json& object, const char* key);
/// Seconds since 1970, whole or with a fraction, as number or text; nothing for nonsense.
std::optional<journeys::Timestamp> epoch_at(const nlohmann::json& object, const char* key);
/// RFC 3339.
std::optional<journeys::Timestamp> time_at(const nlohmann::json& object, const char* key);
/// At most `bytes`, printable ASCII: for codes and classes that go into logs and timelines.
std::string code_text(std::string_view text, std::size_t bytes = 64);

/// A rendered body as plain text, for those who read no HTML.
std::string plain_text(std::string_view html);
/// Whether a rendered body is HTML.
bool is_html(std::string_view body);

} // namespace runtime
