/// When a message is most likely to be seen: `at: best_hour` of a send.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/definition.hpp"
#include "journeys/settings.hpp"

#include <optional>

namespace journeys {

/// The instant within a day of `from`, and an hour before the message expires, at which the
/// customer is most active; nothing where that is now, or where nobody's activity is known.
///
/// The share of each hour of the person's own day is the mean of a Dirichlet distribution: their
/// opens and clicks (machines left out), and the population's hours of the settings as its prior,
/// which weigh `active_hours_weight` opens. So who has shown nothing yet gets the population's
/// hour, and an own habit wins by and by. Without a prior three reports of one's own are asked for.
/// Hours within quiet hours are left out. Of equal hours the first counts. Up to half an hour is
/// added, the same for the same intent, so that not everybody is written to at once.
std::optional<Timestamp> best_hour(const Customer& customer, const Send& send, IntentId intent,
                                   Timestamp from, Timestamp expires_at, const Settings& settings);

} // namespace journeys
