#include "runtime/listener/keys.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/base64.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace runtime {
namespace {

/// What follows `scheme` and blanks, where the header begins with them.
std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) {
    if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return std::nullopt;
    if (journeys::to_lower(header.substr(0, scheme.size())) != scheme) return std::nullopt;
    header.remove_prefix(scheme.size());
    header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
    return header;
}

/// Base64 whose padding some clients leave out.
std::optional<std::string> from_unpadded_base64(std::string_view text) {
    std::string padded{text.substr(0, std::min(text.find_last_not_of('=') + 1, text.size()))};
    if (padded.size() % 4 == 1) return std::nullopt;
    padded.resize((padded.size() + 3) / 4 * 4, '=');
    return from_base64(padded);
}

} // namespace

Sha256 sha256(std::string_view text) {
    Sha256 hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return hash;
}

bool Key::allows(Scope scope) const {
    return std::ranges::any_of(scopes, [&](Scope own) {
        return own == scope || (own == Scope::admin && scope == Scope::decide);
    });
}

std::uint64_t Key::id() const {
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < sizeof id; ++i) id = id << 8 | hash[i];
    return id;
}

Key make_key(std::string name, std::string_view text, std::vector<Scope> scopes) {
    return {.name = std::move(name), .hash = sha256(text), .scopes = std::move(scopes)};
}

KeyRing::KeyRing(std::vector<Key> keys) { replace(std::move(keys)); }

void KeyRing::replace(std::vector<Key> keys) {
    auto made = std::make_unique<const std::vector<Key>>(std::move(keys));
    const std::scoped_lock lock{state_->mutex};
    state_->current = made.get();
    state_->all.push_back(std::move(made));
}

const Key* KeyRing::find(std::string_view text) const {
    const auto hash = sha256(text);
    const Key* found = nullptr;
    for (const auto& key : *state_->current.load())
        if (CRYPTO_memcmp(key.hash.data(), hash.data(), hash.size()) == 0) found = &key;
    return found;
}

std::optional<std::string> key_of_authorization(std::string_view header) {
    if (const auto token = after_scheme(header, "bearer")) return std::string{*token};
    const auto basic = after_scheme(header, "basic");
    if (!basic) return std::nullopt;
    auto user = from_unpadded_base64(*basic);
    if (user) user->resize(std::min(user->find(':'), user->size()));
    return user;
}

} // namespace runtime
