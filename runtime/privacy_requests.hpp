/// What people ask of their data, through a shop or an operator, kept until it is done.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "schema/shop_webhook.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

struct KeptPrivacyRequest {
    std::int64_t number = 0;
    std::string source; ///< The shop's, or who asked for it here: `operator`, `key NAME`.
    std::string kind;   ///< As `to_text(schema::PrivacyKind)`.
    std::string shop;
    std::string state; ///< `open`, `confirmed` (a whole shop), `done`.
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

    /// Once, however often its delivery comes: its number, or nothing where it is there already.
    journeys::Result<std::optional<std::int64_t>> add(const schema::PrivacyRequest& request,
                                                      const std::string& source,
                                                      journeys::Timestamp received_at);
    /// The soonest due first; `all`: those that are done, too.
    journeys::Result<std::vector<KeptPrivacyRequest>> list(bool all);
    /// Erasures that nobody has to decide any more, the oldest first.
    journeys::Result<std::vector<KeptPrivacyRequest>> to_carry_out();
    journeys::Result<std::optional<KeptPrivacyRequest>> find(std::int64_t number);
    /// Whom the request is about, as far as that is known by now.
    journeys::Result<void> set_subjects(std::int64_t number,
                                        const std::vector<std::string>& subjects);
    /// Of a whole shop. False where no such request is open.
    journeys::Result<bool> confirm(std::int64_t number);
    /// False where no request of this number waits. What is done names nobody any more.
    journeys::Result<bool> finish(std::int64_t number, journeys::Timestamp at);

private:
    class Session;
    std::unique_ptr<Session> session_;
};

/// A request's number as people write it.
std::optional<std::int64_t> parse_request_number(std::string_view text);

/// A line for each, for people or as JSON.
journeys::Result<std::string> privacy_text(PrivacyRequests& requests, bool all, bool as_json);

} // namespace runtime
