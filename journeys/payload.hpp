/// What a channel is given to send: one JSON object, the same for every channel, frozen once
/// granted.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/definition.hpp"
#include "journeys/template.hpp"

#include <optional>
#include <string>

namespace journeys {

/// Borrowed for the time of one call.
struct Payload {
    IntentId intent;
    const Customer& customer;
    const Run& run;
    const Step& step;
    const Send& send;
    PackedView data;
    Timestamp at{};
    std::optional<Rendered> rendered{};
};

/// `{"intent","customer","journey","version","key","step","channel","template","topic","purpose","from",
/// "locale","at","data":{…},"links":{"unsubscribe","preferences","confirm"},
/// "message":{"subject","preheader","body"}}`; `message` only where rendered here, `links` (marks,
/// see `links.hpp`) only of messages to a person; texts that are empty are left out. The address
/// travels beside it, so that it stands in one place only.
std::string to_json(const Payload& payload);

} // namespace journeys
