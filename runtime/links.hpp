/// Links in messages to the customer's own pages: unsubscribe, preferences, confirmation. A token
/// names a message and an action, signed, and nothing of the person; the ledger knows the rest.
#pragma once

#include "journeys/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace runtime {

enum class LinkAction : char { unsubscribe = 'u', preferences = 'p', confirm = 'c' };

struct LinkToken {
    journeys::IntentId intent;
    LinkAction action = LinkAction::unsubscribe;
};

class Links {
public:
    /// `base`: of the service as the world sees it, without a slash at its end.
    Links(std::string base, std::string key) : base_(std::move(base)), key_(std::move(key)) {}

    std::string url(const LinkToken& token) const { return base_ + "/u/" + text(token); }
    std::string text(const LinkToken& token) const;
    /// Nothing for what we have not signed.
    std::optional<LinkToken> read(std::string_view text) const;
    /// The payload with links in place of the marks of `journeys/links.hpp`.
    std::string fill(std::string payload, journeys::IntentId intent) const;

private:
    std::string signature(std::string_view bytes) const;
    std::string base_, key_;
};

} // namespace runtime
