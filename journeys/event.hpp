/// What a customer did, as the core sees it: decoded, bounded, and with its time corrected.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/packed.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace journeys {

enum class EventType : std::uint8_t { track, identify, page, screen, group, alias };

/// One message of a producer, or an event made here (`Journey Ended`, `Message Sent`, …).
///
/// `name` is the canonical name: a track's event with the field's aliases resolved (`Viewed
/// Product` is `Product Viewed`), `Page Viewed` and `Screen Viewed` for page and screen,
/// `Identify`, `Group` and `Alias` for the others. Journeys never see those last three; what they
/// change is seen as `Profile Changed` and `Consent Changed`.
struct Event {
    EventType type = EventType::track;
    std::string name;
    std::vector<CustomerId> ids; ///< Those the message carries, strongest first; never empty.
    std::optional<CustomerId> previous; ///< An alias's previousId.
    std::string message_id;             ///< Empty where the producer gave none.
    std::uint64_t message_hash = 0;     ///< Of (write key, messageId), or made here; never 0.
    bool deduplicate = true;            ///< False where the server made the messageId.
    Timestamp time{};       ///< Event time: clock-skew corrected, at most `accepted_at`.
    Timestamp written{};    ///< As the producer wrote it (or the receipt), for the dedup ring.
    std::string properties; ///< Packed map, or empty.
    std::string traits;     ///< Packed map of identify/group traits (context.traits too), or empty.
    std::string context;    ///< Packed map of what the core reads: timezone, locale, country,
                            ///< referrer, campaign{source, medium, name}, consent{category: bool}.

    PackedView property(std::string_view key) const { return PackedView{properties}.find(key); }
};

} // namespace journeys
