/// One journal connection of the log, and what it does with one batch: copy, then commit.
#pragma once

#include "runtime/postgres/append_batch.hpp"
#include "runtime/postgres/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

/// For one thread. Whose turn it is, and which offsets a batch has, is decided by the log.
class LogLane {
public:
    /// `lost_reply`: it may be in the log, or not; `look_up` tells.
    enum class Fate { committed, failed, lost_reply };

    /// `settings` outlives it.
    explicit LogLane(const ConnectionSettings& settings) : settings_(settings) {}

    /// Opened, or opened anew where it was lost.
    journeys::Result<Connection*> connection();
    /// Whether the batch stands in an open transaction, copied and not committed.
    bool has_copied(const AppendBatch& batch) const;
    /// `fenced` where a partition has another owner; `fenced()` then names such partitions.
    journeys::Result<void> copy(const AppendBatch& batch);
    /// Commits what `copy` has sent.
    Fate commit(const AppendBatch& batch, bool closes_segments);
    /// After a lost reply: ends the server's side, then reads whether the batch is in the log.
    journeys::Result<Fate> look_up(const AppendBatch& batch);
    const std::vector<actors::Partition>& fenced() const { return fenced_; }
    void roll_back();

private:
    journeys::Result<void> send_rows(Connection& to, const AppendBatch& batch);

    const ConnectionSettings& settings_;
    std::optional<Connection> connection_;
    std::string buffer_;
    std::uint64_t open_batch_ = 0;
    std::vector<actors::Partition> fenced_;
};

} // namespace runtime
