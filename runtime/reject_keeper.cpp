#include "runtime/reject_keeper.hpp"

#include <utility>

namespace runtime {
namespace {

constexpr auto upkeep_every = std::chrono::minutes{10};
/// Gathers what comes together into one transaction.
constexpr auto gather_for = std::chrono::milliseconds{50};

} // namespace

RejectKeeper::RejectKeeper(std::string conninfo, Limits limits,
                           std::function<journeys::Timestamp()> now, Log& log)
    : letters_(std::move(conninfo)), limits_(limits), now_(std::move(now)), log_(log),
      thread_([this] { run(); }) {}

RejectKeeper::~RejectKeeper() {
    {
        const std::scoped_lock lock{mutex_};
        is_stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void RejectKeeper::keep(RejectedMessage message) {
    const std::scoped_lock lock{mutex_};
    if (waiting_.size() >= limits_.waiting_max) {
        ++dropped_;
        return;
    }
    DeadLetter letter;
    letter.at = message.received_at;
    letter.source = std::move(message.key);
    letter.reason = schema::to_text(message.reason);
    letter.detail = std::move(message.detail);
    letter.message_id = std::move(message.message_id);
    for (const auto& id : message.ids) letter.ids.push_back(journeys::to_text(id));
    letter.body = std::move(message.raw);
    waiting_.push_back(std::move(letter));
    if (waiting_.size() == 1) changed_.notify_all();
}

void RejectKeeper::run() {
    auto next_upkeep = std::chrono::steady_clock::now();
    std::unique_lock lock{mutex_};
    while (true) {
        if (std::chrono::steady_clock::now() >= next_upkeep) {
            next_upkeep += upkeep_every;
            lock.unlock();
            if (const auto done = letters_.expire(now_() - limits_.age_max, limits_.rows_max);
                !done)
                log_.repeated_warning("old rejected messages could not be forgotten",
                                      {{"why", done.error().detail}});
            lock.lock();
        }
        changed_.wait_until(lock, next_upkeep,
                            [this] { return is_stopping_ || !waiting_.empty(); });
        if (!is_stopping_ && !waiting_.empty())
            changed_.wait_for(lock, gather_for, [this] { return is_stopping_; });
        auto letters = std::exchange(waiting_, {});
        const auto dropped = std::exchange(dropped_, 0);
        const bool is_last = is_stopping_;
        lock.unlock();
        if (dropped > 0)
            log_.repeated_warning("more messages were rejected than can be kept; all are counted",
                                  {{"not_kept", dropped}});
        if (!letters.empty()) write(std::move(letters));
        if (is_last) return;
        lock.lock();
    }
}

void RejectKeeper::write(std::vector<DeadLetter> letters) {
    if (const auto kept = letters_.add(letters); !kept)
        log_.repeated_warning("rejected messages could not be kept",
                              {{"why", kept.error().detail}, {"not_kept", letters.size()}});
}

} // namespace runtime
