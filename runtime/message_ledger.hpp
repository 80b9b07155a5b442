/// What the outbox says of messages that left: for reports, which know a message and not a person.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/result.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct LedgerRow {
    journeys::CustomerId customer;
    std::string journey, step, channel, topic;
    bool is_settled = false; ///< Accepted or rejected; else a report may settle it.
};

/// Blocking; any thread, one call at a time.
class MessageLedger {
public:
    explicit MessageLedger(std::string conninfo);
    ~MessageLedger();

    journeys::Result<std::map<journeys::IntentId, LedgerRow>>
    find(const std::vector<journeys::IntentId>& intents);
    /// The newest message to `customer` on `channel` that the provider took with this answer.
    journeys::Result<std::optional<journeys::IntentId>>
    find_answered(const journeys::CustomerId& customer, const std::string& channel,
                  const std::string& answer);
    /// Who was written to at this address lately; at most 10.
    journeys::Result<std::vector<journeys::CustomerId>> reached_at(const std::string& address);

private:
    class Session;
    std::unique_ptr<Session> session_;
};

} // namespace runtime
