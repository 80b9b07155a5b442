/// Who may do what at the door: write keys and operators' keys, kept as hashes only.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(std::string_view text);

/// What a key allows. `admin` includes `decide`, for it sees every customer anyway; events need
/// `ingest`, so that who only looks cannot change what is seen.
enum class Scope : std::uint8_t { ingest, decide, admin };

struct Key {
    std::string name; ///< For logs and rejects; never the key.
    Sha256 hash{};
    std::vector<Scope> scopes;
    /// Everybody knows it: it counts for who connects from this machine, and for nobody whom a
    /// proxy lets in.
    bool is_for_here_only = false;

    bool allows(Scope scope) const;
    /// Names the key wherever a message is told from a duplicate; stable over restarts.
    std::uint64_t id() const;
};

/// A key as it is configured; its text is not kept.
Key make_key(std::string name, std::string_view text, std::vector<Scope> scopes);

/// The configured keys. Any thread; copies are one ring.
class KeyRing {
public:
    KeyRing() : KeyRing{std::vector<Key>{}} {}
    explicit KeyRing(std::vector<Key> keys);

    /// Null for an unknown key. Takes the same time whichever it is: every hash is compared, and
    /// whole. What it points to stays as long as the ring, replaced or not.
    const Key* find(std::string_view text) const;
    /// From now on these count.
    void replace(std::vector<Key> keys);

private:
    struct State {
        std::atomic<const std::vector<Key>*> current{nullptr};
        std::mutex mutex;
        /// Old ones stay for who looks at them; guarded by `mutex`. As many as an operator has
        /// made.
        std::vector<std::unique_ptr<const std::vector<Key>>> all;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// The key that an `Authorization` header carries: of `Basic`, the user's name, with or without the
/// colon behind it; of `Bearer`, the token. Nothing for another scheme or broken base64.
std::optional<std::string> key_of_authorization(std::string_view header);

} // namespace runtime
