#include "runtime/privacy_inbox.hpp"

namespace runtime {

journeys::Result<void> PrivacyInbox::keep(const schema::PrivacyRequest& request,
                                          const std::string& source) {
    const auto number = parts_.requests.add(request, source, parts_.clock.now());
    if (!number) return number.error();
    if (!*number) return {}; // The same delivery again.
    parts_.records.note("source " + source, "privacy.requested",
                        "request " + std::to_string(**number),
                        std::string{schema::to_text(request.kind)});
    parts_.log.info(
        "a privacy request",
        {{"request", **number}, {"kind", schema::to_text(request.kind)}, {"source", source}});
    wake();
    return {};
}

void PrivacyInbox::begin() {
    const std::scoped_lock lock{mutex_};
    clerk_.emplace(parts_.requests, parts_.desk, parts_.log);
}

void PrivacyInbox::wake() {
    const std::scoped_lock lock{mutex_};
    if (clerk_) clerk_->wake();
}

void PrivacyInbox::stop() {
    const std::scoped_lock lock{mutex_};
    clerk_.reset();
}

} // namespace runtime
