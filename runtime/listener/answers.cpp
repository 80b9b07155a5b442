#include "runtime/listener/answers.hpp"

#include "runtime/listener/request.hpp"

namespace runtime::listener {
namespace {

std::string with_rejected(std::string text, std::string_view items) {
    if (!items.empty()) {
        items.remove_suffix(1); // The last comma.
        text.append(",\"rejected\":[").append(items).append("]");
    }
    return text += '}';
}

} // namespace

std::string rejected_items(const std::vector<RejectedItem>& items,
                           std::optional<std::uint64_t> frame) {
    std::string text;
    for (const auto& item : items) {
        text += '{';
        if (frame) text.append("\"frame\":").append(std::to_string(*frame)).append(",");
        text.append("\"index\":").append(std::to_string(item.index));
        if (!item.message_id.empty())
            text.append(",\"messageId\":").append(json_text(item.message_id));
        text.append(",\"error\":").append(json_text(item.error)).append("},");
    }
    return text;
}

std::string ack_text(std::uint64_t ack, std::uint64_t accepted, std::string_view items) {
    return with_rejected(
        "{\"ack\":" + std::to_string(ack) + ",\"accepted\":" + std::to_string(accepted), items);
}

std::string refusal_text(std::uint64_t ack, std::string_view error) {
    return "{\"ack\":" + std::to_string(ack) + ",\"accepted\":0,\"error\":" + json_text(error) +
           "}";
}

std::string success_text(std::string_view items) {
    return with_rejected("{\"success\":true", items);
}

std::string failure_text(std::string_view error) {
    return "{\"success\":false,\"error\":" + json_text(error) + "}";
}

} // namespace runtime::listener
