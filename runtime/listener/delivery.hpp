/// A shop's webhook at the door: `/v1/sources/{name}`. Only for `listener/`.
#pragma once

#include "runtime/listener/arrival.hpp"
#include "runtime/listener/outcome.hpp"
#include "runtime/listener/worker.hpp"

#include <string_view>
#include <vector>

namespace runtime::listener {

/// The source whose path it is; null for another path.
const WebhookSource* find_source(const std::vector<WebhookSource>& sources, std::string_view path);

/// What the shop says becomes messages, a product or a person's request; each is answered once it
/// is durable. What says nothing to us is answered well: an error would make the shop try again in
/// vain, and drop the subscription in the end.
Outcome take_delivery(const WebhookSource& source, const Arrival& arrival, Worker& worker,
                      const Place& place, const MakeRespond& respond);

} // namespace runtime::listener
