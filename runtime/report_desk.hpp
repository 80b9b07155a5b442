/// What providers report, on its way into the log: whose message it was, what it is called as an
/// event of the customer, and which address must not be used any more.
#pragma once

#include "actors/ports.hpp"
#include "journeys/catalog.hpp"
#include "runtime/channels/provider.hpp"
#include "runtime/message_ledger.hpp"
#include "runtime/suppressions.hpp"

#include <functional>
#include <string>
#include <vector>

namespace runtime {

/// All of it outlives the desk.
struct ReportDeskParts {
    MessageLedger& ledger;
    Suppressions& suppressions;
    actors::EventLog& log;
    std::function<journeys::CatalogPtr()> catalog;
    std::function<journeys::Timestamp()> now;
};

/// Blocking; any thread.
class ReportDesk {
public:
    explicit ReportDesk(ReportDeskParts parts) : parts_(std::move(parts)) {}

    struct Taken {
        std::size_t events = 0;  ///< Appended to the log.
        std::size_t nobodys = 0; ///< No message and no customer of ours is meant.
    };
    /// `done` is called once, when all of it is durable: suppressions first, so that from then on
    /// nothing is sent to such an address, then the events. `storage_unavailable`: the provider is
    /// to come again; what it repeats is known by its id.
    void take(const std::string& channel, std::vector<Report> reports,
              std::function<void(journeys::Result<Taken>)> done);

private:
    ReportDeskParts parts_;
};

/// The event that a report becomes, without ids. `row`: what the ledger knows of its message.
journeys::Event event_of(const Report& report, const journeys::ChannelRules& channel,
                         const LedgerRow* row);

/// The customer that a provider names by the id that we gave it, or by an address; nothing where it
/// names nobody.
std::optional<journeys::CustomerId> customer_of(const Report& report,
                                                const journeys::ChannelRules& channel);

} // namespace runtime
