#include "journeys/policy.hpp"

#include "journeys/addresses.hpp"
#include "journeys/country_zones.hpp"
#include "journeys/local_time.hpp"
#include "journeys/lower_case.hpp"

#include <algorithm>

namespace journeys {
namespace {

constexpr bool is_control_or_space(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

/// When the quiet hours of one rule that hold at `at` end; nothing where they do not hold.
std::optional<Timestamp> end_of(const QuietHours& hours, std::string_view zone, Timestamp at) {
    if (hours.from == hours.to) return std::nullopt;
    const bool spans_midnight = hours.from > hours.to;
    const auto today = to_local(zone, at).day;
    // Those that began today, or yesterday where they span midnight. Begin and end are instants, so
    // the nights on which the clock is changed have the hours that they have.
    for (int offset = spans_midnight ? -1 : 0; offset <= 0; ++offset) {
        const auto first_day = today + std::chrono::days{offset};
        const auto last_day = first_day + std::chrono::days{spans_midnight ? 1 : 0};
        const auto end = at_local(zone, last_day, hours.to);
        if (at >= at_local(zone, first_day, hours.from) && at < end) return end;
    }
    return std::nullopt;
}

/// When quiet hours end, and over how long what they held back is spread.
struct QuietEnd {
    Timestamp at{};
    Duration jitter{};
};

/// The latest end of all quiet hours of `channel` that hold at `at`; of equal ones the one that
/// spreads more.
std::optional<QuietEnd> latest_end(std::string_view channel, std::string_view zone, Timestamp at,
                                   const Settings& settings) {
    std::optional<QuietEnd> latest;
    for (const auto& hours : settings.quiet_hours) {
        if (!hours.channels.empty() && std::find(hours.channels.begin(), hours.channels.end(),
                                                 channel) == hours.channels.end())
            continue;
        const auto end = end_of(hours, zone, at);
        if (!end) continue;
        const bool is_later =
            !latest || *end > latest->at || (*end == latest->at && hours.jitter > latest->jitter);
        if (is_later) latest = {*end, hours.jitter};
    }
    return latest;
}

bool counts(const Cap& cap, std::string_view channel, std::string_view topic) {
    return (cap.channel.empty() || cap.channel == channel) &&
           (cap.topic.empty() || cap.topic == topic);
}

/// When `cap` has room for one more; nothing where it has room at `at`.
std::optional<Timestamp> full_until(const Cap& cap, const std::vector<SendMark>& sends,
                                    Timestamp at) {
    if (cap.messages <= 0) return no_time;
    // The window is open at its beginning: what was sent exactly `per` ago does not count any more.
    const auto is_in_window = [&](const SendMark& mark) {
        return mark.capped && counts(cap, mark.channel, mark.topic) && mark.at > at - cap.per;
    };
    if (std::count_if(sends.begin(), sends.end(), is_in_window) < cap.messages) return std::nullopt;
    std::vector<Timestamp> counted;
    for (const auto& mark : sends)
        if (is_in_window(mark)) counted.push_back(mark.at);
    // There is room once no more than `messages - 1` are left: when this one leaves the window.
    const auto leaves = counted.begin() + (cap.messages - 1);
    std::nth_element(counted.begin(), leaves, counted.end(), std::greater{});
    return *leaves + cap.per;
}

ConsentState state_of(const Customer& customer, std::string_view channel, std::string_view topic) {
    auto state = ConsentState::never;
    for (const auto& consent : customer.consents) {
        if (consent.channel != channel || consent.topic != topic) continue;
        if (consent.state == ConsentState::unsubscribed) return ConsentState::unsubscribed;
        if (consent.state != ConsentState::never) state = consent.state;
    }
    return state;
}

bool is_consent_enough(ConsentState state, const Customer& customer, const ChannelRules& channel) {
    switch (state) {
    case ConsentState::subscribed: return true;
    case ConsentState::never: return !needs_opt_in(customer, channel);
    case ConsentState::pending:
    case ConsentState::unsubscribed: return false;
    }
    return false;
}

const ConsentOfCountries* law_of(const Customer& customer, const ChannelRules& channel) {
    if (customer.country.empty()) return nullptr;
    for (const auto& law : channel.by_country)
        if (std::ranges::any_of(law.countries, [&](const std::string& country) {
                return std::ranges::equal(country, customer.country, [](char a, char b) {
                    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; };
                    return upper(a) == upper(b);
                });
            }))
            return &law;
    return nullptr;
}

/// The first reason not to use the channel at all that has nothing to do with time.
std::optional<Reason> unreachable(const Customer& customer, const ChannelRules& channel,
                                  bool has_customers_consent) {
    if (!has_customers_consent) return Reason::consent;
    if (!channel.address.empty() && address_of(customer, channel).empty())
        return Reason::no_address;
    if (is_suppressed(customer, channel)) return Reason::suppressed;
    return std::nullopt;
}

} // namespace

ConsentState consent_of(const Customer& customer, std::string_view channel,
                        std::string_view topic) {
    const auto of_channel = state_of(customer, channel, "");
    const auto of_topic = topic.empty() ? ConsentState::never : state_of(customer, channel, topic);
    if (of_topic == ConsentState::never)
        return of_channel != ConsentState::never ? of_channel
                                                 : state_of(customer, channel, other_topics);
    const bool is_channel_stricter =
        of_channel == ConsentState::unsubscribed ||
        (of_channel == ConsentState::pending && of_topic == ConsentState::subscribed);
    return is_channel_stricter ? of_channel : of_topic;
}

bool needs_opt_in(const Customer& customer, const ChannelRules& channel) {
    const auto* law = law_of(customer, channel);
    return law && law->needs_opt_in ? *law->needs_opt_in : channel.needs_opt_in;
}

bool needs_confirmation(const Customer& customer, const ChannelRules& channel) {
    const auto* law = law_of(customer, channel);
    return law && law->needs_confirmation ? *law->needs_confirmation : channel.needs_confirmation;
}

bool has_consent(const Customer& customer, const Send& send, const ChannelRules& channel) {
    return send.purpose == Purpose::transactional ||
           is_consent_enough(consent_of(customer, send.channel, send.topic), customer, channel);
}

std::string normal_address(const ChannelRules& channel, std::string_view text) {
    if (channel.address == "phone") return phone_number(text);
    if (channel.address == "email") return is_email(text) ? std::string{text} : std::string{};
    // Of other addresses (device tokens, handles) only the provider knows the form.
    if (text.size() > bounds::address_bytes) return {};
    if (std::any_of(text.begin(), text.end(), is_control_or_space)) return {};
    return std::string{text};
}

std::string address_of(const Customer& customer, const ChannelRules& channel) {
    if (channel.address.empty()) return {};
    return normal_address(channel, PackedView{customer.traits}.string_at(channel.address));
}

std::uint64_t address_hash(const ChannelRules& channel, std::string_view address) {
    // Nobody has two mailboxes that differ in case only, so one that says STOP means both.
    return std::max<std::uint64_t>(
        hash(to_lower(address), hash(channel.address.empty() ? channel.name : channel.address)), 1);
}

bool is_suppressed(const Customer& customer, const ChannelRules& channel) {
    if (customer.suppressions.empty()) return false;
    const auto address = address_hash(channel, address_of(customer, channel));
    return std::ranges::any_of(customer.suppressions, [&](const Suppression& one) {
        return one.address == 0 ? one.channel == channel.name : one.address == address;
    });
}

std::optional<Reason> refusal(const Customer& customer, const Send& send,
                              const Settings& settings) {
    if (send.is_call || settings.assume_permission) return std::nullopt;
    const auto* channel = settings.channel(send.channel);
    if (!channel) return Reason::error; // Taken out of the settings while a run was on its way.
    return unreachable(customer, *channel, has_consent(customer, send, *channel));
}

bool is_reachable(const Customer& customer, std::string_view channel, std::string_view topic,
                  const Settings& settings) {
    if (settings.assume_permission) return true;
    const auto* rules = settings.channel(channel);
    return rules &&
           !unreachable(customer, *rules,
                        is_consent_enough(consent_of(customer, channel, topic), customer, *rules));
}

std::string_view zone_of(const Customer& customer, const Settings& settings) {
    if (is_known_zone(customer.timezone)) return customer.timezone;
    const auto of_country = zone_of_country(customer.country);
    return is_known_zone(of_country) ? of_country : std::string_view{settings.timezone};
}

std::optional<Timestamp> quiet_until(const Customer& customer, std::string_view channel,
                                     Timestamp at, const Settings& settings, IntentId intent) {
    if (settings.quiet_hours.empty()) return std::nullopt;
    const auto zone = zone_of(customer, settings);
    auto end = latest_end(channel, zone, at, settings);
    if (!end) return std::nullopt;
    // Where one rule's hours end inside another's the later end counts. Bounded, because rules
    // could cover the whole day; then the message waits on, and expires.
    for (std::size_t i = 0; i < 2 * settings.quiet_hours.size(); ++i) {
        const auto next = latest_end(channel, zone, end->at, settings);
        if (!next) break;
        end = next;
    }
    const auto draw = hash(to_text(intent), hash(customer.id));
    const auto span = static_cast<std::uint64_t>(end->jitter.count()) + 1;
    const auto jittered = end->at + Duration{static_cast<std::int64_t>(draw % span)};
    // Never into the next quiet hours.
    return latest_end(channel, zone, jittered, settings) ? end->at : jittered;
}

std::optional<Timestamp> capped_until(const Customer& customer, std::string_view channel,
                                      std::string_view topic, Timestamp at,
                                      const Settings& settings, int priority) {
    std::optional<Timestamp> until;
    for (const auto& cap : settings.caps) {
        if (!counts(cap, channel, topic) || (cap.above && priority > *cap.above)) continue;
        const auto full = full_until(cap, customer.sends, at);
        if (full && (!until || *full > *until)) until = full;
    }
    return until;
}

Permission permission(const Customer& customer, const Send& send, IntentId intent, Timestamp at,
                      const Settings& settings, int priority) {
    if (send.is_call || settings.assume_permission) return Allowed{};
    if (const auto reason = refusal(customer, send, settings)) return Suppressed{*reason};

    if (send.quiet_hours != OnQuietHours::ignore) {
        if (const auto until = quiet_until(customer, send.channel, at, settings, intent)) {
            if (send.quiet_hours == OnQuietHours::drop) return Suppressed{Reason::quiet_hours};
            return Deferred{Reason::quiet_hours, *until};
        }
    }
    if (send.capped != OnCap::ignore && send.purpose == Purpose::marketing) {
        if (const auto until =
                capped_until(customer, send.channel, send.topic, at, settings, priority)) {
            if (send.capped == OnCap::drop) return Suppressed{Reason::capped};
            return Deferred{Reason::capped, *until};
        }
    }
    return Allowed{};
}

} // namespace journeys
