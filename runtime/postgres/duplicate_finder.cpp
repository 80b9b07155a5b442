#include "runtime/postgres/duplicate_finder.hpp"

#include "actors/messages.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using namespace std::chrono_literals;

namespace {

Result<actors::SeenBefore> answer(Connection& connection,
                                  const DuplicateFinder::Question& question) {
    actors::SeenBefore seen{.tag = question.tag};
    auto segments =
        connection.run("SELECT segment FROM log_segments WHERE indexed ORDER BY from_at");
    if (!segments) return segments.error();
    SqlArray hashes{SqlArray::Type::int8};
    for (const auto hash : question.hashes) hashes.add(hash);
    SqlParams params;
    params.add(static_cast<std::int16_t>(question.partition))
        .add(question.customer_hash)
        .add(hashes);
    std::map<std::uint64_t, std::uint64_t> first; // Offset by hash.
    for (int i = 0; i < segments->size(); ++i) {
        const auto sql = "SELECT message_hash, min(\"offset\") FROM " +
                         std::string{segments->bytes(i, 0)} +
                         " WHERE partition = $1 AND customer_hash = $2 AND message_hash = ANY($3) "
                         "GROUP BY 1";
        auto rows = connection.run(sql.c_str(), params);
        if (!rows) return rows.error();
        for (int row = 0; row < rows->size(); ++row)
            first.try_emplace(rows->uint8(row, 0), rows->uint8(row, 1));
    }
    for (const auto& [hash, offset] : first) {
        seen.hashes.push_back(hash);
        seen.offsets.push_back(offset);
    }
    return seen;
}

} // namespace

DuplicateFinder::DuplicateFinder(ConnectionSettings settings)
    : settings_(std::move(settings)), thread_([this] { loop(); }) {}

DuplicateFinder::~DuplicateFinder() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void DuplicateFinder::ask(Question question) {
    const std::lock_guard lock{mutex_};
    questions_.push_back(std::move(question));
    changed_.notify_one();
}

void DuplicateFinder::pause(std::chrono::milliseconds span) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, span, [&] { return stopping_; });
}

void DuplicateFinder::loop() {
    std::optional<Connection> connection;
    while (true) {
        Question question;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return stopping_ || !questions_.empty(); });
            if (stopping_) return;
            question = std::move(questions_.front());
            questions_.pop_front();
        }
        Result<actors::SeenBefore> seen = Error{ErrorCode::storage_unavailable, ""};
        for (int attempt = 0; attempt < 2 && !seen;
             ++attempt) { // The first may find a lost connection.
            if (!connection || connection->is_lost()) {
                connection.reset();
                auto opened = Connection::open(settings_, "duplicates");
                if (!opened) break;
                connection.emplace(std::move(*opened));
            }
            seen = answer(*connection, question);
        }
        if (!seen) {
            pause(100ms); // The asker asks again at once.
            seen = actors::SeenBefore{.tag = question.tag, .failed = true};
        }
        caf::anon_send(question.asker, std::move(*seen));
    }
}

} // namespace runtime
