#include "journeys/consents.hpp"

#include "journeys/local_time.hpp"
#include "journeys/lower_case.hpp"
#include "journeys/policy.hpp"
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
    case ConsentState::pending: return "pending";
    }
    return "";
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
        {"pending", ConsentState::pending},
        {"not_subscribed", ConsentState::never},
    }};
    const auto text = to_lower(bounded(word.as_string(), 32));
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
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("source");
    writer.string(consent.source);
    writer.key("text_version");
    writer.string(consent.text_version);
    writer.end_map(mark, 2);
    entry.data = writer.take();
    effects.emplace_back(std::move(entry));
}

/// Reads the consents of one message.
class Reader {
public:
    Reader(Customer& customer, const Event& event, const Catalog& catalog,
           std::vector<Event>& made_here, Effects& effects)
        : customer_(customer), event_(event), catalog_(catalog), made_here_(made_here),
          effects_(effects) {}

    void read_marketing_consent(PackedView consents) {
        if (!consents.is_map()) return;
        const auto at = time_of(consents, event_.time);
        const auto source = source_of(consents, "identify");
        for (const auto& [channel, word] : consents.entries()) {
            if (channel == "source" || channel == "text_version" || is_time_key(channel)) continue;
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
            const auto* channel = catalog_.settings().channel(to_lower(category));
            if (channel)
                set({channel->name, "", *state, event_.time, "context"});
            else
                set({"category", std::string{category}, *state, event_.time, "context"});
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
        Consent said{std::string{channel}, "", ConsentState::never, at, source};
        if (!word.is_map()) {
            if (const auto state = state_of(word)) {
                said.state = *state;
                set(said, is_word_of_confirmation(word));
            }
            return;
        }
        said.at = time_of(word, at);
        said.source = source_of(word, source);
        said.text_version = bounded(word.string_at("text_version"), name_bytes);
        const auto confirmed = word.find("confirmed");
        const bool is_confirmed = (confirmed.is_bool() && confirmed.as_bool()) ||
                                  word.string_at("opt_in_level") == "confirmed_opt_in";
        for (const auto* key : {"state", "status", "subscribed"}) {
            const auto state = state_of(word.find(key));
            if (!state) continue;
            said.state = *state;
            said.topic = word.string_at("topic");
            set(said, is_confirmed || is_word_of_confirmation(word.find(key)));
            break;
        }
        for (const auto& [topic, topic_word] : word.find("topics").entries()) {
            const auto state = state_of(topic_word);
            if (!state || topic.empty()) continue;
            said.state = *state;
            said.topic = topic;
            set(said, is_confirmed || is_word_of_confirmation(topic_word));
        }
    }

    static bool is_word_of_confirmation(PackedView word) {
        return word.is_string() && to_lower(bounded(word.as_string(), 32)) == "confirmed";
    }

    void set(Consent said, bool is_confirmed = false) {
        said.channel = bounded(said.channel, name_bytes);
        said.topic = bounded(said.topic, name_bytes);
        if (said.state == ConsentState::subscribed && !is_confirmed) {
            const auto* channel = catalog_.settings().channel(said.channel);
            const auto* known = find_consent(customer_, said.channel, said.topic);
            const bool was_subscribed = known && known->state == ConsentState::subscribed;
            if (channel && !was_subscribed && needs_confirmation(customer_, *channel))
                said.state = ConsentState::pending;
        }
        change_consent(customer_, std::move(said), event_, made_here_, effects_);
    }

    Customer& customer_;
    const Event& event_;
    const Catalog& catalog_;
    std::vector<Event>& made_here_;
    Effects& effects_;
};

int strictness(ConsentState state) {
    switch (state) {
    case ConsentState::subscribed: return 0;
    case ConsentState::never: return 1;
    case ConsentState::pending: return 2;
    case ConsentState::unsubscribed: return 3;
    }
    return 3;
}

/// Where there is no more room what is worth least is forgotten first: a word that says nothing; a
/// category, by which no message leaves; a grant, without which less is allowed. What withholds a
/// message is kept.
enum class Worth { nothing, category, category_withheld, grant, withheld };

Worth worth_of(const Consent& consent) {
    const bool is_category = consent.channel == "category";
    switch (consent.state) {
    case ConsentState::never: return Worth::nothing;
    case ConsentState::subscribed: return is_category ? Worth::category : Worth::grant;
    case ConsentState::pending:
    case ConsentState::unsubscribed: break;
    }
    return is_category ? Worth::category_withheld : Worth::withheld;
}

/// All that is known of the channel becomes one withdrawal from all of it.
void withdraw_whole(std::vector<Consent>& consents, const std::string& channel) {
    Consent whole{channel, "", ConsentState::unsubscribed, {}, "many topics"};
    for (const auto& consent : consents)
        if (consent.channel == channel) whole.at = std::max(whole.at, consent.at);
    std::erase_if(consents, [&](const Consent& one) { return one.channel == channel; });
    consents.push_back(std::move(whole));
}

/// Where a consent of which nothing is known yet is kept; null: nowhere. Beyond the bound it takes
/// the place of the oldest that is worth no more, and a withdrawal finds one always: where all
/// others must stay, those of one channel become one. A `consent` of whose channel that is becomes
/// that one.
Consent* place_for(Customer& customer, Consent& consent) {
    auto& consents = customer.consents;
    if (consents.size() < bounds::consents) return &consents.emplace_back();
    const auto least = std::ranges::min_element(consents, {}, [](const Consent& known) {
        return std::pair{worth_of(known), known.at};
    });
    if (worth_of(*least) <= std::min(worth_of(consent), Worth::grant)) {
        consents.erase(least);
        return &consents.emplace_back();
    }
    if (consent.state != ConsentState::unsubscribed || worth_of(consent) != Worth::withheld)
        return nullptr;
    const auto words_of = [&](const std::string& channel) {
        return std::ranges::count(consents, channel, &Consent::channel);
    };
    if (words_of(consent.channel) > 0) {
        const auto* whole = find_consent(customer, consent.channel, "");
        if (whole && whole->state == ConsentState::unsubscribed) return nullptr; // It says so.
        withdraw_whole(consents, consent.channel);
        consent.topic.clear();
        consent.at = std::max(consent.at, consents.back().at);
        return &consents.back();
    }
    const auto most = std::ranges::max_element(
        consents, {}, [&](const Consent& known) { return words_of(known.channel); });
    if (words_of(most->channel) < 2) return nullptr; // Of more channels than anybody has.
    withdraw_whole(consents, std::string{most->channel});
    return &consents.emplace_back();
}

} // namespace

bool set_consent(Customer& customer, Consent consent, Effects& effects) {
    auto* known = find_consent(customer, consent.channel, consent.topic);
    if (known && consent.at < known->at) return false;
    const auto from = known ? known->state : ConsentState::never;
    const bool changed = from != consent.state;
    if (!known) known = place_for(customer, consent);
    if (!known) return false;
    *known = std::move(consent);
    if (changed) note(*known, effects);
    return changed;
}

bool change_consent(Customer& customer, Consent consent, const Event& cause,
                    std::vector<Event>& made_here, Effects& effects) {
    auto* known = find_consent(customer, consent.channel, consent.topic);
    const auto from = known ? known->state : ConsentState::never;
    if (known && known->state == consent.state) { // The usual case, and no copy of anything.
        if (consent.at >= known->at && !consent.text_version.empty() &&
            consent.text_version != known->text_version) { // Agreed to again, in newer words.
            known->text_version = std::move(consent.text_version);
            known->source = std::move(consent.source);
        }
        known->at = std::max(known->at, consent.at);
        return false;
    }
    const auto to = consent.state;
    const auto at = consent.at;
    const auto properties = [&] {
        PackedWriter writer;
        const auto mark = writer.begin_map();
        const auto pair = [&](std::string_view key, std::string_view text) {
            writer.key(key);
            writer.string(text);
        };
        pair("channel", consent.channel);
        pair("topic", consent.topic);
        pair("from", to_text(from));
        pair("to", to_text(to));
        writer.end_map(mark, 4);
        return writer.take();
    };
    auto packed = properties();
    if (!set_consent(customer, std::move(consent), effects)) return false;
    made_here.push_back(make_event(customer, "Consent Changed", std::move(packed), at,
                                   cause.message_hash + made_here.size() + 1));
    return true;
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
            auto taken = from;
            to = place_for(winner, taken);
            if (!to) continue;
            *to = std::move(taken);
            note(*to, effects);
        } else if (strictness(from.state) > strictness(to->state)) {
            *to = from;
            note(from, effects);
        } else if (from.state == to->state && from.at > to->at) {
            *to = from;
        }
    }
}

} // namespace journeys
