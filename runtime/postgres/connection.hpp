/// One connection to PostgreSQL, with a deadline on everything.
#pragma once

#include "journeys/result.hpp"
#include "runtime/postgres/sql_params.hpp"
#include "runtime/postgres/sql_rows.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace runtime {

struct ConnectionSettings {
    std::string conninfo; ///< A conninfo string or a postgresql:// URL.
    /// Names this process, so that a later owner can end its connections: they are called
    /// `sojourn/<instance>/<role>/<number>`.
    std::string instance;
    std::chrono::milliseconds connect_timeout{3000};
    std::chrono::milliseconds reply_timeout{30000}; ///< Then the connection counts as lost.
};

/// `storage_unavailable`: trying again may help. `invalid_state`: the statement itself is refused.
/// Used by one thread at a time. After `is_lost()` it answers nothing more: open another.
class Connection {
public:
    static journeys::Result<Connection> open(const ConnectionSettings& settings,
                                             std::string_view role);

    /// One statement, prepared at its first use.
    journeys::Result<SqlRows> run(const char* sql, const SqlParams& params = {});
    /// Several, none of which needs the answer of another, in one round trip; the rows of each. The
    /// first error is the answer. Outside of a transaction they are all or nothing; inside of one
    /// the caller rolls back. The time for a reply is that of all of them together.
    journeys::Result<std::vector<SqlRows>> run_all(const std::vector<SqlStatement>& statements);
    /// Statements without parameters, separated by semicolons; the last one's rows, as text.
    journeys::Result<SqlRows> run_script(const std::string& sql);
    /// One statement without parameters that has all the time it needs. `goes_on` is asked ten
    /// times a second; where it says no the connection counts as lost, and the server may still be
    /// at it.
    journeys::Result<SqlRows> run_long(const std::string& sql,
                                       const std::function<bool()>& goes_on);
    /// The two halves of `run_script`: after the first the server may have done it all.
    journeys::Result<void> send_script(const std::string& sql);
    journeys::Result<SqlRows> answer_to_script();

    /// Sends `sql`, whose last statement is a COPY FROM STDIN. The rows of the statement before it,
    /// as text, are the answer; then come `copy`, and `end_copy` or `abort_copy`.
    journeys::Result<SqlRows> begin_copy(const std::string& sql);
    journeys::Result<void> copy(std::string_view bytes);
    journeys::Result<void> end_copy();
    void abort_copy();

    /// Sends `sql`, then hands every row of its answer to `row` as it arrives (SqlRows of one row,
    /// binary).
    template <class OnRow>
    journeys::Result<void> stream(const char* sql, const SqlParams& params, OnRow row) {
        if (auto sent = send(sql, params); !sent) return sent;
        PQsetSingleRowMode(handle_.get());
        while (true) {
            auto next = next_result();
            if (!next) return next.error();
            if (!*next) return {};
            SqlRows rows{*next};
            if (PQresultStatus(*next) == PGRES_SINGLE_TUPLE)
                row(rows);
            else if (PQresultStatus(*next) != PGRES_TUPLES_OK) {
                auto error = error_of(*next);
                drain();
                return error;
            }
        }
    }

    bool is_lost() const { return lost_; }
    void give_up() { lost_ = true; }                  ///< From now on it counts as lost.
    const std::string& name() const { return name_; } ///< Its application_name.

private:
    struct Finish {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };
    Connection(PGconn* handle, std::string name, std::chrono::milliseconds reply_timeout);

    journeys::Result<void> send(const char* sql, const SqlParams& params);
    journeys::Result<std::string> prepare(const char* sql, const SqlParams& params);
    bool send_prepared(const std::string& statement, const SqlParams& params);
    journeys::Result<void> flush_out();
    journeys::Result<PGresult*> next_result(); ///< Null at the end.
    journeys::Result<SqlRows> last_of_all_results();
    bool wait_for(bool readable, bool writable);
    journeys::Error lose(std::string_view what);
    journeys::Error error_of(const PGresult* result);
    void drain();

    std::unique_ptr<PGconn, Finish> handle_;
    std::string name_;
    std::chrono::milliseconds reply_timeout_;
    std::unordered_map<std::string, std::string> prepared_; ///< By their text.
    std::size_t prepared_count_ = 0;                        ///< Names that were given.
    bool lost_ = false;
};

/// A transaction that is rolled back unless committed.
class Transaction {
public:
    static journeys::Result<Transaction> begin(Connection& connection);
    /// And runs its first statement, in one round trip; `rows` gets that one's.
    static journeys::Result<Transaction> begin(Connection& connection, SqlStatement first,
                                               SqlRows& rows);
    Transaction(Transaction&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    /// `storage_unavailable` with `connection.is_lost()`: whether it was committed is not known.
    journeys::Result<void> commit();

private:
    explicit Transaction(Connection& connection) : connection_(&connection) {}
    Connection* connection_;
};

/// Ends the server's side of the connection that was called `name`, and waits until it is gone, so
/// that what it has not committed by now it never will.
journeys::Result<void> end_backend(Connection& connection, std::string_view name);

/// 128 random bits in hex: what an instance is called.
std::string random_instance();

} // namespace runtime
