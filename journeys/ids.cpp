#include "journeys/ids.hpp"

// The state of a running hash on the stack, instead of behind an allocation.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <array>
#include <charconv>

namespace journeys {
namespace {

constexpr std::array<std::string_view, 6> namespace_names{"user",  "shopify",   "email",
                                                          "phone", "anonymous", "token"};

/// Feeds parts with their sizes, so that ("ab", "c") and ("a", "bc") differ.
class PartHash {
public:
    explicit PartHash(std::uint64_t seed) { XXH3_128bits_reset_withSeed(&state_, seed); }
    PartHash& add(std::string_view text) {
        add(static_cast<std::uint64_t>(text.size()));
        XXH3_128bits_update(&state_, text.data(), text.size());
        return *this;
    }
    PartHash& add(std::uint64_t number) {
        std::array<unsigned char, 8> bytes;
        for (std::size_t i = 0; i < 8; ++i)
            bytes[i] = static_cast<unsigned char>(number >> (8 * i));
        XXH3_128bits_update(&state_, bytes.data(), bytes.size());
        return *this;
    }
    XXH128_hash_t digest() const { return XXH3_128bits_digest(&state_); }

private:
    XXH3_state_t state_;
};

} // namespace

std::string_view to_text(IdNamespace space) {
    return namespace_names[static_cast<std::size_t>(space)];
}

std::string to_text(const CustomerId& id) {
    return std::string{to_text(id.space)} + ':' + id.value;
}

std::string display(const CustomerId& id) {
    return id.space == IdNamespace::user ? id.value : to_text(id);
}

std::optional<CustomerId> parse_customer_id(std::string_view text) {
    for (std::size_t i = 0; i < namespace_names.size(); ++i) {
        const auto name = namespace_names[i];
        if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == ':') {
            const auto value = text.substr(name.size() + 1);
            if (value.empty()) return std::nullopt;
            return CustomerId{static_cast<IdNamespace>(i), std::string{value}};
        }
    }
    if (text.empty()) return std::nullopt;
    return CustomerId{IdNamespace::user, std::string{text}};
}

std::uint64_t hash(const CustomerId& id) {
    return XXH3_64bits_withSeed(id.value.data(), id.value.size(),
                                static_cast<std::uint64_t>(id.space) + 1);
}

std::uint64_t hash(std::string_view text, std::uint64_t seed) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

double sticky_fraction(std::uint64_t seed, std::string_view a, std::string_view b,
                       std::string_view c) {
    const auto digest = PartHash{seed}.add(a).add(b).add(c).digest();
    return static_cast<double>(digest.low64 >> 11) * 0x1p-53;
}

std::string to_hex(std::uint64_t high, std::uint64_t low) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(32, '0');
    for (std::size_t i = 0; i < 16; ++i) {
        text[15 - i] = digits[(high >> (4 * i)) & 0xf];
        text[31 - i] = digits[(low >> (4 * i)) & 0xf];
    }
    return text;
}

std::string to_text(RunId id) { return to_hex(id.high, id.low); }
std::string to_text(IntentId id) { return to_hex(id.high, id.low); }

std::optional<IntentId> parse_intent_id(std::string_view text) {
    if (text.size() != 32) return std::nullopt;
    IntentId id;
    const auto read = [](std::string_view part, std::uint64_t& value) {
        const auto result = std::from_chars(part.data(), part.data() + part.size(), value, 16);
        return result.ec == std::errc{} && result.ptr == part.data() + part.size();
    };
    if (!read(text.substr(0, 16), id.high) || !read(text.substr(16), id.low)) return std::nullopt;
    return id;
}

RunId run_id(std::uint64_t workspace, std::string_view journey, const CustomerId& at_entry,
             std::string_view key, std::uint64_t entry_message) {
    const auto digest = PartHash{workspace}
                            .add(journey)
                            .add(to_text(at_entry))
                            .add(key)
                            .add(entry_message)
                            .digest();
    return {digest.high64, digest.low64};
}

IntentId intent_id(RunId run, std::string_view step_path) {
    const auto digest = PartHash{0}.add(run.high).add(run.low).add(step_path).digest();
    return {digest.high64, digest.low64};
}

} // namespace journeys
