#include "schema/message_json.hpp"

#include "schema/event_names.hpp"
#include "schema/message_event.hpp"
#include "schema/message_reader.hpp"

#include <algorithm>
#include <utility>

namespace schema {
namespace {

using journeys::Event;

static_assert(MessageDecoder::padding >= simdjson::SIMDJSON_PADDING);

Reject reject_of(Fault fault, const Limits& limits) {
    if (fault == Fault::too_deep) {
        return {RejectReason::too_deep,
                "nested deeper than " + std::to_string(limits.depth_max) + " levels"};
    }
    return {RejectReason::malformed_json, "the text is not valid JSON in UTF-8"};
}

bool is_given(const Text& text) { return text.is_wrong || !text.text.empty(); }

/// The ids of a message that may be refused for any reason, these ids included.
std::vector<journeys::CustomerId> readable_ids(const Message& message) {
    using Space = journeys::IdNamespace;
    std::vector<journeys::CustomerId> ids;
    const auto add = [&](const Text& text, Space space) {
        if (!text.is_wrong && !text.text.empty() && text.text.size() <= 512)
            ids.push_back({space, std::string{text.text}});
    };
    add(message.user, Space::user);
    add(message.anonymous, Space::anonymous);
    return ids;
}

constexpr std::string_view name_of(RejectReason reason) {
    switch (reason) {
    case RejectReason::malformed_json: return "malformed_json";
    case RejectReason::too_deep: return "too_deep";
    case RejectReason::too_large: return "too_large";
    case RejectReason::too_many: return "too_many";
    case RejectReason::bad_shape: return "bad_shape";
    case RejectReason::bad_type: return "bad_type";
    case RejectReason::no_identity: return "no_identity";
    case RejectReason::bad_identity: return "bad_identity";
    case RejectReason::no_event: return "no_event";
    case RejectReason::bad_event: return "bad_event";
    case RejectReason::bad_message_id: return "bad_message_id";
    case RejectReason::bad_number: return "bad_number";
    case RejectReason::bad_signature: return "bad_signature";
    case RejectReason::bad_key: return "bad_key";
    }
    return "";
}

constexpr std::string_view name_of(Clock clock) {
    switch (clock) {
    case Clock::written: return "written";
    case Clock::corrected: return "corrected";
    case Clock::absent: return "absent";
    case Clock::unreadable: return "unreadable";
    case Clock::nonsense: return "nonsense";
    }
    return "";
}

static_assert(journeys::is_whole<RejectReason>(all_reject_reasons, name_of));
static_assert(journeys::is_whole<Clock>(all_clocks, name_of));

} // namespace

std::string_view to_text(RejectReason reason) { return name_of(reason); }
std::string_view to_text(Clock clock) { return name_of(clock); }

void throw_exception_from_error(const Reject& reject, const boost::source_location& where) {
    // Reached only by value() on a failed result, which is a mistake of ours.
    boost::throw_with_location(std::logic_error(reject.detail), where);
}

std::uint64_t message_hash(std::uint64_t write_key_hash, std::string_view message_id) {
    return std::max<std::uint64_t>(journeys::hash(message_id, write_key_hash), 1);
}

struct MessageDecoder::Parser {
    json::parser parser;
    MessageReader reader;
    journeys::PackedWriter writer;
    std::string copy;          ///< A padded one, where the caller's text has no padding.
    std::string batch_context; ///< Packed; of the frame decoded last.
    std::vector<Message> messages;
    Context context; ///< Of the batch.
    Written sent;    ///< Of the batch.
    Text write_key;  ///< Of the batch.

    std::string_view padded(std::string_view bytes, std::size_t readable_after) {
        if (readable_after >= padding) return bytes;
        copy.reserve(bytes.size() + padding);
        copy.assign(bytes);
        copy.append(padding, '\0');
        return std::string_view{copy}.substr(0, bytes.size());
    }

    Fault read_items(json::array& array, json::document& document, const Limits& limits,
                     bool& too_many) {
        messages.clear();
        for (auto element : array) {
            json::value value;
            if (std::move(element).get(value)) return Fault::malformed;
            if (messages.size() == limits.batch_items_max) {
                too_many = true;
                return Fault::none;
            }
            auto& message = messages.emplace_back();
            const char* first = nullptr;
            const char* behind = nullptr;
            json::json_type type;
            if (value.current_location().get(first) || value.type().get(type))
                return Fault::malformed;
            Fault fault = Fault::none;
            if (type == json::json_type::object) {
                json::object object;
                if (value.get_object().get(object)) return Fault::malformed;
                fault = reader.read_message(object, message);
            } else {
                fault = reader.skip(value, limits.depth_max);
                if (fault == Fault::none && type != json::json_type::array &&
                    type != json::json_type::string) {
                    message.raw = trim_json_space(value.raw_json_token());
                    continue; // A scalar that was only looked at: the loop passes over it.
                }
            }
            if (fault != Fault::none) return fault;
            if (document.current_location().get(behind)) return Fault::malformed;
            message.raw = trim_json_space({first, static_cast<std::size_t>(behind - first)});
        }
        return Fault::none;
    }

    Decoded<Frame> decode(std::string_view bytes, const Envelope& envelope, std::size_t readable);
    std::optional<Reject> read_frame(std::string_view bytes, const Envelope& envelope,
                                     std::size_t capacity);
};

std::optional<Reject> MessageDecoder::Parser::read_frame(std::string_view bytes,
                                                         const Envelope& envelope,
                                                         std::size_t capacity) {
    const Limits& limits = envelope.limits;
    const auto malformed = reject_of(Fault::malformed, limits);
    reader.depth_max = limits.depth_max;
    messages.clear();
    context = {};
    sent = {};
    write_key = {};

    json::document document;
    json::json_type type;
    if (parser.iterate(bytes.data(), bytes.size(), capacity).get(document)) return malformed;
    if (document.type().get(type)) return malformed;

    Fault fault = Fault::none;
    bool too_many = false;
    if (type == json::json_type::array && envelope.shape == Envelope::Shape::any) {
        json::array array;
        if (document.get_array().get(array)) return malformed;
        fault = read_items(array, document, limits, too_many);
    } else if (type == json::json_type::object) {
        json::object object;
        if (document.get_object().get(object)) return malformed;
        Message single;
        single.is_object = true;
        bool is_batch = envelope.shape == Envelope::Shape::batch;
        bool has_batch = false;
        for (auto field : object) {
            std::string_view key;
            if (field.error() || field.unescaped_key().get(key)) return malformed;
            json::value value = field.value();
            if (key == "batch" && envelope.shape != Envelope::Shape::message) {
                is_batch = true;
                json::array array;
                json::json_type batch_type;
                if (value.type().get(batch_type)) return malformed;
                has_batch = batch_type == json::json_type::array;
                if (has_batch) {
                    if (value.get_array().get(array)) return malformed;
                    fault = read_items(array, document, limits, too_many);
                } else {
                    messages.clear();
                    fault = reader.skip(value, limits.depth_max);
                }
            } else {
                fault = reader.read_member(single, key, value);
            }
            if (fault != Fault::none || too_many) break;
        }
        if (fault == Fault::none && !too_many) {
            if (is_batch) {
                if (!has_batch) {
                    return Reject{RejectReason::bad_shape, "batch must be an array of messages"};
                }
                if (single.context.is_wrong) {
                    return Reject{RejectReason::bad_shape, "the batch's context must be an object"};
                }
                context = std::move(single.context);
                sent = single.sent;
                write_key = single.write_key;
            } else {
                single.raw = trim_json_space(bytes);
                messages.push_back(std::move(single));
            }
        }
    } else {
        return Reject{RejectReason::bad_shape,
                      envelope.shape == Envelope::Shape::any
                          ? "the text must be a message, an array of messages or a batch"
                          : "the body must be an object"};
    }
    if (fault != Fault::none) return reject_of(fault, limits);
    if (too_many) {
        return Reject{RejectReason::too_many,
                      "more than " + std::to_string(limits.batch_items_max) + " messages"};
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return malformed;
    return std::nullopt;
}

Decoded<Frame> MessageDecoder::Parser::decode(std::string_view bytes, const Envelope& envelope,
                                              std::size_t readable) {
    if (bytes.size() > envelope.limits.frame_bytes_max) {
        return Reject{RejectReason::too_large, "the text has " + std::to_string(bytes.size()) +
                                                   " bytes, allowed are " +
                                                   std::to_string(envelope.limits.frame_bytes_max)};
    }
    bytes = padded(bytes, readable);
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    if (auto reject = read_frame(bytes, envelope, bytes.size() + padding))
        return *std::move(reject);

    batch_context.clear();
    if (!context.is_empty()) {
        pack_context(context, writer);
        batch_context = writer.bytes();
    }
    Frame frame;
    frame.items.reserve(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
        Message& message = messages[i];
        Source source{.raw = message.raw,
                      .batch_context = batch_context,
                      .batch_sent_at = sent.at,
                      .received_at = envelope.received_at,
                      .write_key_hash = envelope.write_key_hash,
                      .expected = envelope.expected,
                      .index = static_cast<std::uint32_t>(i),
                      .recorded = envelope.recorded,
                      .imported = envelope.imported};
        Clock clock = Clock::written;
        std::string_view key_name;
        const auto event_of = [&]() -> Decoded<Event> {
            if (envelope.key_of_message) {
                const auto& own = is_given(message.write_key) ? message.write_key : write_key;
                const auto key = envelope.key_of_message(own.is_wrong ? "" : own.text);
                if (!key) return key.error();
                source.write_key_hash = key->hash;
                key_name = key->name;
            }
            if (message.raw.size() > envelope.limits.message_bytes_max) {
                return Reject{RejectReason::too_large,
                              "the message has " + std::to_string(message.raw.size()) +
                                  " bytes, allowed are " +
                                  std::to_string(envelope.limits.message_bytes_max)};
            }
            auto judged = judge(message, source, clock, writer);
            // What was recorded of a service may be read again; nobody may send it.
            if (judged && !envelope.recorded && is_kept_for_us(judged->name))
                return Reject{RejectReason::bad_event,
                              "the event " + judged->name + " is made here and by nobody else"};
            return judged;
        };
        auto event = event_of();
        std::string id;
        if (event) {
            id = event->message_id;
        } else if (!message.message_id.is_wrong) {
            auto text_id = message.message_id.text;
            // Only an answer's label: a hostile one is not repeated at length.
            id = std::string{characters(text_id) <= message_id_characters_max ? text_id : ""};
        }
        auto& item = frame.items.emplace_back(
            DecodedItem{std::move(event), source, std::move(id), {}, clock, key_name});
        if (!item.event) item.ids = readable_ids(message);
    }
    return frame;
}

MessageDecoder::MessageDecoder() : parser_(std::make_unique<Parser>()) {}
MessageDecoder::~MessageDecoder() = default;
MessageDecoder::MessageDecoder(MessageDecoder&&) noexcept = default;
MessageDecoder& MessageDecoder::operator=(MessageDecoder&&) noexcept = default;

Decoded<Frame> MessageDecoder::decode(std::string_view text, const Envelope& envelope,
                                      std::size_t readable_after) {
    return parser_->decode(text, envelope, readable_after);
}

Decoded<Event> MessageDecoder::decode_again(const Source& source) {
    // Limits are the door's business: what was let in stays in, whatever they are by now.
    Envelope envelope{.expected = source.expected,
                      .shape = Envelope::Shape::message,
                      .limits = {.depth_max = 256}};
    const auto bytes = parser_->padded(source.raw, 0);
    if (auto reject = parser_->read_frame(bytes, envelope, bytes.size() + padding))
        return *std::move(reject);
    Clock clock = Clock::written;
    return judge(parser_->messages.front(), source, clock, parser_->writer);
}

std::string MessageDecoder::find_write_key(std::string_view text,
                                           const std::function<bool(std::string_view)>& counts) {
    const auto bytes = parser_->padded(text, 0);
    std::string_view key;
    json::document document;
    // Read anew for each question: a malformed text leaves the first reading where it cannot go
    // back.
    const auto begin = [&] {
        return !parser_->parser.iterate(bytes.data(), bytes.size(), bytes.size() + padding)
                    .get(document);
    };
    if (!begin()) return {};
    if (!document.find_field_unordered("writeKey").get_string().get(key) && counts(key))
        return std::string{key};
    json::array batch;
    if (!begin() || document.find_field_unordered("batch").get_array().get(batch)) return {};
    for (auto element : batch) {
        json::object message;
        if (element.error()) return {};
        if (element.get_object().get(message)) continue;
        if (!message.find_field_unordered("writeKey").get_string().get(key) && counts(key))
            return std::string{key};
    }
    return {};
}

} // namespace schema
