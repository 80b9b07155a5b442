/// Who may do what at the door: write keys and operators' keys, kept as hashes only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(std::string_view text);

/// What a key allows. `admin` includes the others.
enum class Scope : std::uint8_t { ingest, decide, admin };

struct Key {
    std::string name; ///< For logs and rejects; never the key.
    Sha256 hash{};
    std::vector<Scope> scopes;

    bool allows(Scope scope) const;
    /// Names the key wherever a message is told from a duplicate; stable over restarts.
    std::uint64_t id() const;
};

/// A key as it is configured; its text is not kept.
Key make_key(std::string name, std::string_view text, std::vector<Scope> scopes);

/// The configured keys. Immutable, so it may be shared between threads.
class KeyRing {
public:
    KeyRing() = default;
    explicit KeyRing(std::vector<Key> keys) : keys_(std::move(keys)) {}

    /// Null for an unknown key. Takes the same time whichever it is: every hash is compared, and
    /// whole.
    const Key* find(std::string_view text) const;

private:
    std::vector<Key> keys_;
};

/// Whether two texts are equal, in a time that depends on their sizes only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// The key that an `Authorization` header carries: of `Basic`, the user's name, with or without the
/// colon behind it; of `Bearer`, the token. Nothing for another scheme or broken base64.
std::optional<std::string> key_of_authorization(std::string_view header);

} // namespace runtime
