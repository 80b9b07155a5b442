/// A person's right to be forgotten, and to have what is known of them (GDPR, articles 17 and 15).
#pragma once

#include "actors/system.hpp"
#include "journeys/catalog.hpp"
#include "runtime/audit.hpp"
#include "runtime/privacy_requests.hpp"
#include "runtime/suppressions.hpp"
#include "schema/shop_webhook.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace runtime {

/// All of it outlives the desk.
struct PrivacyParts {
    std::string conninfo;
    actors::System& system;
    actors::EventLog& log;
    Suppressions& suppressions;
    Audit& audit;
    PrivacyRequests& requests;
    std::map<std::string, const schema::ShopMap*> shops; ///< By the name of their source.
    std::function<journeys::CatalogPtr()> catalog;
    std::function<journeys::Timestamp()> now;
    actors::Partition partitions = 0;
};

/// Any thread. Everything blocks.
class PrivacyDesk {
public:
    explicit PrivacyDesk(PrivacyParts parts);
    ~PrivacyDesk();

    /// Removes the customer behind `id`, and every id that reaches them, from snapshots, outbox,
    /// timeline, dead letters, sandbox and the log. An address that said no, bounced or complained
    /// stays suppressed, as a keyed hash; the audit log has one more entry, which names nobody.
    ///
    /// It is a request first, so that a process that ends in the middle is followed by one that
    /// goes on. What was accepted before is waited for, so that every link is known. Then an
    /// `Erasure` goes into the log: nothing is sent from its acknowledgement on. Once it is
    /// applied and flushed, what the log holds of the person is overwritten. Answers
    /// when all of it is done, with the count of rows; up to a minute. `not_found` for nobody,
    /// `unavailable` where it is not done yet and will be by itself.
    journeys::Result<std::size_t> erase(const std::string& id, const std::string& actor);

    /// All that is stored of the customer, as one JSON object: profile, consents, suppressions of
    /// theirs and of their addresses, timeline, messages, what was refused at the door, and the
    /// events in the log as they came. Refused texts in which nobody could be read are left out:
    /// they may hold other people's data. `not_found` for nobody.
    journeys::Result<std::string> export_all(const std::string& id, const std::string& actor);

    // Requests that came through a shop.

    /// Whoever the ids of an open request for data reach, each as `export_all` has it.
    journeys::Result<std::string> export_request(std::int64_t number, const std::string& actor);

    /// Erases everybody that this shop has named, from now on and by itself, once `shop` repeats
    /// the request's domain; else, and where the answer would take strangers along because there
    /// is more than one source of this type, `invalid_argument` says what is in the way.
    journeys::Result<void> confirm_shop(std::int64_t number, const std::string& shop,
                                        const std::string& actor);

    /// Notes that somebody has done what the request asks for. False where none waits.
    journeys::Result<bool> finish(std::int64_t number, const std::string& actor);

    /// An erasure whose turn it is. Whatever fails can be begun again; nothing is done twice. False
    /// where another thread is at it.
    journeys::Result<bool> carry_out(std::int64_t number);

    /// Whatever waits for a flush gives up, now and from now on.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace runtime
