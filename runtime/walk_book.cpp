#include "runtime/walk_book.hpp"

#include "journeys/packed.hpp"
#include "runtime/database_session.hpp"
#include "runtime/postgres/walk_sql.hpp"
#include "schema/packed_json.hpp"

#include <limits>

namespace runtime {

using journeys::Result;

namespace {

constexpr const char* columns =
    "id, name, properties, (extract(epoch FROM at) * 1000)::bigint, coalesce(product, ''), "
    "coalesce(audience, ''), pace, copies_max - copied, after";

std::string instant(journeys::Timestamp at) {
    return "'epoch'::timestamptz + " + std::to_string(journeys::to_millis(at)) +
           " * interval '1 ms'";
}

actors::Walk walk_in(const pqxx::row& row) {
    actors::Walk walk;
    walk.id = walk.event.message_hash = static_cast<std::uint64_t>(row[0].as<std::int64_t>());
    walk.event.name = row[1].as<std::string>();
    // Was written by us, so it reads.
    if (auto packed = schema::packed_from_json(row[2].as<std::string>()))
        walk.event.properties = std::move(*packed);
    walk.event.at = journeys::from_millis(row[3].as<std::int64_t>());
    walk.product = row[4].as<std::string>();
    walk.audience = row[5].as<std::string>();
    walk.pace = row[6].as<double>();
    if (!row[7].is_null())
        walk.left =
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, row[7].as<std::int64_t>()));
    walk.after = pqxx::binarystring{row[8]}.str();
    return walk;
}

} // namespace

actors::Walk walk_of(journeys::CopiedEvent event, std::string product) {
    actors::Walk walk;
    walk.id = event.message_hash;
    walk.event = std::move(event);
    walk.product = std::move(product);
    walk.pace = product_pace;
    return walk;
}

std::string begin_walk_sql(const actors::Walk& walk,
                           const std::function<std::string(const std::string&)>& quote) {
    const auto or_null = [&](const std::string& text) {
        return text.empty() ? "NULL" : quote(text);
    };
    const bool is_bounded = walk.left != std::numeric_limits<std::uint64_t>::max();
    return "INSERT INTO walks (id, name, properties, at, product, audience, pace, copies_max) "
           "VALUES (" +
           std::to_string(static_cast<std::int64_t>(walk.id)) + ", " + quote(walk.event.name) +
           ", " + quote(journeys::to_json(journeys::PackedView{walk.event.properties})) + ", " +
           instant(walk.event.at) + ", " + or_null(walk.product) + ", " + or_null(walk.audience) +
           ", " + std::to_string(walk.pace) + ", " +
           (is_bounded ? std::to_string(walk.left) : std::string{"NULL"}) +
           ") ON CONFLICT (id) DO NOTHING";
}

class WalkBook::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

WalkBook::WalkBook(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
WalkBook::~WalkBook() = default;

Result<std::vector<actors::Walk>> WalkBook::open() {
    return session_->run([&](pqxx::work& work) {
        std::vector<actors::Walk> walks;
        for (const auto& row :
             work.exec("SELECT " + std::string{columns} +
                       " FROM walks WHERE over_at IS NULL ORDER BY at, id LIMIT " +
                       std::to_string(walks_at_once)))
            walks.push_back(walk_in(row));
        return walks;
    });
}

Result<void> WalkBook::begin(const actors::Walk& walk) {
    return session_->run([&](pqxx::work& work) {
        work.exec(begin_walk_sql(walk, [&](const std::string& text) { return work.quote(text); }));
    });
}

Result<void> WalkBook::move(const actors::WalkProgress& progress) {
    return session_->run([&](pqxx::work& work) { work.exec(move_walk_sql(progress)); });
}

Result<std::optional<WalkBook::Standing>> WalkBook::find(std::uint64_t walk) {
    return session_->run([&](pqxx::work& work) -> std::optional<Standing> {
        const auto rows =
            work.exec_params("SELECT copied, over_at IS NOT NULL FROM walks WHERE id = $1",
                             static_cast<std::int64_t>(walk));
        if (rows.empty()) return std::nullopt;
        return Standing{static_cast<std::uint64_t>(rows[0][0].as<std::int64_t>()),
                        rows[0][1].as<bool>()};
    });
}

Result<std::vector<WalkStand>> WalkBook::stands() {
    return session_->run([&](pqxx::work& work) {
        std::vector<WalkStand> stands;
        const auto shown = "(SELECT * FROM walks WHERE over_at IS ";
        const auto limit = std::to_string(stands_max);
        const auto newest = " ORDER BY at DESC, id LIMIT " + limit + ")";
        for (const auto& row : work.exec(
                 "SELECT name, properties, coalesce(product, ''), coalesce(audience, ''), pace, "
                 "(extract(epoch FROM at) * 1000)::bigint, copied, copies_max, "
                 "(extract(epoch FROM over_at) * 1000)::bigint FROM (" +
                 std::string{shown} + "NULL" + newest + " UNION ALL " + shown + "NOT NULL" +
                 newest + ") AS shown ORDER BY over_at IS NOT NULL, at DESC, id LIMIT " + limit)) {
            auto& stand = stands.emplace_back();
            stand.event = row[0].as<std::string>();
            if (const auto packed = schema::packed_from_json(row[1].as<std::string>()))
                stand.journey = journeys::PackedView{*packed}.string_at("journey");
            stand.product = row[2].as<std::string>();
            stand.audience = row[3].as<std::string>();
            stand.pace = row[4].as<double>();
            stand.at = journeys::from_millis(row[5].as<std::int64_t>());
            stand.copied = static_cast<std::uint64_t>(row[6].as<std::int64_t>());
            if (!row[7].is_null())
                stand.copies_max = static_cast<std::uint64_t>(row[7].as<std::int64_t>());
            if (!row[8].is_null()) stand.over_at = journeys::from_millis(row[8].as<std::int64_t>());
        }
        return stands;
    });
}

Result<std::map<std::string, AudienceMark>> WalkBook::marks() {
    return session_->run([&](pqxx::work& work) {
        std::map<std::string, AudienceMark> marks;
        for (const auto& row :
             work.exec("SELECT journey, version, (extract(epoch FROM until_at) * 1000)::bigint "
                       "FROM audience_entries"))
            marks[row[0].as<std::string>()] = {
                static_cast<std::uint64_t>(row[1].as<std::int64_t>()),
                journeys::from_millis(row[2].as<std::int64_t>())};
        return marks;
    });
}

Result<void> WalkBook::mark(const std::string& journey, const AudienceMark& mark,
                            const std::vector<actors::Walk>& walks) {
    return session_->run([&](pqxx::work& work) {
        for (const auto& walk : walks)
            work.exec(
                begin_walk_sql(walk, [&](const std::string& text) { return work.quote(text); }));
        work.exec("INSERT INTO audience_entries (journey, version, until_at) VALUES (" +
                  work.quote(journey) + ", " +
                  std::to_string(static_cast<std::int64_t>(mark.version)) + ", " +
                  instant(mark.until) +
                  ") ON CONFLICT (journey) DO UPDATE SET version = excluded.version, "
                  "until_at = excluded.until_at");
    });
}

} // namespace runtime
