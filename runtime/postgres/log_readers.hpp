/// Brings the log to its readers: first what is stored, then what is committed, without gap or
/// repetition.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/log_codec.hpp"
#include "runtime/postgres/ownership.hpp"

#include <caf/actor.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace runtime {

/// All readers that begin at about the same time share one pass over the log. Replayed records that
/// no reader has let go of yet are bounded; a live reader is held back by the credits of the door.
class LogReaders {
public:
    LogReaders(ConnectionSettings settings, LogCodec codec, const Ownership& ownership);
    ~LogReaders(); ///< Waits for the replay under way to notice.

    void subscribe(actors::Partition partition, std::uint64_t position, caf::actor reader);
    /// The next records of a partition: committed, and dense behind those of the call before.
    void deliver(actors::Partition partition, std::vector<journeys::RecordPtr> records,
                 journeys::Timestamp closed);
    /// No undelivered record has `accepted_at <= closed`; said to those of whom `is_told` holds.
    void tick(journeys::Timestamp closed, const std::function<bool(actors::Partition)>& is_told);

private:
    enum class Phase { waiting, replaying, joining, live };
    struct Reader {
        caf::actor actor;
        std::uint64_t position = 0; ///< The last offset that it was sent.
        std::uint64_t generation = 0;
        Phase phase = Phase::waiting;
        std::vector<journeys::RecordPtr>
            held; ///< While joining: delivered, and to be sent behind the replay.
        journeys::Timestamp closed = journeys::timestamp_min;
    };
    struct State {
        std::uint64_t delivered = 0;
        std::optional<Reader> reader;
    };
    struct Stretch { ///< What one pass brings to one reader.
        caf::actor actor;
        std::uint64_t generation = 0;
        std::uint64_t position = 0, goal = 0;
    };
    using Stretches = std::map<actors::Partition, Stretch>;
    class Credit;
    class Pass;

    void replay_loop();
    bool replay(const std::set<actors::Partition>& partitions);
    Stretches plan(const std::set<actors::Partition>& partitions, bool join);
    void reached(const Stretches& stretches, bool join);
    journeys::Result<void> scan(Connection& connection, Stretches& stretches);
    void send_batch(Reader& reader, actors::Partition partition,
                    std::vector<journeys::RecordPtr> records, journeys::Timestamp closed);

    const ConnectionSettings settings_;
    const LogCodec codec_;
    const Ownership& ownership_;
    std::shared_ptr<Credit> credit_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<actors::Partition, State> states_;
    std::set<actors::Partition> waiting_;
    std::uint64_t generations_ = 0;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
