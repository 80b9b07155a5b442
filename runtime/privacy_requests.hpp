/// What people ask of their data through a shop, kept until somebody has done it.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "schema/shop_webhook.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct KeptPrivacyRequest {
    std::int64_t number = 0;
    std::string source, kind, shop;
    std::vector<std::string> subjects, orders;
    journeys::Timestamp received_at{}, due_at{};
    std::optional<journeys::Timestamp> done_at;
};

/// The table `privacy_requests`. Blocking; any thread, one call at a time; `storage_unavailable`
/// where the database does not answer.
class PrivacyRequests {
public:
    /// Shopify's own term, and the month of GDPR, article 12.
    static constexpr journeys::Duration due_after = std::chrono::hours{24 * 30};

    explicit PrivacyRequests(std::string conninfo);
    ~PrivacyRequests();

    /// Once, however often its delivery comes.
    journeys::Result<void> add(const schema::PrivacyRequest& request, const std::string& source,
                               journeys::Timestamp received_at);
    /// The soonest due first; `all`: those that are done, too.
    journeys::Result<std::vector<KeptPrivacyRequest>> list(bool all);
    /// False where no open request has this number. What is done names nobody any more.
    journeys::Result<bool> finish(const std::string& number, journeys::Timestamp at);

private:
    class Session;
    std::unique_ptr<Session> session_;
};

/// A line for each, for people or as JSON.
journeys::Result<std::string> privacy_text(PrivacyRequests& requests, bool all, bool as_json);

} // namespace runtime
