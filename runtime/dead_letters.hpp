/// Messages that were refused at the door, kept so that a producer's mistake is found in a minute.
///
/// Their text is personal data. It is in this table only, at most its first 4 KiB, for as long as
/// the limits allow, and is erased with the person it is of.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct DeadLetter {
    journeys::Timestamp at{};
    std::string source; ///< The name of the producer's key.
    std::string reason; ///< As `sojourn_rejected_total` has it.
    std::string detail, message_id;
    std::vector<std::string> ids; ///< `namespace:value`; empty where they could not be read.
    std::string body;
};

/// Empty members ask for nothing.
struct DeadLetterFilter {
    std::string reason, source, message_id;
    std::string customer; ///< `namespace:value`, or a user's or an anonymous id as it is.
    std::optional<journeys::Timestamp> since;
    int limit = 100;
};

struct DeadLetterCount {
    std::string source, reason;
    std::int64_t count = 0;
    journeys::Timestamp newest{};
    std::string detail; ///< Of the newest.
};

/// The table. Blocking; any thread, one call at a time; `storage_unavailable` where the database
/// does not answer.
class DeadLetters {
public:
    explicit DeadLetters(std::string conninfo);
    ~DeadLetters();

    journeys::Result<void> add(const std::vector<DeadLetter>& letters);
    journeys::Result<std::vector<DeadLetter>>
    find(const DeadLetterFilter& filter); ///< Newest first.
    /// By source and reason, the most frequent first. `limit` counts these.
    journeys::Result<std::vector<DeadLetterCount>> count(const DeadLetterFilter& filter);
    /// Forgets what is older than `before`, and all but the newest `rows_max`.
    journeys::Result<void> expire(journeys::Timestamp before, std::int64_t rows_max);

private:
    class Session;
    std::unique_ptr<Session> session_;
};

// For people, a line each; for programs, a JSON object a line. Bytes that are no UTF-8 become
// U+FFFD.
std::string to_line(const DeadLetter& letter);
std::string to_line(const DeadLetterCount& count);
std::string to_json_line(const DeadLetter& letter);
std::string to_json_line(const DeadLetterCount& count);

/// What `filter` finds, or how much of it there is, as these lines.
journeys::Result<std::string>
dead_letters_text(DeadLetters& letters, const DeadLetterFilter& filter, bool counts, bool as_json);

} // namespace runtime
