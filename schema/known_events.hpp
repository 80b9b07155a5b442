/// Whether an event that a file names can ever happen here, and what it is called if not.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace schema {

/// The events of config/events.yaml; nothing: any name is taken.
using DeclaredEvents = std::optional<std::set<std::string, std::less<>>>;

/// What is wrong with `name`, with the nearest valid name; empty where nothing is. Standard events
/// and those that are made here need no declaration.
std::string mistake_in_event_name(std::string_view name, const DeclaredEvents& declared);

/// Whether the event needs no declaration: the specification's, or made here.
bool is_standard_event(std::string_view name);

} // namespace schema
