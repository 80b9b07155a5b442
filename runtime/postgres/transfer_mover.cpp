#include "runtime/postgres/transfer_mover.hpp"

#include "actors/failpoint.hpp"

#include <spdlog/spdlog.h>

#include <future>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using namespace std::chrono_literals;

TransferMover::TransferMover(EventLogSettings settings, PostgresEventLog& log)
    : settings_(std::move(settings)), log_(log), thread_([this] { loop(); }) {}

TransferMover::~TransferMover() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void TransferMover::wake() {
    const std::lock_guard lock{mutex_};
    awake_ = true;
    changed_.notify_all();
}

bool TransferMover::pause(std::chrono::milliseconds span) {
    std::unique_lock lock{mutex_};
    return !changed_.wait_for(lock, span, [&] { return stopping_; });
}

void TransferMover::loop() {
    std::optional<Connection> connection;
    while (true) {
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return stopping_ || awake_; });
            if (stopping_) return;
            awake_ = false;
        }
        Result<bool> moved = true;
        while (moved && *moved) {
            if (!connection || connection->is_lost()) {
                connection.reset();
                auto opened = Connection::open(settings_.connection, "transfers");
                if (!opened) {
                    moved = opened.error();
                    break;
                }
                connection.emplace(std::move(*opened));
            }
            moved = move_some(*connection);
        }
        if (moved) continue;
        if (!pause(200ms)) return; // The log takes nothing yet: partitions come one by one.
        wake();
    }
}

Result<bool> TransferMover::move_some(Connection& connection) {
    constexpr std::int32_t rows_max = 500;
    SqlParams params;
    params.add(rows_max);
    auto rows = connection.run("SELECT sequence, customer, kind, message_hash, body FROM transfers "
                               "ORDER BY sequence LIMIT $1",
                               params);
    if (!rows) return rows.error();
    if (rows->empty()) return false;
    if (actors::failpoint("transfer.before"))
        return Error{ErrorCode::storage_unavailable, "failpoint"};
    std::vector<actors::Draft> drafts;
    std::vector<std::int64_t> sequences;
    for (int row = 0; row < rows->size(); ++row) {
        sequences.push_back(rows->int8(row, 0));
        auto& draft = drafts.emplace_back(); // The log decodes it when it has its place.
        draft.customer =
            journeys::parse_customer_id(rows->bytes(row, 1)).value_or(journeys::CustomerId{});
        draft.kind = static_cast<journeys::RecordKind>(rows->int2(row, 2));
        draft.message_hash = rows->uint8(row, 3);
        draft.bytes = std::string{rows->bytes(row, 4)};
    }
    std::promise<Result<void>> done;
    auto answered = done.get_future();
    log_.append_transfers(std::move(drafts), std::move(sequences),
                          [&](Result<void> result) { done.set_value(std::move(result)); });
    const auto appended = answered.get();
    if (!appended) return appended.error();
    (void)actors::failpoint("transfer.after");
    return rows->size() == rows_max;
}

} // namespace runtime
