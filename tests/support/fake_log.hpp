/// A log in memory that makes things durable when the test says so.
#pragma once

#include "actors/ports.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

class FakeLog : public actors::EventLog {
public:
    using Done = std::function<void(journeys::Result<void>)>;

    /// While it holds, appends wait for `release`; otherwise they are durable at once.
    std::atomic<bool> holds{false};
    std::atomic<bool> fails{false};
    /// For measuring: nothing is kept.
    bool keeps = true;

    void append(std::vector<actors::Draft> drafts, Done done) override {
        if (!keeps) return done({});
        if (fails) return done(journeys::Error{journeys::ErrorCode::storage_unavailable, "gone"});
        {
            const std::lock_guard lock{mutex_};
            ++appends_;
            if (holds) {
                waiting_.push_back({std::move(drafts), std::move(done)});
                changed_.notify_all();
                return;
            }
            take(std::move(drafts));
        }
        done({});
    }
    void subscribe(actors::Partition, std::uint64_t, caf::actor) override {}
    void find_duplicates(actors::Partition, const journeys::CustomerId&, std::vector<std::uint64_t>,
                         std::uint64_t, caf::actor) override {}
    void advance_watermark(actors::Partition, std::uint64_t) override {}

    /// Makes the append durable that has the given place among those that wait, or fails it.
    void release(std::size_t place = 0, bool fail = false) {
        Waiting one;
        {
            const std::lock_guard lock{mutex_};
            one = std::move(waiting_.at(place));
            waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
            if (!fail) take(std::move(one.drafts));
        }
        if (fail)
            one.done(journeys::Error{journeys::ErrorCode::storage_unavailable, "gone"});
        else
            one.done({});
    }
    /// Waits until as many appends wait; how many there are after at most five seconds.
    std::size_t wait_for_waiting(std::size_t count) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, std::chrono::seconds{5}, [&] { return waiting_.size() >= count; });
        return waiting_.size();
    }
    std::size_t waiting() {
        const std::lock_guard lock{mutex_};
        return waiting_.size();
    }
    std::size_t appends() {
        const std::lock_guard lock{mutex_};
        return appends_;
    }
    /// What is durable, in order.
    std::vector<actors::Draft> drafts() {
        const std::lock_guard lock{mutex_};
        return drafts_;
    }
    /// The messageIds of the durable events.
    std::vector<std::string> message_ids() {
        std::vector<std::string> ids;
        for (const auto& draft : drafts())
            if (const auto* event = draft.record->event()) ids.push_back(event->message_id);
        return ids;
    }

private:
    struct Waiting {
        std::vector<actors::Draft> drafts;
        Done done;
    };
    void take(std::vector<actors::Draft> drafts) {
        for (auto& draft : drafts) drafts_.push_back(std::move(draft));
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Waiting> waiting_;
    std::vector<actors::Draft> drafts_;
    std::size_t appends_ = 0;
};
