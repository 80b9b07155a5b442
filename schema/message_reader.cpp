#include "schema/message_reader.hpp"

#include "schema/timestamp_text.hpp"

#include <utility>

namespace schema {

Fault MessageReader::read(json::value& value, Text& out, int depth_left) {
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
    return walker_.skip(value, depth_left);
}

Fault MessageReader::read(json::value& value, Written& out) {
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
    return walker_.skip(value, depth_max - 1);
}

Fault MessageReader::read(json::value& value, Object& out, int depth_left) {
    out = {};
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    if (type == json::json_type::object) {
        return walker_.pack(value, depth_left, out.packed, out.out_of_range);
    }
    out.is_wrong = type != json::json_type::null;
    return walker_.skip(value, depth_left);
}

/// A text of a context; anything else, and what is too long, is not kept.
Fault MessageReader::read_bounded(json::value& value, std::string_view& out, int depth_left) {
    out = {};
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    if (type != json::json_type::string) return walker_.skip(value, depth_left);
    if (value.get_string().get(out)) return Fault::malformed;
    if (out.size() > Context::text_bytes_max) out = {};
    return Fault::none;
}

/// Calls `visit(key, value)` for each member of an object; anything else is checked and
/// ignored.
template <class Visit>
Fault MessageReader::each_member(json::value& value, int depth_left, Visit visit) {
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    if (type != json::json_type::object || depth_left <= 0) {
        return walker_.skip(value, depth_left);
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

Fault MessageReader::read(json::value& value, Context& out) {
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
            return each_member(member, depth - 1, [&](std::string_view name, json::value& part) {
                return name == "country" ? read_bounded(part, out.country, depth - 2)
                                         : walker_.skip(part, depth - 2);
            });
        }
        if (key == "page") {
            return each_member(member, depth - 1, [&](std::string_view name, json::value& part) {
                return name == "referrer" ? read_bounded(part, out.referrer, depth - 2)
                                          : walker_.skip(part, depth - 2);
            });
        }
        if (key == "campaign") {
            out.campaign = {};
            return each_member(member, depth - 1, [&](std::string_view name, json::value& part) {
                for (std::size_t i = 0; i < Context::campaign_keys.size(); ++i) {
                    if (name == Context::campaign_keys[i])
                        return read_bounded(part, out.campaign[i], depth - 2);
                }
                return walker_.skip(part, depth - 2);
            });
        }
        if (key == "externalIds") return read_external_ids(out, member, depth - 1);
        if (key == "consent") {
            out.consents.clear();
            return each_member(member, depth - 1, [&](std::string_view name, json::value& part) {
                if (name != "categoryPreferences") return walker_.skip(part, depth - 2);
                out.consents.clear();
                return each_member(part, depth - 2,
                                   [&](std::string_view category, json::value& given) {
                                       return read_consent(out, category, given, depth - 3);
                                   });
            });
        }
        return walker_.skip(member, depth - 1);
    });
}

Fault MessageReader::read_consent(Context& out, std::string_view category, json::value& value,
                                  int depth_left) {
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    if (type != json::json_type::boolean) return walker_.skip(value, depth_left);
    bool given = false;
    if (value.get_bool().get(given)) return Fault::malformed;
    for (auto& [known, answer] : out.consents) {
        if (known != category) continue;
        answer = given;
        return Fault::none;
    }
    if (out.consents.size() < Context::consents_max && category.size() <= Context::text_bytes_max)
        out.consents.emplace_back(category, given);
    return Fault::none;
}

Fault MessageReader::read_external_ids(Context& out, json::value& value, int depth_left) {
    out.external_ids.clear();
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    if (type != json::json_type::array || depth_left <= 0) return walker_.skip(value, depth_left);
    json::array array;
    if (value.get_array().get(array)) return Fault::malformed;
    for (auto element : array) {
        json::value item;
        if (std::move(element).get(item)) return Fault::malformed;
        ExternalId id;
        const auto fault =
            each_member(item, depth_left - 1, [&](std::string_view key, json::value& member) {
                if (key == "type") return read(member, id.type, depth_left - 2);
                if (key == "id") return read(member, id.id, depth_left - 2);
                return walker_.skip(member, depth_left - 2);
            });
        if (fault != Fault::none) return fault;
        if (out.external_ids.size() < Context::external_ids_max) out.external_ids.push_back(id);
    }
    return Fault::none;
}

/// One member of a message. The first letter decides most of it.
Fault MessageReader::read_member(Message& message, std::string_view key, json::value& value) {
    if (key.empty()) return walker_.skip(value, depth_max - 1);
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
    case 'w':
        if (key == "writeKey") return read_strict(value, message.write_key);
        break;
    default: break;
    }
    return walker_.skip(value, depth_max - 1);
}

/// A text for which no number will do.
Fault MessageReader::read_strict(json::value& value, Text& out) {
    json::json_type type;
    if (value.type().get(type)) return Fault::malformed;
    const auto fault = read(value, out);
    out.is_wrong = out.is_wrong || type == json::json_type::number;
    return fault;
}

Fault MessageReader::read_message(json::object& object, Message& message) {
    message.is_object = true;
    for (auto field : object) {
        std::string_view key;
        if (field.error() || field.unescaped_key().get(key)) return Fault::malformed;
        json::value value = field.value();
        if (const auto fault = read_member(message, key, value); fault != Fault::none) return fault;
    }
    return Fault::none;
}

} // namespace schema
