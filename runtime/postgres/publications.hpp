/// The text of every publication, kept for as long as a run, a record or a decision may name it.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <optional>
#include <string>

namespace runtime {

/// Must be committed before the `Publish` record is appended. A publication that is there stays as
/// it is.
journeys::Result<void> save_publication(Connection& connection, std::uint64_t publication,
                                        journeys::Timestamp published_at, std::string_view content);
/// Nothing where it is unknown.
journeys::Result<std::optional<std::string>> load_publication(Connection& connection,
                                                              std::uint64_t publication);

} // namespace runtime
