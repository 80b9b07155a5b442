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

/// A rendered body as plain text, for those who read no HTML.
std::string plain_text(std::string_view html);
/// Whether a rendered body is HTML.
bool is_html(std::string_view body);

} // namespace runtime
