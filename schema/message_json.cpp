#include "schema/message_json.hpp"

#include "schema/event_names.hpp"
#include "schema/json_walk.hpp"
#include "schema/timestamp_text.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace schema {
namespace {

using journeys::CustomerId;
using journeys::Event;
using journeys::EventType;
using journeys::IdNamespace;
using journeys::PackedView;
using journeys::PackedWriter;
using journeys::Timestamp;

static_assert(MessageDecoder::padding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t id_bytes_max = 512;
constexpr std::size_t event_bytes_max = 200;
constexpr std::size_t message_id_characters_max = 100;
constexpr std::size_t context_text_bytes_max = 512;
constexpr std::size_t consent_categories_max = 32;
constexpr journeys::Duration ahead_max = std::chrono::hours{24};
constexpr Timestamp plausible_min = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};

constexpr std::array<std::pair<std::string_view, EventType>, 6> event_types{{
    {"track", EventType::track},
    {"identify", EventType::identify},
    {"page", EventType::page},
    {"screen", EventType::screen},
    {"group", EventType::group},
    {"alias", EventType::alias},
}};

/// A member that must be a text: absent (null too), a text, an integer as its digits, or anything
/// else.
struct Text {
    std::string_view text;
    bool is_wrong = false;
};

/// A member that must be a time.
struct Written {
    bool is_given = false;
    std::optional<Timestamp> at; ///< Nothing where it cannot be read.
};

/// A member that must be an object, packed.
struct Object {
    std::string packed; ///< Empty: absent.
    bool is_wrong = false;
    bool out_of_range = false;
};

/// What is kept of a `context`; views into the document.
struct Context {
    std::string_view timezone, locale, country, referrer;
    static constexpr std::array<std::string_view, 5> campaign_keys{"source", "medium", "name",
                                                                   "term", "content"};
    std::array<std::string_view, 5> campaign{};
    std::vector<std::pair<std::string_view, bool>> consents;
    Object traits;
    bool is_wrong = false;

    bool has_campaign() const {
        for (const auto text : campaign) {
            if (!text.empty()) return true;
        }
        return false;
    }
    bool is_empty() const {
        return timezone.empty() && locale.empty() && country.empty() && referrer.empty() &&
               !has_campaign() && consents.empty();
    }
};

/// A message as it stands in the text, every member read and none judged.
struct Message {
    std::string_view raw;
    bool is_object = false;
    Text type, event, name, category, user, anonymous, previous, group, message_id, write_key;
    Written timestamp, original, sent;
    Object properties, traits;
    Context context;
};

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

std::string type_list() { return "track, identify, page, screen, group or alias"; }

Reject reject_of(Fault fault, const Limits& limits) {
    if (fault == Fault::too_deep) {
        return {RejectReason::too_deep,
                "nested deeper than " + std::to_string(limits.depth_max) + " levels"};
    }
    return {RejectReason::malformed_json, "the text is not valid JSON in UTF-8"};
}

void pack_context(const Context& context, PackedWriter& writer) {
    writer.clear();
    const auto map = writer.begin_map();
    std::size_t count = 0;
    const auto text = [&](std::string_view key, std::string_view value) {
        if (value.empty()) return;
        writer.key(key);
        writer.string(value);
        ++count;
    };
    text("timezone", context.timezone);
    text("locale", context.locale);
    text("country", context.country);
    text("referrer", context.referrer);
    if (context.has_campaign()) {
        writer.key("campaign");
        const auto campaign = writer.begin_map();
        std::size_t parts = 0;
        for (std::size_t i = 0; i < context.campaign.size(); ++i) {
            if (context.campaign[i].empty()) continue;
            writer.key(Context::campaign_keys[i]);
            writer.string(context.campaign[i]);
            ++parts;
        }
        writer.end_map(campaign, parts);
        ++count;
    }
    if (!context.consents.empty()) {
        writer.key("consent");
        const auto consent = writer.begin_map();
        for (const auto& [category, given] : context.consents) {
            writer.key(category);
            writer.boolean(given);
        }
        writer.end_map(consent, context.consents.size());
        ++count;
    }
    writer.end_map(map, count);
}

/// `over` laid on `base`, key by key; unlike an edit of a profile it keeps nulls, which say
/// "remove".
std::string overlay(PackedView base, PackedView over) {
    PackedWriter writer;
    const auto map = writer.begin_map();
    std::size_t count = 0;
    for (const auto& [key, value] : base.entries()) {
        const auto edit = over.find(key);
        writer.key(key);
        writer.value(edit ? edit : value);
        ++count;
    }
    for (const auto& [key, value] : over.entries()) {
        if (base.find(key)) continue;
        writer.key(key);
        writer.value(value);
        ++count;
    }
    writer.end_map(map, count);
    return writer.take();
}

/// `map` with the texts that it does not have itself.
std::string with_texts(std::string map,
                       std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
    bool is_whole = true;
    const PackedView view{map};
    for (const auto& [key, text] : texts) is_whole = is_whole && (text.empty() || view.find(key));
    if (is_whole) return map;
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = view.size();
    for (const auto& [key, value] : view.entries()) {
        writer.key(key);
        writer.value(value);
    }
    for (const auto& [key, text] : texts) {
        if (text.empty() || view.find(key)) continue;
        writer.key(key);
        writer.string(text);
        ++count;
    }
    writer.end_map(mark, count);
    return writer.take();
}

std::uint64_t not_zero(std::uint64_t hash) { return hash == 0 ? 1 : hash; }

struct Timing {
    Timestamp time, written;
    Clock clock;
};

Timing timing_of(const Message& message, const Source& source) {
    const auto sent = message.sent.at ? message.sent.at : source.batch_sent_at;
    const auto& own = message.timestamp.is_given ? message.timestamp : message.original;
    const bool is_given = message.timestamp.is_given || message.original.is_given;
    const auto fallback = message.timestamp.at ? message.timestamp.at : message.original.at;
    Timing timing{source.received_at, own.at.value_or(fallback.value_or(source.received_at)),
                  Clock::written};
    if (source.recorded) {
        if (fallback)
            timing.time = *fallback;
        else
            timing.clock = is_given ? Clock::unreadable : Clock::absent;
        return timing;
    }
    if (message.original.at && sent) {
        timing.time = source.received_at - (*sent - *message.original.at);
        timing.clock = Clock::corrected;
    } else if (fallback) {
        timing.time = *fallback;
    } else {
        timing.clock = is_given ? Clock::unreadable : Clock::absent;
        return timing;
    }
    if (timing.time < plausible_min || timing.time > source.received_at + ahead_max) {
        timing.time = source.received_at;
        timing.clock = Clock::nonsense;
    }
    return timing;
}

/// The id in `text`; nothing where there is none. Sets `reject` where it is none that can be kept.
std::optional<CustomerId> id_of(const Text& text, IdNamespace space, std::string_view name,
                                std::optional<Reject>& reject) {
    const auto refuse = [&](std::string_view why) {
        if (!reject)
            reject = Reject{RejectReason::bad_identity, std::string{name} + std::string{why}};
        return std::nullopt;
    };
    if (text.is_wrong) return refuse(" must be a text");
    if (text.text.empty()) return std::nullopt;
    if (text.text.size() > id_bytes_max) return refuse(" is longer than 512 bytes");
    if (text.text.find('\0') != text.text.npos) return refuse(" contains U+0000");
    return CustomerId{space, std::string{text.text}};
}

std::optional<EventType> type_of(const Message& message, const Source& source) {
    if (source.expected) return source.expected;
    for (const auto& [name, type] : event_types) {
        if (message.type.text == name) return type;
    }
    return std::nullopt;
}

} // namespace

std::string_view to_text(RejectReason reason) {
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
    }
    return "";
}

std::string_view to_text(Clock clock) {
    switch (clock) {
    case Clock::written: return "written";
    case Clock::corrected: return "corrected";
    case Clock::absent: return "absent";
    case Clock::unreadable: return "unreadable";
    case Clock::nonsense: return "nonsense";
    }
    return "";
}

void throw_exception_from_error(const Reject& reject, const boost::source_location& where) {
    // Reached only by value() on a failed result, which is a mistake of ours.
    boost::throw_with_location(std::logic_error(reject.detail), where);
}

std::uint64_t message_hash(std::uint64_t write_key_hash, std::string_view message_id) {
    return not_zero(journeys::hash(message_id, write_key_hash));
}

struct MessageDecoder::Parser {
    json::parser parser;
    Walker walker;
    PackedWriter writer;
    std::string copy;          ///< A padded one, where the caller's text has no padding.
    std::string batch_context; ///< Packed; of the frame decoded last.
    std::vector<Message> messages;
    Context context; ///< Of the batch.
    Written sent;    ///< Of the batch.
    int depth_max = 0;

    std::string_view padded(std::string_view bytes, std::size_t readable_after) {
        if (readable_after >= padding) return bytes;
        copy.reserve(bytes.size() + padding);
        copy.assign(bytes);
        copy.append(padding, '\0');
        return std::string_view{copy}.substr(0, bytes.size());
    }

    Fault read(json::value& value, Text& out) {
        out = {};
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type == json::json_type::string) {
            return value.get_string().get(out.text) ? Fault::malformed : Fault::none;
        }
        if (type == json::json_type::number) {
            out.text = trim_json_space(value.raw_json_token());
            const auto kind = read_number(out.text).kind;
            if (kind == JsonNumber::Kind::none) return Fault::malformed;
            out.is_wrong = out.text.find_first_of(".eE") != out.text.npos;
            return Fault::none;
        }
        out.is_wrong = type != json::json_type::null;
        return walker.skip(value, depth_max - 1);
    }

    Fault read(json::value& value, Written& out) {
        out = {};
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type == json::json_type::string) {
            std::string_view written;
            if (value.get_string().get(written)) return Fault::malformed;
            out.is_given = !written.empty();
            out.at = parse_producer_time(written);
            return Fault::none;
        }
        if (type == json::json_type::number) {
            const auto number = read_number(trim_json_space(value.raw_json_token()));
            if (number.kind == JsonNumber::Kind::none) return Fault::malformed;
            out.is_given = true;
            const bool is_integer = number.kind == JsonNumber::Kind::integer;
            const bool is_floating = number.kind == JsonNumber::Kind::floating &&
                                     number.floating > -1e15 && number.floating < 1e15;
            if (!is_integer && !is_floating) return Fault::none;
            const auto millis =
                is_integer ? number.integer : static_cast<std::int64_t>(number.floating);
            if (millis >= journeys::to_millis(journeys::timestamp_min) &&
                millis <= journeys::to_millis(journeys::timestamp_max)) {
                out.at = journeys::from_millis(millis);
            }
            return Fault::none;
        }
        out.is_given = type != json::json_type::null;
        return walker.skip(value, depth_max - 1);
    }

    Fault read(json::value& value, Object& out, int depth_left) {
        out = {};
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type == json::json_type::object) {
            return walker.pack(value, depth_left, out.packed, out.out_of_range);
        }
        out.is_wrong = type != json::json_type::null;
        return walker.skip(value, depth_left);
    }

    /// A text of a context; anything else, and what is too long, is not kept.
    Fault read_bounded(json::value& value, std::string_view& out, int depth_left) {
        out = {};
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type != json::json_type::string) return walker.skip(value, depth_left);
        if (value.get_string().get(out)) return Fault::malformed;
        if (out.size() > context_text_bytes_max) out = {};
        return Fault::none;
    }

    /// Calls `visit(key, value)` for each member of an object; anything else is checked and
    /// ignored.
    template <class Visit> Fault each_member(json::value& value, int depth_left, Visit visit) {
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type != json::json_type::object || depth_left <= 0) {
            return walker.skip(value, depth_left);
        }
        json::object object;
        if (value.get_object().get(object)) return Fault::malformed;
        for (auto field : object) {
            std::string_view key;
            if (field.error() || field.unescaped_key().get(key)) return Fault::malformed;
            json::value member = field.value();
            if (const auto fault = visit(key, member); fault != Fault::none) return fault;
        }
        return Fault::none;
    }

    Fault read(json::value& value, Context& out) {
        out = {};
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        out.is_wrong = type != json::json_type::object && type != json::json_type::null;
        const int depth = depth_max - 1; // Of the context itself; its members have one less.
        return each_member(value, depth, [&](std::string_view key, json::value& member) {
            if (key == "timezone") return read_bounded(member, out.timezone, depth - 1);
            if (key == "locale") return read_bounded(member, out.locale, depth - 1);
            if (key == "traits") return read(member, out.traits, depth - 1);
            if (key == "location") {
                return each_member(
                    member, depth - 1, [&](std::string_view name, json::value& part) {
                        return name == "country" ? read_bounded(part, out.country, depth - 2)
                                                 : walker.skip(part, depth - 2);
                    });
            }
            if (key == "page") {
                return each_member(
                    member, depth - 1, [&](std::string_view name, json::value& part) {
                        return name == "referrer" ? read_bounded(part, out.referrer, depth - 2)
                                                  : walker.skip(part, depth - 2);
                    });
            }
            if (key == "campaign") {
                out.campaign = {};
                return each_member(
                    member, depth - 1, [&](std::string_view name, json::value& part) {
                        for (std::size_t i = 0; i < Context::campaign_keys.size(); ++i) {
                            if (name == Context::campaign_keys[i])
                                return read_bounded(part, out.campaign[i], depth - 2);
                        }
                        return walker.skip(part, depth - 2);
                    });
            }
            if (key == "consent") {
                out.consents.clear();
                return each_member(
                    member, depth - 1, [&](std::string_view name, json::value& part) {
                        if (name != "categoryPreferences") return walker.skip(part, depth - 2);
                        out.consents.clear();
                        return each_member(part, depth - 2,
                                           [&](std::string_view category, json::value& given) {
                                               return read_consent(out, category, given, depth - 3);
                                           });
                    });
            }
            return walker.skip(member, depth - 1);
        });
    }

    Fault read_consent(Context& out, std::string_view category, json::value& value,
                       int depth_left) {
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        if (type != json::json_type::boolean) return walker.skip(value, depth_left);
        bool given = false;
        if (value.get_bool().get(given)) return Fault::malformed;
        for (auto& [known, answer] : out.consents) {
            if (known != category) continue;
            answer = given;
            return Fault::none;
        }
        if (out.consents.size() < consent_categories_max &&
            category.size() <= context_text_bytes_max)
            out.consents.emplace_back(category, given);
        return Fault::none;
    }

    /// One member of a message. The first letter decides most of it.
    Fault read_member(Message& message, std::string_view key, json::value& value) {
        if (key.empty()) return walker.skip(value, depth_max - 1);
        switch (key.front()) {
        case 'a':
            if (key == "anonymousId") return read(value, message.anonymous);
            break;
        case 'c':
            if (key == "context") return read(value, message.context);
            if (key == "category") return read(value, message.category);
            break;
        case 'e':
            if (key == "event") return read_strict(value, message.event);
            break;
        case 'g':
            if (key == "groupId") return read(value, message.group);
            break;
        case 'm':
            if (key == "messageId") return read(value, message.message_id);
            break;
        case 'n':
            if (key == "name") return read(value, message.name);
            break;
        case 'o':
            if (key == "originalTimestamp") return read(value, message.original);
            break;
        case 'p':
            if (key == "properties") return read(value, message.properties, depth_max - 1);
            if (key == "previousId") return read(value, message.previous);
            break;
        case 's':
            if (key == "sentAt") return read(value, message.sent);
            break;
        case 't':
            if (key == "type") return read_strict(value, message.type);
            if (key == "timestamp") return read(value, message.timestamp);
            if (key == "traits") return read(value, message.traits, depth_max - 1);
            break;
        case 'u':
            if (key == "userId") return read(value, message.user);
            break;
        default: break;
        }
        return walker.skip(value, depth_max - 1);
    }

    /// A text for which no number will do.
    Fault read_strict(json::value& value, Text& out) {
        json::json_type type;
        if (value.type().get(type)) return Fault::malformed;
        const auto fault = read(value, out);
        out.is_wrong = out.is_wrong || type == json::json_type::number;
        return fault;
    }

    Fault read_message(json::object& object, Message& message) {
        message.is_object = true;
        for (auto field : object) {
            std::string_view key;
            if (field.error() || field.unescaped_key().get(key)) return Fault::malformed;
            json::value value = field.value();
            if (const auto fault = read_member(message, key, value); fault != Fault::none)
                return fault;
        }
        return Fault::none;
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
                fault = read_message(object, message);
            } else {
                fault = walker.skip(value, depth_max);
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
    Decoded<Event> finish(Message& message, const Source& source, Clock& clock);
    std::string context_of(const Message& message, const Source& source, bool is_identify,
                           std::string_view traits);
};

std::optional<Reject> MessageDecoder::Parser::read_frame(std::string_view bytes,
                                                         const Envelope& envelope,
                                                         std::size_t capacity) {
    const Limits& limits = envelope.limits;
    const auto malformed = reject_of(Fault::malformed, limits);
    depth_max = limits.depth_max;
    messages.clear();
    context = {};
    sent = {};

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
                    fault = walker.skip(value, depth_max);
                }
            } else {
                fault = read_member(single, key, value);
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
                      .recorded = envelope.recorded};
        Clock clock = Clock::written;
        const auto judge = [&]() -> Decoded<Event> {
            if (message.raw.size() > envelope.limits.message_bytes_max) {
                return Reject{RejectReason::too_large,
                              "the message has " + std::to_string(message.raw.size()) +
                                  " bytes, allowed are " +
                                  std::to_string(envelope.limits.message_bytes_max)};
            }
            return finish(message, source, clock);
        };
        auto event = judge();
        std::string id;
        if (event) {
            id = event->message_id;
        } else if (!message.message_id.is_wrong) {
            auto text_id = message.message_id.text;
            // Only an answer's label: a hostile one is not repeated at length.
            id = std::string{characters(text_id) <= message_id_characters_max ? text_id : ""};
        }
        frame.items.push_back({std::move(event), source, std::move(id), clock});
    }
    return frame;
}

std::string MessageDecoder::Parser::context_of(const Message& message, const Source& source,
                                               bool is_identify, std::string_view traits) {
    Context merged = message.context;
    if (is_identify && merged.country.empty()) {
        merged.country = PackedView{traits}.find("address").string_at("country");
        if (merged.country.size() > context_text_bytes_max) merged.country = {};
    }
    if (const PackedView batch{source.batch_context}) {
        const auto stand_in = [&](std::string_view& text, std::string_view key) {
            if (text.empty()) text = batch.string_at(key);
        };
        stand_in(merged.timezone, "timezone");
        stand_in(merged.locale, "locale");
        stand_in(merged.country, "country");
        stand_in(merged.referrer, "referrer");
        if (!merged.has_campaign()) {
            const auto campaign = batch.find("campaign");
            for (std::size_t i = 0; i < merged.campaign.size(); ++i)
                merged.campaign[i] = campaign.string_at(Context::campaign_keys[i]);
        }
        if (merged.consents.empty()) {
            for (const auto& [category, given] : batch.find("consent").entries()) {
                if (given.is_bool()) merged.consents.emplace_back(category, given.as_bool());
            }
        }
    }
    if (merged.is_empty()) return {};
    pack_context(merged, writer);
    return writer.bytes();
}

Decoded<Event> MessageDecoder::Parser::finish(Message& message, const Source& source,
                                              Clock& clock) {
    if (!message.is_object) return Reject{RejectReason::bad_shape, "a message must be an object"};
    const auto type = type_of(message, source);
    if (!type) {
        return Reject{RejectReason::bad_type, "type must be " + type_list()};
    }
    const bool is_identify = *type == EventType::identify;
    const auto must_be_object = [](std::string_view name) {
        return Reject{RejectReason::bad_shape, std::string{name} + " must be an object"};
    };

    std::optional<Reject> reject;
    auto user = id_of(message.user, IdNamespace::user, "userId", reject);
    auto anonymous = id_of(message.anonymous, IdNamespace::anonymous, "anonymousId", reject);
    if (reject) return *std::move(reject);
    if (!user && !anonymous) {
        return Reject{RejectReason::no_identity, "userId or anonymousId is required"};
    }

    Event event;
    event.type = *type;
    switch (*type) {
    case EventType::track: {
        const auto name = message.event.text;
        if (message.event.is_wrong) return Reject{RejectReason::bad_event, "event must be a text"};
        if (name.empty()) return Reject{RejectReason::no_event, "event is required for a track"};
        if (name.size() > event_bytes_max)
            return Reject{RejectReason::bad_event, "event is longer than 200 bytes"};
        if (name.find('\0') != name.npos)
            return Reject{RejectReason::bad_event, "event contains U+0000"};
        event.name = canonical_event_name(name);
        break;
    }
    case EventType::identify: event.name = "Identify"; break;
    case EventType::page: event.name = "Page Viewed"; break;
    case EventType::screen: event.name = "Screen Viewed"; break;
    case EventType::group: event.name = "Group"; break;
    case EventType::alias: {
        event.name = "Alias";
        if (!user) return Reject{RejectReason::no_identity, "userId is required for an alias"};
        event.previous = id_of(message.previous, IdNamespace::anonymous, "previousId", reject);
        if (reject) return *std::move(reject);
        if (!event.previous)
            return Reject{RejectReason::no_identity, "previousId is required for an alias"};
        const auto named = journeys::parse_customer_id(message.previous.text);
        if (named && named->value.size() < message.previous.text.size()) event.previous = named;
        break;
    }
    }

    if (message.message_id.is_wrong) {
        return Reject{RejectReason::bad_message_id, "messageId must be a text"};
    }
    const auto message_id = message.message_id.text;
    if (message_id.size() > message_id_characters_max &&
        characters(message_id) > message_id_characters_max) {
        return Reject{RejectReason::bad_message_id, "messageId is longer than 100 characters"};
    }
    if (message_id.find('\0') != message_id.npos) {
        return Reject{RejectReason::bad_message_id, "messageId contains U+0000"};
    }
    if (message.properties.is_wrong) return must_be_object("properties");
    if (message.traits.is_wrong) return must_be_object("traits");
    if (message.context.is_wrong) return must_be_object("context");
    if (is_identify && message.context.traits.is_wrong) return must_be_object("context.traits");
    const bool keeps_traits = is_identify || *type == EventType::group;
    if (message.properties.out_of_range || (keeps_traits && message.traits.out_of_range) ||
        (is_identify && message.context.traits.out_of_range)) {
        return Reject{RejectReason::bad_number, "a number is out of the range of doubles"};
    }

    event.ids.reserve(static_cast<std::size_t>(user.has_value()) +
                      static_cast<std::size_t>(anonymous.has_value()));
    if (user) event.ids.push_back(*std::move(user));
    if (anonymous) event.ids.push_back(*std::move(anonymous));
    event.properties = std::move(message.properties.packed);
    if (*type == EventType::page || *type == EventType::screen) {
        const auto text = [](const Text& member) {
            return member.is_wrong ? std::string_view{} : member.text;
        };
        event.properties =
            with_texts(std::move(event.properties),
                       {{"name", text(message.name)}, {"category", text(message.category)}});
    } else if (*type == EventType::group && !message.group.is_wrong) {
        event.properties =
            with_texts(std::move(event.properties), {{"groupId", message.group.text}});
    }
    if (keeps_traits) event.traits = std::move(message.traits.packed);
    if (is_identify && !message.context.traits.packed.empty()) {
        event.traits = overlay(PackedView{message.context.traits.packed}, PackedView{event.traits});
    }
    event.context = context_of(message, source, is_identify, event.traits);

    const auto timing = timing_of(message, source);
    event.time = timing.time;
    event.written = timing.written;
    clock = timing.clock;

    event.message_id = message_id;
    event.deduplicate = !message_id.empty();
    if (event.deduplicate) {
        event.message_hash = message_hash(source.write_key_hash, message_id);
    } else {
        const auto place = journeys::hash(std::to_string(journeys::to_millis(source.received_at)) +
                                              ':' + std::to_string(source.index),
                                          source.write_key_hash);
        event.message_hash = not_zero(journeys::hash(source.raw, place));
    }
    return event;
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
    return parser_->finish(parser_->messages.front(), source, clock);
}

std::string MessageDecoder::find_write_key(std::string_view text) {
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
    if (!document.find_field_unordered("writeKey").get_string().get(key)) return std::string{key};
    json::array batch;
    if (!begin() || document.find_field_unordered("batch").get_array().get(batch)) return {};
    for (auto element : batch) {
        if (!element.find_field_unordered("writeKey").get_string().get(key))
            return std::string{key};
        return {};
    }
    return {};
}

} // namespace schema
