/// JSON of others: what clients and providers send, where any member may be missing or of another
/// kind, and what is written for them.
#pragma once

#include "journeys/time.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

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

/// Compact, the same for the same value; what is no UTF-8 becomes U+FFFD.
std::string to_text(const nlohmann::json& value);

} // namespace runtime
