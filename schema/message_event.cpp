#include "schema/message_event.hpp"

#include "journeys/addresses.hpp"
#include "schema/event_names.hpp"

#include <algorithm>
#include <array>
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

constexpr std::size_t id_bytes_max = 512;
constexpr std::size_t event_bytes_max = 200;
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

/// What `type` of an external id stands for; Segment's own names and Shopify's.
constexpr std::array<std::pair<std::string_view, IdNamespace>, 7> external_types{{
    {"email", IdNamespace::email},
    {"phone", IdNamespace::phone},
    {"shopify", IdNamespace::shopify},
    {"shopify_customer_id", IdNamespace::shopify},
    {"anonymous_id", IdNamespace::anonymous},
    {"anonymousId", IdNamespace::anonymous},
    {"token", IdNamespace::token},
}};

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
    if (source.imported) timing.written = source.received_at;
    if (source.recorded || source.imported) {
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

/// The ids of a message, strongest first: one of a namespace, and of carts and orders several.
class Ids {
public:
    Ids() { ids_.reserve(2); }
    void add(std::optional<CustomerId> id) {
        if (!id || (id->space != IdNamespace::token && has(id->space))) return;
        const auto at = std::ranges::upper_bound(ids_, id->space, {}, &CustomerId::space);
        ids_.insert(at, *std::move(id));
    }
    void add_external(const ExternalId& external) {
        if (external.type.is_wrong || external.id.is_wrong) return;
        const auto found = std::ranges::find(external_types, external.type.text,
                                             &std::pair<std::string_view, IdNamespace>::first);
        if (found != external_types.end()) add(read(external.id.text, found->second));
    }
    bool has(IdNamespace space) const {
        return std::ranges::find(ids_, space, &CustomerId::space) != ids_.end();
    }
    bool is_empty() const { return ids_.empty(); }
    std::vector<CustomerId> take() { return std::move(ids_); }

private:
    static std::optional<CustomerId> read(std::string_view text, IdNamespace space) {
        if (space == IdNamespace::email) return journeys::email_id(text);
        if (space == IdNamespace::phone) return journeys::phone_id(text);
        if (text.empty() || text.size() > id_bytes_max || text.find('\0') != text.npos)
            return std::nullopt;
        return CustomerId{space, std::string{text}};
    }

    std::vector<CustomerId> ids_;
};

/// Where a guest says who they are: at checkout, and with the order.
bool tells_the_buyer(std::string_view event) {
    return event.starts_with("Checkout ") || event.starts_with("Order ") ||
           event == "Payment Info Entered";
}

/// The e-mail address that a message gives for its customer; empty where it gives none.
std::string_view email_of(const Message& message, const Event& event) {
    if (event.type == EventType::track && tells_the_buyer(event.name))
        if (const auto email = PackedView{event.properties}.string_at("email"); !email.empty())
            return email;
    if (event.type == EventType::identify)
        if (const auto email = PackedView{event.traits}.string_at("email"); !email.empty())
            return email;
    return PackedView{message.context.traits.packed}.string_at("email");
}

} // namespace

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

Decoded<Event> judge(Message& message, const Source& source, Clock& clock, PackedWriter& scratch) {
    if (!message.is_object) return Reject{RejectReason::bad_shape, "a message must be an object"};
    const auto type = type_of(message, source);
    if (!type) {
        return Reject{RejectReason::bad_type,
                      "type must be track, identify, page, screen, group or alias"};
    }
    const bool is_identify = *type == EventType::identify;
    const auto must_be_object = [](std::string_view name) {
        return Reject{RejectReason::bad_shape, std::string{name} + " must be an object"};
    };

    std::optional<Reject> reject;
    auto user = id_of(message.user, IdNamespace::user, "userId", reject);
    auto anonymous = id_of(message.anonymous, IdNamespace::anonymous, "anonymousId", reject);
    if (reject) return *std::move(reject);
    Ids ids;
    if (user) ids.add(journeys::email_id(user->value));
    const bool has_user = user.has_value();
    ids.add(std::move(user));
    ids.add(std::move(anonymous));
    for (const auto& external : message.context.external_ids) ids.add_external(external);
    if (ids.is_empty()) {
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
        if (!has_user) return Reject{RejectReason::no_identity, "userId is required for an alias"};
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
    ids.add(journeys::email_id(email_of(message, event)));
    event.ids = ids.take();
    event.context =
        merged_context(message.context, PackedView{source.batch_context},
                       is_identify ? PackedView{event.traits}.find("address").string_at("country")
                                   : std::string_view{},
                       scratch);

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
        event.message_hash = std::max<std::uint64_t>(journeys::hash(source.raw, place), 1);
    }
    return event;
}

} // namespace schema
