/// What people and pages ask the database: timelines, last triggers, publications, sandbox
/// messages. None of it is on the path of an event.
#pragma once

#include "actors/ports.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/result.hpp"
#include "schema/log_json.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

struct TimelineRow {
    journeys::CustomerId customer;
    journeys::TimelineEntry entry;
};

/// What became of a message at its provider, as far as is known.
struct MessageOutcome {
    journeys::IntentId intent;
    std::string state, detail; ///< `accepted`, `claimed`, …; a provider's code.
    journeys::Timestamp at{};
};

/// `stored` and the lines that stand in the customer's state, in the order of time.
std::vector<TimelineRow> whole_timeline(std::vector<TimelineRow> stored,
                                        const journeys::Customer& customer,
                                        const journeys::Catalog& catalog);

/// Of a customer's timeline: as it is shown, and the most.
inline constexpr int timeline_lines = 200, timeline_lines_max = 10'000;

/// A customer in quarantine, and the oldest of what is parked for them.
struct ParkedRow {
    std::string customer, reason;
    std::int64_t records = 0;
    int partition = 0;
    std::int64_t offset = 0; ///< Of the oldest record; 0: a timer or a hand-over.
    journeys::Timestamp since{};
};

/// Blocking; any thread, one call at a time. Every call answers `storage_unavailable` where the
/// database does not.
class Archive {
public:
    explicit Archive(std::string conninfo);
    ~Archive();

    journeys::Result<void> save_publication(std::uint64_t publication, const std::string& text,
                                            journeys::Timestamp at);
    /// Texts, in the order in which they were first published.
    journeys::Result<std::vector<std::string>> publications();
    /// Their numbers, in the same order.
    journeys::Result<std::vector<std::uint64_t>> publication_numbers();

    /// What most partitions had met by their last flush; 0: nothing yet.
    journeys::Result<std::uint64_t> publication_in_force();
    /// Every customer's block, in the order of their ids.
    journeys::Result<void> each_snapshot(const std::function<void(std::string_view block)>& take);

    /// Idempotent by intent.
    journeys::Result<void>
    keep_sandbox_messages(const std::vector<actors::ProviderRequest>& requests,
                          journeys::Timestamp at);

    /// A customer's newest entries, oldest of them first.
    journeys::Result<std::vector<TimelineRow>> timeline(const std::string& customer, int limit);
    /// Of a customer's newest messages.
    journeys::Result<std::vector<MessageOutcome>> outcomes(const std::string& customer, int limit);
    /// The newest sends and suppressions of all customers, newest first.
    journeys::Result<std::vector<TimelineRow>> last_triggers(int limit);
    /// Null where the customer is unknown.
    journeys::Result<std::shared_ptr<const std::string>> snapshot(const std::string& customer);
    /// Ids that begin with `text`, with any namespace; at most 100.
    journeys::Result<std::vector<std::string>> search(const std::string& text);

    /// The ones longest in quarantine first.
    journeys::Result<std::vector<ParkedRow>> parked(int limit);
    /// They are tried again when the service starts. How many customers that are.
    journeys::Result<int> release_at_start(const std::vector<std::string>& customers);
    /// The log as `simulate --log` reads it: records by `accepted_at`, then partition, then offset.
    journeys::Result<void> read_log(const std::function<void(const schema::StoredRecord&)>& take);
    /// How far the service's clock had come when it last wrote: the newest record's `accepted_at`
    /// or the newest flush; the epoch where there is none.
    journeys::Result<journeys::Timestamp> newest_instant();

private:
    class Session;
    std::unique_ptr<Session> session_;
};

} // namespace runtime
