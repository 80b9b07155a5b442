#include "tests/bench/bare_pipeline.hpp"

#include "tests/bench/bare_commit.hpp"
#include "tests/bench/bare_door.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace bench {

using journeys::Result;

class BarePipeline::Implementation {
public:
    explicit Implementation(BareCommit commit)
        : commit_(std::move(commit)),
          door_([this](std::uint64_t connection, std::span<const BareMessage> messages) {
              take(connection, messages);
          }),
          writer_([this] { write(); }) {}
    ~Implementation() {
        {
            const std::scoped_lock lock{mutex_};
            ends_ = true;
        }
        wake_.notify_one();
        writer_.join();
    }

    std::uint16_t port() const { return door_.port(); }
    std::uint64_t count_and_clear() { return commit_.count_and_clear(); }

private:
    /// Rows in the form of a binary COPY, and whose frames they came in.
    struct Batch {
        std::string rows;
        std::unordered_map<std::uint64_t, BareDoor::Done> done;
    };

    void take(std::uint64_t connection, std::span<const BareMessage> messages) {
        {
            const std::scoped_lock lock{mutex_};
            for (const auto& message : messages)
                BareCommit::put_row(pending_.rows, ++number_, message.customer, message.raw);
            auto& done = pending_.done[connection];
            done.connection = connection;
            ++done.frames;
            done.messages += messages.size();
        }
        wake_.notify_one();
    }

    /// Commits whatever has come meanwhile, again and again.
    void write() {
        Batch batch;
        while (true) {
            batch.rows.clear();
            batch.done.clear();
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [this] { return !pending_.done.empty() || ends_; });
                if (pending_.done.empty()) return;
                std::swap(batch, pending_);
            }
            if (!commit_.commit(batch.rows)) return; // Then nothing is acked, and the load says so.
            std::vector<BareDoor::Done> all;
            all.reserve(batch.done.size());
            for (const auto& [connection, done] : batch.done) all.push_back(done);
            door_.ack(std::move(all));
        }
    }

    BareCommit commit_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Batch pending_;           ///< Guarded by `mutex_`.
    std::int64_t number_ = 0; ///< Guarded by `mutex_`.
    bool ends_ = false;       ///< Guarded by `mutex_`.
    BareDoor door_;
    std::thread writer_;
};

BarePipeline::BarePipeline(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
BarePipeline::~BarePipeline() = default;

Result<std::unique_ptr<BarePipeline>> BarePipeline::start(const std::string& conninfo) {
    auto commit = BareCommit::open(conninfo);
    if (!commit) return commit.error();
    return std::unique_ptr<BarePipeline>{
        new BarePipeline{std::make_unique<Implementation>(std::move(*commit))}};
}

std::uint16_t BarePipeline::port() const { return implementation_->port(); }
std::uint64_t BarePipeline::count_and_clear() { return implementation_->count_and_clear(); }

} // namespace bench
