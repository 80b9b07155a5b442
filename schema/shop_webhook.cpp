#include "schema/shop_webhook.hpp"

#include "journeys/addresses.hpp"
#include "journeys/identity.hpp"
#include "journeys/ids.hpp"
#include "journeys/money.hpp"
#include "schema/shopify.hpp"
#include "schema/timestamp_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace schema {
namespace {

using Json = nlohmann::ordered_json;

/// As many lines as a cart or an order remembers.
constexpr std::size_t lines_max = 100;
/// Of one privacy request; whoever has more is found by any of them, and by their other ids.
constexpr std::size_t orders_max = 1'000;
/// A shop's own stamp has whole seconds; the delivery's trigger follows it by less than this.
constexpr auto trigger_after_max = std::chrono::seconds{60};

/// Cuts the part up to `separator` off the front.
std::string_view next_part(std::string_view& rest, char separator) {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

const Json* member(const Json& json, std::string_view name) {
    if (json.is_object()) {
        const auto found = json.find(name);
        return found == json.end() ? nullptr : &*found;
    }
    if (!json.is_array()) return nullptr;
    std::size_t place = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), place);
    if (read.ec == std::errc{} && read.ptr == name.data() + name.size())
        return place < json.size() ? &json[place] : nullptr;
    for (const auto& item : json) {
        const auto* own = item.is_object() ? member(item, "name") : nullptr;
        if (own && own->is_string() && own->get_ref<const std::string&>() == name)
            return member(item, "value");
    }
    return nullptr;
}

/// What stands at the path; null where nothing does, or nothing of worth.
const Json* find(const Json& json, Path path) {
    while (!path.empty()) {
        auto alternative = next_part(path, '|');
        const Json* at = &json;
        while (at && !alternative.empty()) at = member(*at, next_part(alternative, '.'));
        if (at && !at->is_null() && !(at->is_string() && at->get_ref<const std::string&>().empty()))
            return at;
    }
    return nullptr;
}

std::string text_at(const Json& json, Path path) {
    const auto* value = find(json, path);
    if (!value) return {};
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number_integer()) return value->dump();
    return {};
}

std::optional<journeys::Timestamp> time_at(const Json& json, Path path) {
    const auto text = text_at(json, path);
    return text.empty() ? std::nullopt : parse_producer_time(text);
}

/// What is above it is a number that went wrong, and would spoil every sum that it is part of.
const journeys::Money amount_max = *journeys::Money::parse("1000000000000");

std::optional<journeys::Money> amount_of(const Json& value) {
    std::optional<journeys::Money> amount;
    if (value.is_string())
        amount = journeys::Money::parse(value.get_ref<const std::string&>());
    else if (value.is_number())
        amount = journeys::Money::parse(value.dump());
    if (amount && (*amount > amount_max || *amount < journeys::Money{} - amount_max)) return {};
    return amount;
}

/// Where amounts stood that are none.
class LeftOut {
public:
    /// `value` stands at `path` of `where`, which ends in a point where it is not the payload.
    std::optional<journeys::Money> amount(const Json& value, std::string_view where,
                                          std::string_view path) {
        const auto read = amount_of(value);
        const bool says_nothing =
            value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
        if (!read && !says_nothing && places_.size() < places_max)
            places_.push_back(std::string{where} + std::string{path});
        return read;
    }
    std::vector<std::string> take() { return std::move(places_); }

private:
    static constexpr std::size_t places_max = 10;
    std::vector<std::string> places_;
};

/// The shortest text of the double nearest to a decimal is that decimal again.
Json number(journeys::Money amount) { return amount.to_double(); }

Json taken(const Json& value, TakeAs as);

/// The texts under the path's last name of a list's entries.
Json each_of_list(const Json& json, Path path) {
    const auto last = path.rfind('.');
    const auto* list = find(json, path.substr(0, last));
    if (!list || !list->is_array()) return {};
    auto texts = Json::array();
    for (const auto& item : *list)
        if (const auto* value = member(item, path.substr(last + 1)))
            if (auto text = taken(*value, TakeAs::text); text.is_string())
                texts.push_back(std::move(text));
    return texts.empty() ? Json() : texts;
}

/// The sum, or the lowest, of the amounts of a list.
Json over_list(const Json& json, Path path, TakeAs as, std::string_view where, LeftOut& left_out) {
    const auto last = path.rfind('.');
    const auto* list = find(json, path.substr(0, last));
    if (!list || !list->is_array()) return {};
    std::optional<journeys::Money> made;
    for (const auto& item : *list) {
        const auto* value = member(item, path.substr(last + 1));
        if (const auto amount = value ? left_out.amount(*value, where, path) : std::nullopt)
            made = !made ? *amount : as == TakeAs::sum ? *made + *amount : std::min(*made, *amount);
    }
    return made ? number(*made) : Json();
}

Json taken(const Json& value, TakeAs as) {
    switch (as) {
    case TakeAs::text:
        if (value.is_string()) return value;
        return value.is_number_integer() ? Json(value.dump()) : Json();
    case TakeAs::amount:
    case TakeAs::sum:
    case TakeAs::each:
    case TakeAs::lowest: return {}; // Of these more is told, or looked at.
    case TakeAs::count: return value.is_number_integer() ? value : Json();
    case TakeAs::boolean: return value.is_boolean() ? value : Json();
    }
    return {};
}

Json amount_at(const Json& json, Path path, std::string_view where, LeftOut& left_out) {
    const auto* value = find(json, path);
    const auto amount = value ? left_out.amount(*value, where, path) : std::nullopt;
    return amount ? number(*amount) : Json();
}

/// `where`: the place of `payload` in the shop's own.
Json object_of(const Json& payload, std::span<const ShopField> fields, std::string_view where,
               LeftOut& left_out) {
    Json object = Json::object();
    for (const auto& field : fields) {
        Json made;
        if (field.as == TakeAs::sum || field.as == TakeAs::lowest)
            made = over_list(payload, field.from, field.as, where, left_out);
        else if (field.as == TakeAs::each)
            made = each_of_list(payload, field.from);
        else if (field.as == TakeAs::amount)
            made = amount_at(payload, field.from, where, left_out);
        else if (const auto* value = find(payload, field.from))
            made = taken(*value, field.as);
        if (made.is_null()) continue;
        auto rest = field.to;
        Json* at = &object;
        while (!rest.empty()) at = &(*at)[std::string{next_part(rest, '.')}];
        *at = std::move(made);
    }
    return object;
}

Json consents_of(const Json& payload, std::span<const ShopConsent> consents,
                 const std::string& source) {
    Json object = Json::object();
    for (const auto& consent : consents) {
        const auto* state = find(payload, consent.state);
        if (!state || (consent.only_yes && !(state->is_boolean() && state->get<bool>()))) continue;
        if (!state->is_string() && !state->is_boolean()) continue;
        auto& word = object[std::string{consent.channel}];
        word["state"] = *state;
        if (const auto at = time_at(payload, consent.at)) word["at"] = timestamp_text(*at);
        if (const auto level = text_at(payload, consent.level); !level.empty())
            word["opt_in_level"] = level;
        word["source"] = source;
    }
    return object;
}

/// The ids of the payload, as members of a message.
Json ids_of(const Json& payload, std::span<const ShopId> ids) {
    Json message = Json::object();
    for (const auto& id : ids) {
        if (!id.unless.empty() && find(payload, id.unless)) continue;
        const auto text = text_at(payload, id.from);
        if (text.empty()) continue;
        if (id.type == "userId" || id.type == "anonymousId")
            message[std::string{id.type}] = std::string{id.prefix} + text;
        else
            message["context"]["externalIds"].push_back(
                {{"type", id.type}, {"id", std::string{id.prefix} + text}});
    }
    return message;
}

std::optional<Json> message_of(const ShopMap& shop, const ShopMessage& map, const Json& payload,
                               const Json& ids, const Delivery& delivery, LeftOut& left_out) {
    auto body = object_of(payload, map.fields, {}, left_out);
    if (auto consents = consents_of(payload, map.consents, std::string{shop.type});
        !consents.empty())
        body["marketing_consent"] = std::move(consents);
    if (map.event.empty() && body.empty()) return std::nullopt;
    if (const auto* lines = map.lines.empty() ? nullptr : find(payload, map.lines);
        lines && lines->is_array()) {
        auto products = Json::array();
        for (const auto& line : *lines)
            if (const auto place = products.size(); place < lines_max)
                products.push_back(object_of(
                    line, map.line_fields,
                    std::string{map.lines} + '.' + std::to_string(place) + '.', left_out));
        body["products"] = std::move(products);
    }
    Json message = ids;
    message["type"] = map.event.empty() ? "identify" : "track";
    if (!map.event.empty()) message["event"] = map.event;
    message[map.event.empty() ? "traits" : "properties"] = std::move(body);
    if (const auto locale = text_at(payload, "customer_locale"); !locale.empty())
        message["context"]["locale"] = locale;
    auto at = time_at(payload, map.time);
    const auto& trigger = delivery.triggered_at;
    if (trigger && (!at || (*trigger >= *at && *trigger - *at < trigger_after_max))) at = trigger;
    if (at) message["timestamp"] = timestamp_text(*at);
    return message;
}

std::optional<PrivacyRequest> privacy_request(const ShopMap& shop, const ShopTopic& topic,
                                              const Json& payload, const Delivery& delivery) {
    PrivacyRequest request;
    request.request = delivery.id;
    request.kind = topic.privacy;
    request.shop = text_at(payload, topic.shop);
    if (request.shop.empty() || (!delivery.shop.empty() && delivery.shop != request.shop))
        return std::nullopt;
    // A stand-in for nobody would bring a stranger's data in, or take it away.
    const auto add = [&](std::string_view space, const std::string& value) {
        const auto id = journeys::parse_customer_id(std::string{space} + ':' + value);
        const bool is_storable = value.find('\0') == value.npos; // As a text of the database.
        if (!value.empty() && is_storable && id && !journeys::is_junk(*id))
            request.subjects.push_back(journeys::to_text(*id));
    };
    for (const auto& id : topic.ids) {
        const auto text = text_at(payload, id.from);
        if (id.type == "email") {
            if (const auto email = journeys::email_id(text)) add("email", email->value);
        } else if (id.type == "phone") {
            if (const auto phone = journeys::phone_id(text)) add("phone", phone->value);
        } else {
            add(id.type == "userId" ? "user" : id.type, text);
        }
    }
    if (const auto* orders = topic.orders.empty() ? nullptr : find(payload, topic.orders);
        orders && orders->is_array())
        for (const auto& order : *orders)
            if (auto id = taken(order, TakeAs::text);
                id.is_string() && request.orders.size() < orders_max) {
                request.orders.push_back(id.get<std::string>());
                add("token", std::string{shop.order_prefix} + request.orders.back());
            }
    return request;
}

} // namespace

const ShopTopic* ShopMap::find(std::string_view topic) const {
    const auto found = std::ranges::find(topics, topic, &ShopTopic::topic);
    return found == topics.end() ? nullptr : &*found;
}

const ShopMap* find_shop(std::string_view type) {
    for (const auto* shop : {&shopify()})
        if (shop->type == type) return shop;
    return nullptr;
}

std::string_view to_text(PrivacyKind kind) {
    switch (kind) {
    case PrivacyKind::none: return "none";
    case PrivacyKind::export_data: return "export";
    case PrivacyKind::erase: return "erase";
    case PrivacyKind::erase_shop: return "erase_shop";
    }
    return "";
}

Translated translate(const ShopMap& shop, const ShopTopic& topic, const Delivery& delivery,
                     std::string_view body) {
    Translated result;
    const auto payload = Json::parse(body, nullptr, false);
    if (!payload.is_object()) return result;
    result.is_readable = true;
    LeftOut left_out;
    if (topic.privacy != PrivacyKind::none) {
        result.privacy = privacy_request(shop, topic, payload, delivery);
        result.is_readable = result.privacy.has_value();
        return result;
    }
    if (!topic.product.empty()) {
        const auto product = object_of(payload, topic.product, {}, left_out);
        result.left_out = left_out.take();
        result.is_readable = product.contains("id") && product.contains("name");
        if (result.is_readable)
            result.product = product.dump(-1, ' ', false, Json::error_handler_t::replace);
        return result;
    }
    if (!topic.level.empty()) {
        const auto level = object_of(payload, topic.level, {}, left_out);
        result.is_readable = level.contains("inventory_item") && level.contains("inventory_place");
        // Of what is not counted nothing is available, and nothing is said.
        if (result.is_readable && level.contains("available"))
            result.product = level.dump(-1, ' ', false, Json::error_handler_t::replace);
        return result;
    }
    const auto ids = ids_of(payload, topic.ids);
    auto messages = Json::array();
    for (const auto& map : topic.messages) {
        auto message = message_of(shop, map, payload, ids, delivery, left_out);
        if (!message) continue;
        if (!delivery.id.empty())
            (*message)["messageId"] =
                std::string{delivery.id} + '-' + std::to_string(messages.size());
        messages.push_back(std::move(*message));
    }
    result.left_out = left_out.take();
    if (!messages.empty())
        result.messages = messages.dump(-1, ' ', false, Json::error_handler_t::replace);
    return result;
}

} // namespace schema
