#include "runtime/producer/message_text.hpp"

#include "schema/message_json.hpp"
#include "schema/timestamp_text.hpp"

#include <simdjson.h>
#include <vector>

namespace runtime {

struct MessageText::Parser {
    schema::MessageDecoder decoder; ///< As the service has it.
    simdjson::ondemand::parser parser;
    simdjson::padded_string text;

    /// Calls `visit(key, raw value)` for every member of the outermost object; false for anything
    /// else.
    template <class Visit> bool each(std::string_view message, Visit visit) {
        text = simdjson::padded_string{message};
        simdjson::ondemand::document document;
        simdjson::ondemand::object object;
        if (parser.iterate(text).get(document) || document.get_object().get(object)) return false;
        for (auto field : object) {
            std::string_view key;
            simdjson::ondemand::value value;
            if (field.unescaped_key().get(key)) return false;
            const std::string name{key}; // The value's text may take the key's place.
            if (field.value().get(value)) return false;
            simdjson::ondemand::json_type type{};
            if (value.type().get(type)) return false;
            if (type == simdjson::ondemand::json_type::string ||
                type == simdjson::ondemand::json_type::number ||
                type == simdjson::ondemand::json_type::null) {
                visit(name, value.raw_json_token());
            }
        }
        return true;
    }
};

namespace {

/// A JSON string's or number's token, blanks behind it cut off.
std::string_view trimmed(std::string_view token) {
    const auto end = token.find_last_not_of(" \t\r\n");
    return token.substr(0, end + 1);
}

std::optional<journeys::Timestamp> parse_time(std::string_view token) {
    token = trimmed(token);
    if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
    return schema::parse_producer_time(token.substr(1, token.size() - 2));
}

} // namespace

MessageText::MessageText() : parser_(std::make_unique<Parser>()) {}
MessageText::~MessageText() = default;

std::optional<std::string> MessageText::fault_of(std::string_view message) {
    schema::Envelope envelope;
    envelope.shape = schema::Envelope::Shape::message;
    envelope.limits.frame_bytes_max = message.size(); // How much it takes is the service's to say.
    const auto frame = parser_->decoder.decode(message, envelope);
    if (frame) return std::nullopt; // A message may still be refused, by itself.
    if (frame.error().reason == schema::RejectReason::too_deep) return frame.error().detail;
    return "not a JSON object";
}

std::optional<journeys::Timestamp> MessageText::time_of(std::string_view message) {
    std::optional<journeys::Timestamp> written, original;
    const bool is_object =
        parser_->each(message, [&](std::string_view key, std::string_view token) {
            if (key == "timestamp") written = parse_time(token);
            if (key == "originalTimestamp") original = parse_time(token);
        });
    if (!is_object) return std::nullopt;
    return written ? written : original;
}

std::string MessageText::rewrite(std::string_view message, journeys::Duration shift,
                                 std::string_view message_id) {
    struct Change {
        std::size_t at, size;
        std::string text;
    };
    std::vector<Change> changes;
    bool has_id = false;
    const bool is_object = parser_->each(message, [&](std::string_view key,
                                                      std::string_view token) {
        token = trimmed(token);
        if (key == "messageId") has_id = token != "null" && token != "\"\"";
        if (shift.count() == 0 ||
            (key != "timestamp" && key != "originalTimestamp" && key != "sentAt"))
            return;
        const auto at = parse_time(token);
        if (!at || *at + shift > journeys::timestamp_max || *at + shift < journeys::timestamp_min)
            return;
        changes.push_back({static_cast<std::size_t>(token.data() - parser_->text.data()),
                           token.size(), '"' + schema::timestamp_text(*at + shift) + '"'});
    });
    if (!is_object) return std::string{message};

    std::string text{message};
    for (auto change = changes.rbegin(); change != changes.rend(); ++change)
        text.replace(change->at, change->size, change->text);
    if (!has_id && !message_id.empty()) {
        // Behind all others: of a key given twice the last one counts, so it also replaces an empty
        // one.
        const auto end = text.find_last_of('}');
        const auto last = text.find_last_not_of(" \t\r\n", end - 1);
        text.insert(end, (text[last] == '{' ? "\"messageId\":\"" : ",\"messageId\":\"") +
                             std::string{message_id} + '"');
    }
    return text;
}

} // namespace runtime
