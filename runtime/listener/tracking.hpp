/// The paths of Segment's tracking API: what producers post over HTTP. Only for `listener/`.
#pragma once

#include "runtime/listener/arrival.hpp"
#include "runtime/listener/outcome.hpp"
#include "runtime/listener/worker.hpp"

#include <optional>
#include <string_view>

namespace runtime::listener {

struct TrackingPath {
    std::string_view path;
    std::optional<journeys::EventType> expected;
    schema::Envelope::Shape shape;
    bool imported = false; ///< By `sojourn import`: for operators alone.
};
/// Null for another path.
const TrackingPath* find_tracking_path(std::string_view path);

/// Of the browser library, about itself; taken and dropped.
inline constexpr std::string_view metrics_path = "/v1/m";

/// Unpacks the body, finds whose messages they are and whether they may come in, and decodes them.
/// Uses up the body.
Outcome take_messages(const TrackingPath& path, Arrival& arrival, Worker& worker,
                      const Place& place);

/// What the library asks before anything else, at `/v1/projects/{key}/settings`.
bool is_settings_path(std::string_view path);
Response library_settings(const Arrival& arrival, const KeyRing& keys);

} // namespace runtime::listener
