/// What producers are told, as JSON text.
#pragma once

#include "runtime/listener/ingest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime::listener {

/// The items as members of a JSON array, each followed by a comma. `frame` is told over WebSocket
/// only.
std::string rejected_items(const std::vector<RejectedItem>& items,
                           std::optional<std::uint64_t> frame);
/// `{"ack":17,"accepted":340}`, with `rejected` where `items` (as above) are given.
std::string ack_text(std::uint64_t ack, std::uint64_t accepted, std::string_view items);
/// `{"ack":17,"accepted":0,"error":"…"}`: the frame was refused as a whole.
std::string refusal_text(std::uint64_t ack, std::string_view error);
/// `{"success":true}`, with `rejected` where `items` are given.
std::string success_text(std::string_view items);
/// `{"success":false,"error":"…"}`.
std::string failure_text(std::string_view error);

} // namespace runtime::listener
