#include "runtime/dead_letters.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "runtime/database_session.hpp"
#include "runtime/printable.hpp"
#include "runtime/sql_arrays.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace runtime {
namespace {

using journeys::Result;
using journeys::Timestamp;

constexpr std::size_t body_shown_max = 160;

/// The condition of a filter; what it needs is $1 to $5.
constexpr const char* matches =
    " FROM rejects WHERE ($1 = '' OR reason = $1) AND ($2 = '' OR source = $2) "
    "AND ($3 = '' OR message_id = $3) AND ($4::bytea[] = '{}' OR ids && $4::bytea[]) "
    "AND at >= to_timestamp($5::float8 / 1000) ";
std::vector<std::string> ids_of(const std::string& customer) {
    if (customer.empty()) return {};
    std::vector<std::string> ids;
    if (const auto id = journeys::parse_customer_id(customer))
        ids.push_back(journeys::to_text(*id));
    if (customer.find(':') == std::string::npos) ids.push_back("anonymous:" + customer);
    return ids;
}

template <class... More>
pqxx::result ask(pqxx::work& work, const std::string& sql, const DeadLetterFilter& filter,
                 const More&... more) {
    return work.exec_params(sql, filter.reason, filter.source, filter.message_id,
                            bytea_array(ids_of(filter.customer)),
                            journeys::to_millis(filter.since.value_or(Timestamp{})), more...);
}

std::string dump(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace

class DeadLetters::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

DeadLetters::DeadLetters(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
DeadLetters::~DeadLetters() = default;

Result<void> DeadLetters::add(const std::vector<DeadLetter>& letters) {
    return session_->run([&](pqxx::work& work) {
        for (const auto& letter : letters)
            work.exec_params("INSERT INTO rejects (at, source, reason, detail, message_id, ids, "
                             "body) VALUES (to_timestamp($1::float8 / 1000), $2, $3, $4, $5, "
                             "$6::bytea[], $7)",
                             journeys::to_millis(letter.at), letter.source, letter.reason,
                             letter.detail, letter.message_id, bytea_array(letter.ids),
                             pqxx::binarystring{letter.body.data(), letter.body.size()});
    });
}

Result<std::vector<DeadLetter>> DeadLetters::find(const DeadLetterFilter& filter) {
    return session_->run([&](pqxx::work& work) {
        std::vector<DeadLetter> letters;
        const auto rows =
            ask(work,
                std::string{"SELECT (extract(epoch FROM at) * 1000)::bigint, source, reason, "
                            "detail, message_id, body"} +
                    matches + "ORDER BY id DESC LIMIT $6",
                filter, filter.limit);
        for (const auto& row : rows)
            letters.push_back({journeys::from_millis(row[0].as<std::int64_t>()),
                               row[1].as<std::string>(),
                               row[2].as<std::string>(),
                               row[3].as<std::string>(),
                               row[4].as<std::string>(),
                               {},
                               pqxx::binarystring{row[5]}.str()});
        return letters;
    });
}

Result<std::vector<DeadLetterCount>> DeadLetters::count(const DeadLetterFilter& filter) {
    return session_->run([&](pqxx::work& work) {
        std::vector<DeadLetterCount> counts;
        const auto rows = ask(work,
                              std::string{"SELECT source, reason, count(*), (extract(epoch FROM "
                                          "max(at)) * 1000)::bigint, "
                                          "(array_agg(detail ORDER BY id DESC))[1]"} +
                                  matches + "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $6",
                              filter, filter.limit);
        for (const auto& row : rows)
            counts.push_back(
                {row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::int64_t>(),
                 journeys::from_millis(row[3].as<std::int64_t>()), row[4].as<std::string>()});
        return counts;
    });
}

Result<void> DeadLetters::expire(Timestamp before, std::int64_t rows_max) {
    return session_->run([&](pqxx::work& work) {
        work.exec_params("DELETE FROM rejects WHERE at < to_timestamp($1::float8 / 1000)",
                         journeys::to_millis(before));
        work.exec_params("DELETE FROM rejects WHERE id <= (SELECT id FROM rejects ORDER BY id DESC "
                         "OFFSET $1 LIMIT 1)",
                         rows_max);
    });
}

std::string to_line(const DeadLetter& letter) {
    auto body = letter.body;
    if (body.size() > body_shown_max) body = body.substr(0, body_shown_max) + "…";
    auto text = journeys::to_text(letter.at) + "  " + letter.source + "  " + letter.reason + ": " +
                letter.detail;
    if (!letter.message_id.empty()) text += "  " + letter.message_id;
    return printable(text + "  " + body);
}

std::string to_line(const DeadLetterCount& count) {
    return std::to_string(count.count) + "  " + count.source + "  " + count.reason + "  last " +
           journeys::to_text(count.newest) + ": " + printable(count.detail);
}

std::string to_json_line(const DeadLetter& letter) {
    nlohmann::ordered_json json;
    json["at"] = journeys::to_text(letter.at);
    json["source"] = letter.source;
    json["reason"] = letter.reason;
    json["detail"] = letter.detail;
    if (!letter.message_id.empty()) json["messageId"] = letter.message_id;
    json["raw"] = letter.body;
    return dump(json);
}

std::string to_json_line(const DeadLetterCount& count) {
    nlohmann::ordered_json json;
    json["source"] = count.source;
    json["reason"] = count.reason;
    json["count"] = count.count;
    json["newest"] = journeys::to_text(count.newest);
    json["detail"] = count.detail;
    return dump(json);
}

Result<std::string> dead_letters_text(DeadLetters& letters, const DeadLetterFilter& filter,
                                      bool counts, bool as_json) {
    std::string text;
    const auto add_all = [&](const auto& rows) -> Result<std::string> {
        if (!rows) return rows.error();
        for (const auto& row : *rows) text += (as_json ? to_json_line(row) : to_line(row)) + '\n';
        return std::move(text);
    };
    return counts ? add_all(letters.count(filter)) : add_all(letters.find(filter));
}

} // namespace runtime
