/// Signatures, by OpenSSL, and how secrets are compared.
#pragma once

#include <string>
#include <string_view>

namespace runtime {

std::string hmac_sha1(std::string_view key, std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string hex_text(std::string_view bytes); ///< Lower case.
/// Whether two texts are equal, in a time that depends on their sizes only.
bool equal_secret(std::string_view a, std::string_view b);
/// ECDSA over SHA-256. `key`: a public key as base64 of its DER, with or without PEM's lines.
/// `signature`: base64 of its DER. False for anything malformed.
bool verify_ecdsa(std::string_view key, std::string_view signature, std::string_view text);

} // namespace runtime
