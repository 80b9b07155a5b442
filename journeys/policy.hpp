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

/// The state for (channel, topic): the topic's own, else the channel's, the stricter of both where
/// both are set. `never` counts as not set.
ConsentState consent_of(const Customer& customer, std::string_view channel, std::string_view topic);
/// Whether that is enough for `send`; a transactional one asks nobody.
bool has_consent(const Customer& customer, const Send& send, const ChannelRules& channel);

/// The customer's address on the channel, from traits; empty where there is none or none is needed.
/// A phone number comes as E.164 has it (`+` and digits), an e-mail address must look like one;
/// what does not is none.
std::string address_of(const Customer& customer, const ChannelRules& channel);
/// Consent given, address known, not suppressed: what `reachable(channel, topic)` answers.
bool is_reachable(const Customer& customer, std::string_view channel, std::string_view topic,
                  const Settings& settings);

/// The zone in which the customer's day is reckoned: their own where known, else the workspace's.
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
                                      const Settings& settings);

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
Permission permission(const Customer& customer, const Send& send, IntentId intent, Timestamp at,
                      const Settings& settings);

} // namespace journeys
