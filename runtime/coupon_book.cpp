#include "runtime/coupon_book.hpp"

#include "runtime/database_session.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace runtime {

using journeys::Result;
using journeys::Timestamp;

namespace {

constexpr std::size_t codes_per_statement = 10'000;

/// Codes `from` to `to` as rows of JSON, for one statement.
std::string rows_of(const std::vector<schema::CouponCode>& codes, std::size_t from,
                    std::size_t to) {
    auto rows = nlohmann::json::array();
    for (auto i = from; i < to; ++i) {
        nlohmann::json row{{"n", i}, {"code", codes[i].code}};
        if (codes[i].expires_at) row["expires"] = journeys::to_millis(*codes[i].expires_at);
        rows.push_back(std::move(row));
    }
    return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace

class CouponBook::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

CouponBook::CouponBook(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
CouponBook::~CouponBook() = default;

Result<std::int64_t> CouponBook::add(const std::string& pool,
                                     const std::vector<schema::CouponCode>& codes,
                                     std::optional<std::uint64_t> file) {
    return session_->run([&](pqxx::work& work) {
        std::int64_t added = 0;
        for (std::size_t from = 0; from < codes.size(); from += codes_per_statement) {
            const auto to = std::min(codes.size(), from + codes_per_statement);
            const auto done = work.exec_params(
                "INSERT INTO coupons (pool, code, expires_at) SELECT $1, code, "
                "to_timestamp(expires::float8 / 1000) FROM "
                "json_to_recordset($2::json) AS r(n bigint, code text, expires bigint) ORDER BY n "
                "ON CONFLICT (pool, code) DO NOTHING",
                pool, rows_of(codes, from, to));
            added += static_cast<std::int64_t>(done.affected_rows());
        }
        if (file)
            work.exec_params0("INSERT INTO coupon_files (pool, digest) VALUES ($1, $2) "
                              "ON CONFLICT (pool) DO UPDATE SET digest = excluded.digest",
                              pool, static_cast<std::int64_t>(*file));
        return added;
    });
}

Result<bool> CouponBook::has_file(const std::string& pool, std::uint64_t file) {
    return session_->run([&](pqxx::work& work) {
        return !work.exec_params("SELECT FROM coupon_files WHERE pool = $1 AND digest = $2", pool,
                                 static_cast<std::int64_t>(file))
                    .empty();
    });
}

Result<std::vector<schema::CouponCode>>
CouponBook::lease(const std::string& pool, std::uint64_t lease, std::size_t count, Timestamp now) {
    return session_->run([&](pqxx::work& work) {
        // Whom another process leases at this moment is passed over, not waited for.
        const auto rows = work.exec_params(
            "WITH chosen AS (SELECT code FROM coupons WHERE pool = $1 AND run IS NULL AND lease IS "
            "NULL AND (expires_at IS NULL OR expires_at > to_timestamp($4::float8 / 1000)) ORDER "
            "BY number LIMIT $3 FOR UPDATE SKIP LOCKED) UPDATE coupons c SET lease = $2 FROM "
            "chosen WHERE c.pool = $1 AND c.code = chosen.code RETURNING c.number, c.code, "
            "(extract(epoch FROM c.expires_at) * 1000)::bigint",
            pool, static_cast<std::int64_t>(lease), static_cast<std::int64_t>(count),
            journeys::to_millis(now));
        std::vector<std::pair<std::int64_t, schema::CouponCode>> numbered;
        for (const auto& row : rows) {
            schema::CouponCode code{row[1].as<std::string>(), std::nullopt};
            if (!row[2].is_null())
                code.expires_at = journeys::from_millis(row[2].as<std::int64_t>());
            numbered.emplace_back(row[0].as<std::int64_t>(), std::move(code));
        }
        std::ranges::sort(numbered, {}, [](const auto& one) { return one.first; });
        std::vector<schema::CouponCode> leased;
        for (auto& [number, code] : numbered) leased.push_back(std::move(code));
        return leased;
    });
}

Result<void> CouponBook::end_leases() {
    return session_->run([](pqxx::work& work) {
        work.exec("UPDATE coupons SET lease = NULL WHERE run IS NULL AND lease IS NOT NULL");
    });
}

Result<std::vector<PoolStand>> CouponBook::stands(Timestamp now) {
    return session_->run([&](pqxx::work& work) {
        std::vector<PoolStand> all;
        for (const auto& row : work.exec_params(
                 "SELECT pool, count(*), count(run), count(*) FILTER (WHERE given_at > "
                 "to_timestamp($1::float8 / 1000) - interval '24 hours'), count(*) FILTER (WHERE "
                 "run IS NULL AND expires_at <= to_timestamp($1::float8 / 1000)) FROM coupons "
                 "GROUP BY pool ORDER BY pool",
                 journeys::to_millis(now)))
            all.push_back({row[0].as<std::string>(), row[1].as<std::int64_t>(),
                           row[2].as<std::int64_t>(), row[3].as<std::int64_t>(),
                           row[4].as<std::int64_t>()});
        return all;
    });
}

Result<std::vector<PoolStand>> CouponBook::left(Timestamp now) {
    return session_->run([&](pqxx::work& work) {
        std::vector<PoolStand> all;
        for (const auto& row : work.exec_params(
                 "SELECT pool, count(*) FROM coupons WHERE run IS NULL AND (expires_at IS NULL OR "
                 "expires_at > to_timestamp($1::float8 / 1000)) GROUP BY pool ORDER BY pool",
                 journeys::to_millis(now)))
            all.push_back({.pool = row[0].as<std::string>(), .codes = row[1].as<std::int64_t>()});
        return all;
    });
}

} // namespace runtime
