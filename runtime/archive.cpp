#include "runtime/archive.hpp"

#include "journeys/effect.hpp"
#include "journeys/newest_lines.hpp"
#include "runtime/database_session.hpp"

#include <algorithm>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using journeys::Timestamp;

constexpr const char* timeline_columns = "customer, (extract(epoch FROM at) * 1000)::bigint, kind, "
                                         "journey, version, key, step, channel, template, topic, "
                                         "reason, replace(intent::text, '-', ''), data, "
                                         "(extract(epoch FROM until) * 1000)::bigint, held_out";

pqxx::binarystring binary(const std::string& text) {
    return pqxx::binarystring{text.data(), text.size()};
}
std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

journeys::EntryKind kind_of(const std::string& text) {
    for (const auto kind : journeys::all_entry_kinds)
        if (journeys::to_text(kind) == text) return kind;
    return journeys::EntryKind::no_entry;
}

TimelineRow timeline_row(const pqxx::row& row) {
    TimelineRow result{
        journeys::parse_customer_id(text_of(row[0])).value_or(journeys::CustomerId{}), {}};
    auto& entry = result.entry;
    entry.at = journeys::from_millis(row[1].as<std::int64_t>());
    entry.kind = kind_of(row[2].as<std::string>());
    entry.journey = row[3].as<std::string>();
    entry.version = static_cast<std::uint64_t>(row[4].as<std::int64_t>());
    entry.key = row[5].as<std::string>();
    entry.step = row[6].as<std::string>();
    entry.channel = row[7].as<std::string>();
    entry.template_name = row[8].as<std::string>();
    entry.topic = row[9].as<std::string>();
    entry.reason = row[10].as<std::string>();
    if (!row[11].is_null())
        entry.intent =
            journeys::parse_intent_id(row[11].as<std::string>()).value_or(journeys::IntentId{});
    entry.data = text_of(row[12]);
    if (!journeys::PackedView::validate(entry.data)) entry.data.clear();
    if (!row[13].is_null()) entry.until = journeys::from_millis(row[13].as<std::int64_t>());
    entry.held_out = row[14].as<bool>();
    return result;
}

} // namespace

class Archive::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

std::vector<TimelineRow> whole_timeline(std::vector<TimelineRow> stored,
                                        const journeys::Customer& customer,
                                        const journeys::Catalog& catalog) {
    for (auto& line : journeys::newest_lines(customer, catalog))
        stored.push_back({customer.id, std::move(line)});
    std::ranges::stable_sort(stored, {}, [](const TimelineRow& row) { return row.entry.at; });
    return stored;
}

Archive::Archive(std::string conninfo) : session_(std::make_unique<Session>(std::move(conninfo))) {}
Archive::~Archive() = default;

Result<void> Archive::save_publication(std::uint64_t publication, const std::string& text,
                                       Timestamp at) {
    return session_->run([&](pqxx::work& work) {
        work.exec_params("INSERT INTO publications (publication, published_at, content) "
                         "VALUES ($1, to_timestamp($2::float8 / 1000), $3) ON CONFLICT DO NOTHING",
                         static_cast<std::int64_t>(publication), journeys::to_millis(at), text);
    });
}

Result<std::vector<std::string>> Archive::publications() {
    return session_->run([&](pqxx::work& work) {
        std::vector<std::string> texts;
        for (const auto& row :
             work.exec("SELECT content FROM publications ORDER BY published_at, publication"))
            texts.push_back(row[0].as<std::string>());
        return texts;
    });
}

Result<std::vector<std::uint64_t>> Archive::publication_numbers() {
    return session_->run([&](pqxx::work& work) {
        std::vector<std::uint64_t> numbers;
        for (const auto& row :
             work.exec("SELECT publication FROM publications ORDER BY published_at, publication"))
            numbers.push_back(static_cast<std::uint64_t>(row[0].as<std::int64_t>()));
        return numbers;
    });
}

Result<std::uint64_t> Archive::publication_in_force() {
    return session_->run([&](pqxx::work& work) -> std::uint64_t {
        const auto rows = work.exec("SELECT publication FROM progress WHERE publication <> 0 "
                                    "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
        return rows.empty() ? 0 : static_cast<std::uint64_t>(rows[0][0].as<std::int64_t>());
    });
}

Result<void> Archive::each_snapshot(const std::function<void(std::string_view block)>& take) {
    constexpr int page = 5'000;
    std::string after; // Below every customer's id.
    while (true) {
        std::size_t count = 0;
        const auto read = session_->run([&](pqxx::work& work) {
            const auto rows = work.exec_params("SELECT customer, block FROM snapshots WHERE "
                                               "customer > $1 ORDER BY customer LIMIT $2",
                                               binary(after), page);
            count = static_cast<std::size_t>(rows.size());
            for (const auto& row : rows) {
                take(text_of(row[1]));
                after = text_of(row[0]);
            }
        });
        if (!read) return read;
        if (count < static_cast<std::size_t>(page)) return {};
    }
}

Result<void> Archive::keep_sandbox_messages(const std::vector<actors::ProviderRequest>& requests,
                                            Timestamp at) {
    return session_->run([&](pqxx::work& work) {
        for (const auto& request : requests)
            work.exec_params(
                "INSERT INTO sandbox_messages (intent, at, customer, channel, address, payload) "
                "VALUES ($1::uuid, to_timestamp($2::float8 / 1000), $3, $4, $5, $6) ON CONFLICT DO "
                "NOTHING",
                journeys::to_text(request.intent), journeys::to_millis(at),
                binary(journeys::to_text(request.customer)), request.channel,
                binary(request.address), binary(request.payload));
    });
}

Result<std::vector<TimelineRow>> Archive::timeline(const std::string& customer, int limit) {
    return session_->run([&](pqxx::work& work) {
        std::vector<TimelineRow> rows;
        const auto found = work.exec_params(
            "SELECT " + std::string{timeline_columns} +
                " FROM timeline WHERE customer = $1 ORDER BY revision DESC, n DESC LIMIT $2",
            binary(customer), limit);
        for (const auto& row : found) rows.push_back(timeline_row(row));
        std::ranges::reverse(rows);
        return rows;
    });
}

Result<std::vector<MessageOutcome>> Archive::outcomes(const std::string& customer, int limit) {
    return session_->run([&](pqxx::work& work) {
        std::vector<MessageOutcome> all;
        for (const auto& row :
             work.exec_params("SELECT replace(intent::text, '-', ''), state, reason, "
                              "(extract(epoch FROM updated_at) * 1000)::bigint FROM outbox WHERE "
                              "customer = $1 ORDER BY opened_at DESC LIMIT $2",
                              binary(customer), limit))
            all.push_back(
                {journeys::parse_intent_id(row[0].as<std::string>()).value_or(journeys::IntentId{}),
                 row[1].as<std::string>(), row[2].as<std::string>(),
                 journeys::from_millis(row[3].as<std::int64_t>())});
        return all;
    });
}

Result<std::vector<TimelineRow>> Archive::last_triggers(int limit) {
    return session_->run([&](pqxx::work& work) {
        std::vector<TimelineRow> rows;
        const auto found = work.exec_params(
            "SELECT " + std::string{timeline_columns} +
                " FROM timeline WHERE kind IN ('send', 'suppress') ORDER BY at DESC LIMIT $1",
            limit);
        for (const auto& row : found) rows.push_back(timeline_row(row));
        return rows;
    });
}

Result<std::shared_ptr<const std::string>> Archive::snapshot(const std::string& customer) {
    return session_->run([&](pqxx::work& work) -> std::shared_ptr<const std::string> {
        const auto found =
            work.exec_params("SELECT block FROM snapshots WHERE customer = $1", binary(customer));
        if (found.empty()) return nullptr;
        return std::make_shared<const std::string>(text_of(found[0][0]));
    });
}

Result<std::vector<std::string>> Archive::search(const std::string& text) {
    return session_->run([&](pqxx::work& work) {
        std::vector<std::string> ids;
        const auto found =
            work.exec_params("SELECT convert_from(customer, 'UTF8') FROM snapshots WHERE "
                             "position($1::bytea IN customer) > 0 ORDER BY 1 LIMIT 100",
                             binary(text));
        for (const auto& row : found) ids.push_back(row[0].as<std::string>());
        return ids;
    });
}

Result<std::vector<ParkedRow>> Archive::parked(int limit) {
    std::vector<ParkedRow> found;
    auto done = session_->run([&](pqxx::work& work) {
        const auto rows = work.exec_params(
            "SELECT customer, (array_agg(reason ORDER BY id))[1], count(body), min(partition), "
            "(array_agg(\"offset\" ORDER BY id))[1], "
            "(extract(epoch FROM min(at)) * 1000)::bigint FROM parked GROUP BY customer "
            "ORDER BY min(at), customer LIMIT $1",
            limit);
        for (const auto& row : rows)
            found.push_back({text_of(row[0]), row[1].as<std::string>(), row[2].as<std::int64_t>(),
                             row[3].as<int>(), row[4].as<std::int64_t>(),
                             journeys::from_millis(row[5].as<std::int64_t>())});
    });
    if (!done) return done.error();
    return found;
}

Result<int> Archive::release_at_start(const std::vector<std::string>& customers) {
    int count = 0;
    auto done = session_->run([&](pqxx::work& work) {
        for (const auto& customer : customers)
            if (work.exec_params("UPDATE parked SET released = true WHERE customer = $1",
                                 binary(customer))
                    .affected_rows() > 0)
                ++count;
    });
    if (!done) return done.error();
    return count;
}

Result<void> Archive::read_log(const std::function<void(const schema::StoredRecord&)>& take) {
    return session_->run([&](pqxx::work& work) {
        // In pages, by the order's own key, so that memory stays small however long the log is.
        constexpr int page = 10'000;
        std::int64_t micros = -1, offset = -1;
        int partition = -1;
        while (true) {
            const auto rows = work.exec_params("SELECT partition, \"offset\", (extract(epoch FROM "
                                               "accepted_at) * 1000000)::bigint, "
                                               "kind, customer, body FROM log "
                                               "WHERE ((extract(epoch FROM accepted_at) * "
                                               "1000000)::bigint, partition, \"offset\") > "
                                               "($1, $2, $3) ORDER BY 3, 1, 2 LIMIT $4",
                                               micros, partition, offset, page);
            for (const auto& row : rows) {
                partition = row[0].as<int>();
                offset = row[1].as<std::int64_t>();
                micros = row[2].as<std::int64_t>();
                schema::StoredRecord record;
                record.kind = static_cast<journeys::RecordKind>(row[3].as<int>());
                record.header.offset = static_cast<std::uint64_t>(offset);
                record.header.accepted_at = journeys::from_millis(micros / 1000);
                record.header.customer =
                    journeys::parse_customer_id(text_of(row[4])).value_or(journeys::CustomerId{});
                record.body = text_of(row[5]);
                take(record);
            }
            if (rows.size() < static_cast<pqxx::result::size_type>(page)) return;
        }
    });
}

Result<Timestamp> Archive::newest_instant() {
    return session_->run([&](pqxx::work& work) {
        const auto row =
            work.exec1("SELECT coalesce((extract(epoch FROM max(greatest(accepted_at, flushed_at, "
                       "closed))) * 1000)::bigint, 0) "
                       "FROM log_positions JOIN progress USING (partition)");
        return journeys::from_millis(row[0].as<std::int64_t>());
    });
}

} // namespace runtime
