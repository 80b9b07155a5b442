/// What the person allows, by channel and topic, as producers write it.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/event.hpp"

#include <vector>

namespace journeys {

/// Takes `traits.marketing_consent` and `context.consent` into the customer; the newer word counts,
/// by `updated_at` where the message says one, else by event time. Appends a `Consent Changed` for
/// each that differs to `made_here`, and its timeline entry to `effects`.
///
/// `marketing_consent` is a map of channels: `{email: true}`, `{email: "subscribed"}`,
/// `{email: {state | subscribed | status, topic?, topics?: {cart: false}, updated_at?, source?,
/// text_version?, confirmed?}}`, or a list of such maps. Where the channel asks for a confirmation
/// (double opt-in), a `subscribed` without `confirmed: true` is `pending`. A category of
/// `context.consent` that names a channel of the settings is that channel's consent; any other is
/// kept as the topic of a channel `category`.
void observe_consents(Customer& customer, const Event& event, const Catalog& catalog,
                      std::vector<Event>& made_here, Effects& effects);

/// Takes one consent into the customer where it is not older than what is known, and appends a
/// `Consent Changed` to `made_here` where it differs. `cause`: the message that said so. True where
/// it changed.
bool change_consent(Customer& customer, Consent consent, const Event& cause,
                    std::vector<Event>& made_here, Effects& effects);

/// Of (channel, topic) in both the stricter wins.
void unite_consents(Customer& winner, const Customer& loser, Effects& effects);

} // namespace journeys
