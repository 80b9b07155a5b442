/// What the closed sets of reasons mean, for people.
#pragma once

#include <string>

namespace journeys {

/// Every reason why a message was not sent, and why an event opened no run.
std::string reasons_reference();

} // namespace journeys
