#include "runtime/links.hpp"

#include "journeys/links.hpp"
#include "runtime/base64.hpp"
#include "runtime/signature.hpp"

#include <algorithm>

namespace runtime {
namespace {

constexpr std::size_t signature_bytes = 16, token_bytes = 16 + 1 + signature_bytes;

std::string bytes_of(const LinkToken& token) {
    std::string bytes;
    for (const auto half : {token.intent.high, token.intent.low})
        for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift);
    bytes += static_cast<char>(token.action);
    return bytes;
}

} // namespace

std::string Links::signature(std::string_view bytes) const {
    return hmac_sha256(key_, "link\n" + std::string{bytes}).substr(0, signature_bytes);
}

std::string Links::text(const LinkToken& token) const {
    const auto bytes = bytes_of(token);
    auto text = to_base64(bytes + signature(bytes)); // 33 bytes need no padding.
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<LinkToken> Links::read(std::string_view text) const {
    std::string standard{text};
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    const auto bytes = from_base64(standard);
    if (!bytes || bytes->size() != token_bytes) return std::nullopt;
    const std::string_view all = *bytes;
    const auto said = all.substr(0, token_bytes - signature_bytes);
    if (!equal_secret(all.substr(said.size()), signature(said))) return std::nullopt;
    LinkToken token;
    for (std::size_t i = 0; i < 8; ++i) {
        token.intent.high = token.intent.high << 8 | static_cast<unsigned char>(said[i]);
        token.intent.low = token.intent.low << 8 | static_cast<unsigned char>(said[8 + i]);
    }
    token.action = static_cast<LinkAction>(said[16]);
    return token;
}

std::string Links::fill(std::string payload, journeys::IntentId intent) const {
    const std::pair<std::string_view, LinkAction> marks[]{
        {journeys::links::unsubscribe, LinkAction::unsubscribe},
        {journeys::links::preferences, LinkAction::preferences},
        {journeys::links::confirm, LinkAction::confirm}};
    for (const auto& [mark, action] : marks) {
        auto at = payload.find(mark);
        if (at == std::string::npos) continue;
        const auto link = url({intent, action});
        for (; at != std::string::npos; at = payload.find(mark, at + link.size()))
            payload.replace(at, mark.size(), link);
    }
    return payload;
}

} // namespace runtime
