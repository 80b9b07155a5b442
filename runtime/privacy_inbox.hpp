/// Takes what people ask of their data through a shop, and has it carried out.
///
///   shop's webhook ──► keep ──► PrivacyRequests, audit log ──► PrivacyClerk ──► PrivacyDesk
#pragma once

#include "journeys/result.hpp"
#include "runtime/log.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_clerk.hpp"
#include "runtime/privacy_requests.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_records.hpp"
#include "schema/shop_webhook.hpp"

#include <mutex>
#include <optional>
#include <string>

namespace runtime {

/// All of it outlives the inbox.
struct PrivacyInboxParts {
    PrivacyRequests& requests;
    PrivacyDesk& desk;
    ServiceRecords& records;
    const ServiceClock& clock;
    Log& log;
};

/// Any thread.
class PrivacyInbox {
public:
    explicit PrivacyInbox(PrivacyInboxParts parts) : parts_(parts) {}

    /// Answers only once the request cannot be forgotten any more. Blocking.
    journeys::Result<void> keep(const schema::PrivacyRequest& request, const std::string& source);
    /// This process works alone on its database: from here on requests are carried out.
    void begin();
    /// There is something new to carry out; before `begin`, it waits until then.
    void wake();
    /// What is being carried out is given up, until the next start. Before the actors end.
    void stop();

private:
    const PrivacyInboxParts parts_;
    std::mutex mutex_;
    std::optional<PrivacyClerk> clerk_; ///< Guarded by `mutex_`; between `begin` and `stop`.
};

} // namespace runtime
