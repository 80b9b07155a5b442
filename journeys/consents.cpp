#include "journeys/consents.hpp"

#include "journeys/local_time.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace journeys {
namespace {

constexpr std::size_t name_bytes = 128;

std::string_view to_text(ConsentState state) {
    switch (state) {
    case ConsentState::never: return "never";
    case ConsentState::subscribed: return "subscribed";
    case ConsentState::unsubscribed: return "unsubscribed";
    }
    return "";
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// The words of the field; nothing for others, so that a typing error neither grants nor withdraws.
std::optional<ConsentState> state_of(PackedView word) {
    if (word.is_bool())
        return word.as_bool() ? ConsentState::subscribed : ConsentState::unsubscribed;
    if (!word.is_string()) return std::nullopt;
    static constexpr std::array<std::pair<std::string_view, ConsentState>, 22> words{{
        {"subscribed", ConsentState::subscribed},
        {"opted_in", ConsentState::subscribed},
        {"opted-in", ConsentState::subscribed},
        {"opt_in", ConsentState::subscribed},
        {"opt-in", ConsentState::subscribed},
        {"granted", ConsentState::subscribed},
        {"confirmed", ConsentState::subscribed},
        {"true", ConsentState::subscribed},
        {"yes", ConsentState::subscribed},
        {"unsubscribed", ConsentState::unsubscribed},
        {"opted_out", ConsentState::unsubscribed},
        {"opted-out", ConsentState::unsubscribed},
        {"opt_out", ConsentState::unsubscribed},
        {"opt-out", ConsentState::unsubscribed},
        {"denied", ConsentState::unsubscribed},
        {"withdrawn", ConsentState::unsubscribed},
        {"false", ConsentState::unsubscribed},
        {"no", ConsentState::unsubscribed},
        {"never", ConsentState::never},
        {"none", ConsentState::never},
        {"pending", ConsentState::never},
        {"not_subscribed", ConsentState::never},
    }};
    const auto text = lower(bounded(word.as_string(), 32));
    for (const auto& [name, state] : words)
        if (text == name) return state;
    return std::nullopt;
}

Consent* find_consent(Customer& customer, std::string_view channel, std::string_view topic) {
    for (auto& consent : customer.consents)
        if (consent.channel == channel && consent.topic == topic) return &consent;
    return nullptr;
}

void note(const Consent& consent, Effects& effects) {
    TimelineEntry entry{.kind = EntryKind::consent, .at = consent.at};
    entry.channel = consent.channel;
    entry.topic = consent.topic;
    entry.reason = to_text(consent.state);
    effects.emplace_back(std::move(entry));
}

/// Reads the consents of one message.
class Reader {
public:
    Reader(Customer& customer, const Event& event, const Catalog& catalog,
           std::vector<Event>& made_here, Effects& effects)
        : customer_(customer), event_(event), catalog_(catalog), made_here_(made_here),
          effects_(effects), at_(event.time) {}

    void read_marketing_consent(PackedView consents) {
        if (!consents.is_map()) return;
        const auto at = time_of(consents, event_.time);
        const auto source = source_of(consents, "identify");
        for (const auto& [channel, word] : consents.entries()) {
            if (channel == "source" || is_time_key(channel)) continue;
            if (word.is_list())
                for (const auto& [nothing, item] : word.entries()) read(channel, item, at, source);
            else
                read(channel, word, at, source);
        }
    }

    void read_categories(PackedView categories) {
        for (const auto& [category, word] : categories.entries()) {
            if (category == "categoryPreferences") {
                read_categories(word);
                continue;
            }
            const auto state = state_of(word);
            if (!state || category.empty()) continue;
            const auto* channel = catalog_.settings().channel(lower(category));
            if (channel)
                set(channel->name, {}, *state, event_.time, "context");
            else
                set("category", category, *state, event_.time, "context");
        }
    }

private:
    static bool is_time_key(std::string_view key) { return key == "updated_at" || key == "at"; }

    /// A repeated old word must not undo a newer one, so its own date counts; a date to come does
    /// not.
    static Timestamp time_of(PackedView map, Timestamp otherwise) {
        for (const auto* key : {"updated_at", "at"})
            if (const auto text = map.string_at(key); !text.empty())
                if (const auto at = parse_timestamp(text, true)) return std::min(*at, otherwise);
        return otherwise;
    }
    static std::string source_of(PackedView map, std::string_view otherwise) {
        const auto source = map.string_at("source");
        return std::string{source.empty() ? otherwise : bounded(source, name_bytes)};
    }

    void read(std::string_view channel, PackedView word, Timestamp at, const std::string& source) {
        if (channel.empty()) return;
        if (!word.is_map()) {
            if (const auto state = state_of(word)) set(channel, {}, *state, at, source);
            return;
        }
        at = time_of(word, at);
        const auto own_source = source_of(word, source);
        for (const auto* key : {"state", "status", "subscribed"}) {
            if (const auto state = state_of(word.find(key))) {
                set(channel, word.string_at("topic"), *state, at, own_source);
                break;
            }
        }
        for (const auto& [topic, topic_word] : word.find("topics").entries())
            if (const auto state = state_of(topic_word); state && !topic.empty())
                set(channel, topic, *state, at, own_source);
    }

    void set(std::string_view channel, std::string_view topic, ConsentState state, Timestamp at,
             std::string_view source) {
        channel = bounded(channel, name_bytes);
        topic = bounded(topic, name_bytes);
        const auto* known = find_consent(customer_, channel, topic);
        const auto from = known ? known->state : ConsentState::never;
        if (known && known->state == state) { // The usual case, and no copy of anything.
            find_consent(customer_, channel, topic)->at = std::max(known->at, at);
            return;
        }
        if (!set_consent(customer_,
                         {std::string{channel}, std::string{topic}, state, at, std::string{source}},
                         effects_))
            return;
        PackedWriter writer;
        const auto mark = writer.begin_map();
        const auto pair = [&](std::string_view key, std::string_view text) {
            writer.key(key);
            writer.string(text);
        };
        pair("channel", channel);
        pair("topic", topic);
        pair("from", to_text(from));
        pair("to", to_text(state));
        writer.end_map(mark, 4);
        made_here_.push_back(make_event(customer_, "Consent Changed", writer.take(), at_,
                                        event_.message_hash + made_here_.size() + 1));
    }

    Customer& customer_;
    const Event& event_;
    const Catalog& catalog_;
    std::vector<Event>& made_here_;
    Effects& effects_;
    Timestamp at_;
};

int strictness(ConsentState state) {
    switch (state) {
    case ConsentState::subscribed: return 0;
    case ConsentState::never: return 1;
    case ConsentState::unsubscribed: return 2;
    }
    return 2;
}

} // namespace

bool set_consent(Customer& customer, Consent consent, Effects& effects) {
    auto* known = find_consent(customer, consent.channel, consent.topic);
    if (known && consent.at < known->at) return false;
    const auto from = known ? known->state : ConsentState::never;
    const bool changed = from != consent.state;
    if (!known) {
        if (customer.consents.size() >= bounds::consents) return false;
        known = &customer.consents.emplace_back();
    }
    *known = std::move(consent);
    if (changed) note(*known, effects);
    return changed;
}

void observe_consents(Customer& customer, const Event& event, const Catalog& catalog,
                      std::vector<Event>& made_here, Effects& effects) {
    if (event.context.empty() && event.traits.empty()) return;
    Reader reader{customer, event, catalog, made_here, effects};
    if (const auto categories = PackedView{event.context}.find("consent"); categories.is_map())
        reader.read_categories(categories);
    if (event.type != EventType::group)
        reader.read_marketing_consent(PackedView{event.traits}.find("marketing_consent"));
}

void unite_consents(Customer& winner, const Customer& loser, Effects& effects) {
    for (const auto& from : loser.consents) {
        auto* to = find_consent(winner, from.channel, from.topic);
        if (!to) {
            if (winner.consents.size() >= bounds::consents) continue;
            winner.consents.push_back(from);
            note(from, effects);
        } else if (strictness(from.state) > strictness(to->state)) {
            *to = from;
            note(from, effects);
        } else if (from.state == to->state && from.at > to->at) {
            *to = from;
        }
    }
}

} // namespace journeys
