#include "runtime/audit_keeper.hpp"

#include "journeys/packed.hpp"

#include <algorithm>

namespace runtime {
namespace {

constexpr int page = 5'000;
constexpr auto gather = std::chrono::milliseconds{200}; ///< Many entries share a transaction.
constexpr auto again_after = std::chrono::seconds{1};
constexpr std::size_t word_bytes_max = 64;

/// A producer's word as far as it can hold no address: what is written here stays.
std::string word(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, word_bytes_max)) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                              c == ' ';
        out += is_plain ? c : '_';
    }
    return out;
}

} // namespace

AuditKeeper::AuditKeeper(Audit& audit, const Suppressions& suppressions, Log& log)
    : audit_(audit), suppressions_(suppressions), log_(log), thread_([this] { run(); }) {}

AuditKeeper::~AuditKeeper() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void AuditKeeper::flushed(const actors::FlushRequest& request) {
    const auto is_of_consent = [](const journeys::Effect& effect) {
        const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
        return line && line->kind == journeys::EntryKind::consent;
    };
    if (std::ranges::none_of(request.customers, [&](const actors::CustomerWrite& write) {
            return std::ranges::any_of(write.effects, is_of_consent);
        }))
        return;
    {
        const std::scoped_lock lock{mutex_};
        is_due_ = true;
    }
    changed_.notify_one();
}

void AuditKeeper::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || is_due_; });
        if (!stopping_) changed_.wait_for(lock, gather, [this] { return stopping_; });
        const bool is_last = stopping_;
        is_due_ = false;
        lock.unlock();
        const bool done = enter_all();
        lock.lock();
        if (is_last) return;
        if (done) continue;
        is_due_ = true;
        changed_.wait_for(lock, again_after, [this] { return stopping_; });
    }
}

bool AuditKeeper::enter_all() {
    while (true) {
        const auto entered = audit_.take_consent_changes(
            page, [this](const Audit::ConsentChange& change) { return entry_of(change); });
        if (!entered)
            log_.repeated_warning("the audit log cannot be written",
                                  {{"why", entered.error().detail}});
        if (!entered || *entered < page) return entered.has_value();
    }
}

AuditEntry AuditKeeper::entry_of(const Audit::ConsentChange& change) const {
    const journeys::PackedView data{change.data};
    AuditEntry entry;
    entry.at = change.at;
    entry.actor = "customer";
    entry.action = "consent.changed";
    entry.subject = suppressions_.subject(change.customer);
    entry.detail = word(change.channel) + '/' + (change.topic.empty() ? "*" : word(change.topic)) +
                   ' ' + change.state;
    for (const auto* key : {"source", "text_version"})
        if (const auto text = data.find(key); text.is_string() && !text.as_string().empty())
            entry.detail += std::string{"; "} + key + ' ' + word(text.as_string());
    return entry;
}

} // namespace runtime
