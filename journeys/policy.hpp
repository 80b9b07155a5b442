/// May this message be sent now? Consent, address, quiet hours, caps: pure functions of customer
/// and instant.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/definition.hpp"
#include "journeys/reason.hpp"

#include <optional>
#include <string>
#include <variant>

namespace journeys {

/// A topic that no settings have: the word on whichever topics the person has no word on, where the
/// channel as a whole has none. So somebody who wanted nothing at all and now wants one topic gets
/// that one, and none that is made later.
inline constexpr std::string_view other_topics = "(others)";

/// The state for (channel, topic): the topic's own, else the channel's, the stricter of both where
/// both are set; else that of `other_topics`. `never` counts as not set.
ConsentState consent_of(const Customer& customer, std::string_view channel, std::string_view topic);
/// What the channel, and the law of the customer's country, ask for.
bool needs_opt_in(const Customer& customer, const ChannelRules& channel);
bool needs_confirmation(const Customer& customer, const ChannelRules& channel);
/// Whether that is enough for `send`; a transactional one asks nobody.
bool has_consent(const Customer& customer, const Send& send, const ChannelRules& channel);

/// The customer's address on the channel, from traits; empty where there is none or none is needed.
/// A phone number comes as E.164 has it (`+` and digits), an e-mail address must look like one;
/// what does not is none.
std::string address_of(const Customer& customer, const ChannelRules& channel);
/// Tells addresses apart in suppressions: of the address as `address_of` writes it. Never 0.
std::uint64_t address_hash(const ChannelRules& channel, std::string_view address);
/// The address as every comparison of addresses wants it: `address_of` of a trait with this text.
std::string normal_address(const ChannelRules& channel, std::string_view text);
/// Whether the customer's address must not be used: it bounced, its owner complained or said STOP.
bool is_suppressed(const Customer& customer, const ChannelRules& channel);
/// The first reason that has nothing to do with time: consent, no_address, suppressed.
std::optional<Reason> refusal(const Customer& customer, const Send& send, const Settings& settings);
/// Consent given, address known, not suppressed: what `reachable(channel, topic)` answers.
bool is_reachable(const Customer& customer, std::string_view channel, std::string_view topic,
                  const Settings& settings);

/// The zone in which the customer's day is reckoned: their own where known, else that of their
/// country where it has one time, else the workspace's.
std::string_view zone_of(const Customer& customer, const Settings& settings);

/// When the quiet hours that hold at `at` end; nothing where none hold. Later by 0 to 15 min,
/// stably by customer and intent, so that not everybody gets the message at the first minute; never
/// into other quiet hours. They hold from the instant of `from` until just before that of `to`,
/// both reckoned on their own local day.
std::optional<Timestamp> quiet_until(const Customer& customer, std::string_view channel,
                                     Timestamp at, const Settings& settings, IntentId intent);

/// When the fullest cap over (channel, topic) has room again; nothing where one more message fits
/// now. A message leaves the window exactly `per` after it was sent. A cap of none at all has room
/// at `no_time`.
std::optional<Timestamp> capped_until(const Customer& customer, std::string_view channel,
                                      std::string_view topic, Timestamp at,
                                      const Settings& settings, int priority = 50);

struct Allowed {};
struct Suppressed {
    Reason reason;
};
struct Deferred {
    Reason reason; ///< quiet_hours or capped.
    Timestamp until;
};
using Permission = std::variant<Allowed, Suppressed, Deferred>;

/// Everything about `send` that does not need the run: consent, address, suppression, quiet hours,
/// caps. In the order in which reasons are to be named. Calls (`send.is_call`) are always allowed.
/// Transactional messages need no consent and know no caps; an address, its suppression and the
/// step's word on quiet hours hold for them.
/// `priority`: the journey's; caps may let a higher one through.
Permission permission(const Customer& customer, const Send& send, IntentId intent, Timestamp at,
                      const Settings& settings, int priority = 50);

} // namespace journeys
