#include "tests/bench/bare_parse.hpp"

namespace bench {

bool parse_message(simdjson::ondemand::object& object, BareMessage& message) {
    for (auto field : object) {
        std::string_view key, value;
        if (field.unescaped_key().get(key)) return false;
        if (key == "userId") {
            if (field.value().get_string().get(message.customer)) return false;
        } else if (key == "type" || key == "event" || key == "messageId" || key == "timestamp" ||
                   key == "name") {
            if (field.value().get_string().get(value)) return false;
            message.seen += value.size();
        } else if (key == "properties" || key == "traits" || key == "context") {
            simdjson::ondemand::object inner;
            if (field.value().get_object().get(inner)) return false;
            for (auto member : inner) {
                if (member.unescaped_key().get(value)) return false;
                message.seen += value.size();
            }
        }
    }
    return !object.raw_json().get(message.raw);
}

} // namespace bench
