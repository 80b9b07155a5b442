#include "runtime/privacy_requests.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "runtime/database_session.hpp"
#include "runtime/printable.hpp"
#include "runtime/sql_arrays.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace runtime {
namespace {

using journeys::Result;
using journeys::Timestamp;

constexpr std::size_t shown_max = 8;
constexpr const char* columns =
    "SELECT id, source, kind, shop, to_json(subjects), to_json(orders), "
    "(extract(epoch FROM received_at) * 1000)::bigint, "
    "(extract(epoch FROM due_at) * 1000)::bigint, "
    "(extract(epoch FROM done_at) * 1000)::bigint, state FROM privacy_requests ";
std::vector<std::string> texts_of(const pqxx::field& json) {
    return nlohmann::json::parse(json.c_str()).get<std::vector<std::string>>();
}

/// For people: the first ones; JSON has them all.
std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (std::size_t i = 0; i < texts.size() && i < shown_max; ++i)
        out.append(i == 0 ? "" : " ").append(texts[i]);
    if (texts.size() > shown_max) out += " … " + std::to_string(texts.size()) + " ids";
    return out;
}

/// A header's bytes as ASCII, so that any of them can be stored.
std::string ascii_of(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes)
        if (c > ' ' && c < 127 && c != '%')
            out += c;
        else
            (((out += '%') += digits[static_cast<unsigned char>(c) >> 4]) +=
             digits[static_cast<unsigned char>(c) & 15]);
    return out;
}

std::vector<KeptPrivacyRequest> requests_of(const pqxx::result& rows) {
    std::vector<KeptPrivacyRequest> requests;
    for (const auto& row : rows) {
        KeptPrivacyRequest request;
        request.number = row[0].as<std::int64_t>();
        request.source = row[1].as<std::string>();
        request.kind = row[2].as<std::string>();
        request.shop = row[3].as<std::string>();
        request.subjects = texts_of(row[4]);
        request.orders = texts_of(row[5]);
        request.received_at = journeys::from_millis(row[6].as<std::int64_t>());
        request.due_at = journeys::from_millis(row[7].as<std::int64_t>());
        if (!row[8].is_null()) request.done_at = journeys::from_millis(row[8].as<std::int64_t>());
        request.state = row[9].as<std::string>();
        requests.push_back(std::move(request));
    }
    return requests;
}

/// What an operator reads of where a request stands.
std::string standing(const KeptPrivacyRequest& request) {
    if (request.done_at) return "done " + journeys::to_text(*request.done_at);
    const auto due = "due " + journeys::to_text(request.due_at);
    if (request.kind == "export") return due + "  sojourn privacy --export, then --done";
    if (request.kind == "erase" || request.state == "confirmed")
        return due + "  is being carried out";
    return due + "  sojourn privacy --erase-shop";
}

} // namespace

class PrivacyRequests::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

PrivacyRequests::PrivacyRequests(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
PrivacyRequests::~PrivacyRequests() = default;

Result<std::optional<std::int64_t>> PrivacyRequests::add(const schema::PrivacyRequest& request,
                                                         const std::string& source,
                                                         Timestamp received_at) {
    // A delivery without an id is a request of its own.
    const auto name =
        request.request.empty() ? std::string{} : source + ':' + ascii_of(request.request);
    return session_->run([&](pqxx::work& work) -> std::optional<std::int64_t> {
        const auto rows = work.exec_params(
            "INSERT INTO privacy_requests (request, source, kind, shop, subjects, orders, "
            "received_at, due_at) VALUES (coalesce(nullif($1, ''), gen_random_uuid()::text), $2, "
            "$3, $4, $5::text[], $6::text[], to_timestamp($7::float8 / 1000), "
            "to_timestamp($8::float8 / 1000)) ON CONFLICT (request) DO NOTHING RETURNING id",
            name, source, std::string{schema::to_text(request.kind)}, request.shop,
            text_array(request.subjects), text_array(request.orders),
            journeys::to_millis(received_at), journeys::to_millis(received_at + due_after));
        if (rows.empty()) return std::nullopt;
        return rows[0][0].as<std::int64_t>();
    });
}

Result<std::vector<KeptPrivacyRequest>> PrivacyRequests::list(bool all) {
    return session_->run([&](pqxx::work& work) {
        return requests_of(work.exec_params(
            std::string{columns} + "WHERE $1 OR state <> 'done' ORDER BY state = 'done', due_at, "
                                   "id LIMIT 10000",
            all));
    });
}

Result<std::vector<KeptPrivacyRequest>> PrivacyRequests::to_carry_out() {
    return session_->run([&](pqxx::work& work) {
        return requests_of(work.exec(std::string{columns} +
                                     "WHERE (state = 'open' AND kind = 'erase') OR state = "
                                     "'confirmed' ORDER BY id LIMIT 1000"));
    });
}

Result<std::optional<KeptPrivacyRequest>> PrivacyRequests::find(std::int64_t number) {
    return session_->run([&](pqxx::work& work) -> std::optional<KeptPrivacyRequest> {
        auto found = requests_of(work.exec_params(std::string{columns} + "WHERE id = $1", number));
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
    });
}

Result<void> PrivacyRequests::set_subjects(std::int64_t number,
                                           const std::vector<std::string>& subjects) {
    return session_->run([&](pqxx::work& work) {
        work.exec_params("UPDATE privacy_requests SET subjects = $2::text[] WHERE id = $1 AND "
                         "state <> 'done'",
                         number, text_array(subjects));
    });
}

Result<bool> PrivacyRequests::confirm(std::int64_t number) {
    return session_->run([&](pqxx::work& work) {
        return work.exec_params("UPDATE privacy_requests SET state = 'confirmed' WHERE id = $1 AND "
                                "kind = 'erase_shop' AND state = 'open'",
                                number)
                   .affected_rows() == 1;
    });
}

Result<bool> PrivacyRequests::finish(std::int64_t number, Timestamp at) {
    return session_->run([&](pqxx::work& work) {
        const auto done =
            work.exec_params("UPDATE privacy_requests SET state = 'done', done_at = "
                             "to_timestamp($2::float8 / 1000), "
                             "subjects = '{}', orders = '{}' WHERE id = $1 AND state <> 'done'",
                             number, journeys::to_millis(at));
        return done.affected_rows() == 1;
    });
}

std::optional<std::int64_t> parse_request_number(std::string_view text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

Result<std::string> privacy_text(PrivacyRequests& requests, bool all, bool as_json) {
    const auto list = requests.list(all);
    if (!list) return list.error();
    std::string text;
    for (const auto& one : *list) {
        if (as_json) {
            nlohmann::ordered_json json{{"number", one.number},
                                        {"kind", one.kind},
                                        {"source", one.source},
                                        {"shop", one.shop},
                                        {"state", one.state},
                                        {"subjects", one.subjects},
                                        {"orders", one.orders},
                                        {"received_at", journeys::to_text(one.received_at)},
                                        {"due_at", journeys::to_text(one.due_at)}};
            if (one.done_at) json["done_at"] = journeys::to_text(*one.done_at);
            text += json.dump() + '\n';
        } else {
            text += printable(std::to_string(one.number) + "  " + one.kind + "  " + one.source +
                              (one.shop.empty() ? "" : " " + one.shop) + "  " +
                              joined(one.subjects) + "  " + standing(one)) +
                    '\n';
        }
    }
    return text;
}

} // namespace runtime
