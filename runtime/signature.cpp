#include "runtime/signature.hpp"

#include "runtime/base64.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace runtime {
namespace {

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()), bytes(text), text.size(), out.data(),
         &size);
    return {reinterpret_cast<const char*>(out.data()), size};
}

} // namespace

std::string hmac_sha1(std::string_view key, std::string_view text) {
    return hmac(EVP_sha1(), key, text);
}
std::string hmac_sha256(std::string_view key, std::string_view text) {
    return hmac(EVP_sha256(), key, text);
}

std::string hex_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

bool equal_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool verify_ecdsa(std::string_view key, std::string_view signature, std::string_view text) {
    std::string bare;
    for (auto rest = key; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!line.starts_with("-----")) bare += line;
    }
    std::erase(bare, '\r');
    std::erase(bare, ' ');
    const auto der = from_base64(bare);
    const auto signed_by = from_base64(signature);
    if (!der || !signed_by || der->empty() || signed_by->empty()) return false;
    const auto* at = bytes(*der);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> public_key{
        d2i_PUBKEY(nullptr, &at, static_cast<long>(der->size())), EVP_PKEY_free};
    if (!public_key || EVP_PKEY_base_id(public_key.get()) != EVP_PKEY_EC) return false;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free};
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, public_key.get()) ==
               1 &&
           EVP_DigestVerify(context.get(), bytes(*signed_by), signed_by->size(), bytes(text),
                            text.size()) == 1;
}

} // namespace runtime
