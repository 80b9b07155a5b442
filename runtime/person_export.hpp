/// What is stored of a person, as one JSON object (GDPR, article 15).
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "runtime/suppressions.hpp"

#include <string>
#include <vector>

namespace runtime {

class DatabaseSession;

struct PersonParts {
    const journeys::Customer& customer;
    const std::vector<std::string>& ids; ///< All that reach the customer, their own first.
    const Suppressions& suppressions;
    const journeys::Catalog& catalog;
    journeys::Timestamp now{};
};

/// Profile, consents, suppressions of theirs and of their addresses, timeline with its data,
/// decisions, messages, coupons, what was refused at the door or is parked, and the events in the
/// log as they came. Blocking; any thread.
journeys::Result<std::string> export_person(DatabaseSession& session, const PersonParts& person);

} // namespace runtime
