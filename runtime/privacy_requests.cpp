#include "runtime/privacy_requests.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "runtime/database_session.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace runtime {
namespace {

using journeys::Result;
using journeys::Timestamp;

std::string array_of(const std::vector<std::string>& texts) {
    std::string out = "{";
    for (const auto& text : texts) {
        if (out.size() > 1) out += ',';
        out += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            if (c != '\0') out += c;
        }
        out += '"';
    }
    return out + '}';
}

std::vector<std::string> texts_of(const pqxx::field& json) {
    return nlohmann::json::parse(json.c_str()).get<std::vector<std::string>>();
}

std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts) out.append(out.empty() ? "" : " ").append(text);
    return out;
}

} // namespace

class PrivacyRequests::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

PrivacyRequests::PrivacyRequests(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
PrivacyRequests::~PrivacyRequests() = default;

Result<void> PrivacyRequests::add(const schema::PrivacyRequest& request, const std::string& source,
                                  Timestamp received_at) {
    // A delivery without an id is a request of its own, told by when it came.
    const auto name =
        source + ':' +
        (request.request.empty() ? journeys::to_text(received_at) + joined(request.subjects)
                                 : request.request);
    return session_->run([&](pqxx::work& work) {
        work.exec_params(
            "INSERT INTO privacy_requests (request, source, kind, shop, subjects, orders, "
            "received_at, due_at) VALUES ($1, $2, $3, $4, $5::text[], $6::text[], "
            "to_timestamp($7::float8 / 1000), to_timestamp($8::float8 / 1000)) "
            "ON CONFLICT (request) DO NOTHING",
            name, source, std::string{schema::to_text(request.kind)}, request.shop,
            array_of(request.subjects), array_of(request.orders), journeys::to_millis(received_at),
            journeys::to_millis(received_at + due_after));
    });
}

Result<std::vector<KeptPrivacyRequest>> PrivacyRequests::list(bool all) {
    return session_->run([&](pqxx::work& work) {
        std::vector<KeptPrivacyRequest> requests;
        const auto rows = work.exec_params(
            "SELECT id, source, kind, shop, to_json(subjects), to_json(orders), "
            "(extract(epoch FROM received_at) * 1000)::bigint, "
            "(extract(epoch FROM due_at) * 1000)::bigint, "
            "(extract(epoch FROM done_at) * 1000)::bigint FROM privacy_requests "
            "WHERE $1 OR state = 'open' ORDER BY state DESC, due_at, id LIMIT 10000",
            all);
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
            if (!row[8].is_null())
                request.done_at = journeys::from_millis(row[8].as<std::int64_t>());
            requests.push_back(std::move(request));
        }
        return requests;
    });
}

Result<bool> PrivacyRequests::finish(const std::string& number, Timestamp at) {
    std::int64_t id = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), id);
    if (read.ec != std::errc{} || read.ptr != number.data() + number.size()) return false;
    return session_->run([&](pqxx::work& work) {
        const auto done =
            work.exec_params("UPDATE privacy_requests SET state = 'done', done_at = "
                             "to_timestamp($2::float8 / 1000), "
                             "subjects = '{}', orders = '{}' WHERE id = $1 AND state = 'open'",
                             id, journeys::to_millis(at));
        return done.affected_rows() == 1;
    });
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
                                        {"subjects", one.subjects},
                                        {"orders", one.orders},
                                        {"received_at", journeys::to_text(one.received_at)},
                                        {"due_at", journeys::to_text(one.due_at)}};
            if (one.done_at) json["done_at"] = journeys::to_text(*one.done_at);
            text += json.dump() + '\n';
        } else {
            text += std::to_string(one.number) + "  " + one.kind + "  " + one.source + ' ' +
                    one.shop + "  " + joined(one.subjects) +
                    (one.done_at ? "  done " + journeys::to_text(*one.done_at)
                                 : "  due " + journeys::to_text(one.due_at)) +
                    '\n';
        }
    }
    return text;
}

} // namespace runtime
