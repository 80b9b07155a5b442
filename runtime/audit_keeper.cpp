#include "runtime/audit_keeper.hpp"

#include "journeys/packed.hpp"

#include <utility>

namespace runtime {
namespace {

constexpr std::size_t waiting_max = 100'000;
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
    std::vector<AuditEntry> made;
    for (const auto& write : request.customers)
        for (const auto& effect : write.effects) {
            const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
            if (!line || line->kind != journeys::EntryKind::consent) continue;
            const journeys::PackedView data{line->data};
            AuditEntry entry;
            entry.at = line->at;
            entry.actor = "customer";
            entry.action = "consent.changed";
            entry.subject = suppressions_.subject(journeys::to_text(write.customer));
            entry.detail = line->channel + '/' + (line->topic.empty() ? "*" : line->topic) + ' ' +
                           line->reason;
            for (const auto* key : {"source", "text_version"})
                if (const auto text = data.find(key); text.is_string() && !text.as_string().empty())
                    entry.detail += std::string{"; "} + key + ' ' + word(text.as_string());
            made.push_back(std::move(entry));
        }
    if (made.empty()) return;
    {
        const std::scoped_lock lock{mutex_};
        if (waiting_.size() + made.size() > waiting_max)
            return log_.repeated_warning("changes of consent are left out of the audit log");
        for (auto& entry : made) waiting_.push_back(std::move(entry));
    }
    changed_.notify_one();
}

void AuditKeeper::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        if (!stopping_) changed_.wait_for(lock, gather, [this] { return stopping_; });
        auto batch = std::exchange(waiting_, {});
        lock.unlock();
        const auto added = audit_.add(batch);
        lock.lock();
        if (added) continue;
        log_.repeated_warning("the audit log cannot be written", {{"why", added.error().detail}});
        if (stopping_) return;
        waiting_.insert(waiting_.begin(), std::make_move_iterator(batch.begin()),
                        std::make_move_iterator(batch.end()));
        changed_.wait_for(lock, again_after, [this] { return stopping_; });
    }
}

} // namespace runtime
