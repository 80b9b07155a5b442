#include "runtime/postgres/connection.hpp"

#include "runtime/postgres/connection_name.hpp"
#include "runtime/postgres/keep_alive.hpp"

#include <poll.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <random>
#include <vector>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

using Clock = std::chrono::steady_clock;

constexpr auto long_one_looked_at_every = std::chrono::milliseconds{100};

std::atomic<std::uint64_t> connection_count{0};

/// The first line, without the "ERROR:  " of the server.
std::string one_line(std::string_view message) {
    for (const std::string_view prefix : {"ERROR:  ", "FATAL:  ", "PANIC:  "})
        if (message.starts_with(prefix)) message.remove_prefix(prefix.size());
    std::string line{message};
    while (!line.empty() && line.back() == '\n') line.pop_back();
    for (auto& byte : line)
        if (byte == '\n') byte = ' ';
    return line;
}

/// Whether another try may succeed; the classes of PostgreSQL's appendix A.
bool is_transient(std::string_view state) {
    for (const std::string_view transient : {"08", "53", "57", "58", "40", "55", "25"})
        if (state.starts_with(transient)) return true;
    return state.empty();
}

Error unavailable(std::string detail) {
    return Error{ErrorCode::storage_unavailable, std::move(detail)};
}

int poll_once(int descriptor, short events, Clock::time_point deadline) {
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return 0;
        pollfd poll_set{descriptor, events, 0};
        const int ready = ::poll(&poll_set, 1, static_cast<int>(left.count()) + 1);
        if (ready >= 0) return ready;
        if (errno != EINTR) return -1;
    }
}

bool connect_until(PGconn* handle, Clock::time_point deadline) {
    auto wish = PGRES_POLLING_WRITING;
    while (wish != PGRES_POLLING_OK) {
        if (wish == PGRES_POLLING_FAILED) return false;
        if (poll_once(PQsocket(handle), wish == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                      deadline) <= 0)
            return false;
        wish = PQconnectPoll(handle);
    }
    return true;
}

} // namespace

Connection::Connection(PGconn* handle, std::string name, std::chrono::milliseconds reply_timeout)
    : handle_(handle), name_(std::move(name)), reply_timeout_(reply_timeout) {}

Result<Connection> Connection::open(const ConnectionSettings& settings, std::string_view role) {
    auto name = name_prefix(settings.instance) + std::string{role} + '/' +
                std::to_string(++connection_count);
    // `dbname` is expanded as a conninfo string, and what follows it wins.
    std::vector<const char*> keys{"dbname", "application_name", "client_encoding", "options"};
    std::vector<const char*> values{settings.conninfo.c_str(), name.c_str(), "UTF8",
                                    "-c timezone=UTC -c synchronous_commit=on"};
    for (const auto& [key, value] : keep_alive) {
        keys.push_back(key);
        values.push_back(value);
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    Connection connection{PQconnectStartParams(keys.data(), values.data(), 1), std::move(name),
                          settings.reply_timeout};
    auto* handle = connection.handle_.get();
    if (!handle) return unavailable("PostgreSQL: out of memory");
    if (PQstatus(handle) == CONNECTION_BAD ||
        !connect_until(handle, Clock::now() + settings.connect_timeout)) {
        auto reason = one_line(PQerrorMessage(handle));
        return unavailable("PostgreSQL cannot be reached: " +
                           (reason.empty() ? "no answer in time" : reason));
    }
    PQsetnonblocking(handle, 1);
    PQsetNoticeProcessor(
        handle, [](void*, const char*) {}, nullptr);
    return connection;
}

Error Connection::lose(std::string_view what) {
    lost_ = true;
    auto reason = handle_ ? one_line(PQerrorMessage(handle_.get())) : std::string{};
    return unavailable(std::string{what} + (reason.empty() ? "" : ": " + reason));
}

Error Connection::error_of(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    auto message = one_line(PQresultErrorMessage(result));
    if (PQstatus(handle_.get()) == CONNECTION_BAD) lost_ = true;
    const auto code = lost_ || is_transient(state ? state : "") ? ErrorCode::storage_unavailable
                                                                : ErrorCode::invalid_state;
    return Error{code, "PostgreSQL: " + message + (state ? std::string{" ("} + state + ')' : "")};
}

bool Connection::wait_for(bool readable, bool writable) {
    const auto events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    return poll_once(PQsocket(handle_.get()), events, Clock::now() + reply_timeout_) > 0;
}

Result<void> Connection::flush_out() {
    while (true) {
        const int left = PQflush(handle_.get());
        if (left == 0) return {};
        if (left < 0) return lose("PostgreSQL: the connection was lost");
        // While we write the server may have something to say, and stops reading until it is heard.
        if (!wait_for(true, true)) return lose("PostgreSQL does not answer");
        if (PQconsumeInput(handle_.get()) == 0) return lose("PostgreSQL: the connection was lost");
    }
}

Result<PGresult*> Connection::next_result() {
    while (PQisBusy(handle_.get())) {
        if (!wait_for(true, false)) return lose("PostgreSQL does not answer");
        if (PQconsumeInput(handle_.get()) == 0) return lose("PostgreSQL: the connection was lost");
    }
    return PQgetResult(handle_.get());
}

void Connection::drain() {
    while (!lost_) {
        const auto next = next_result();
        if (!next || !*next) return;
        const auto status = PQresultStatus(*next);
        PQclear(*next);
        if (status == PGRES_COPY_IN) return;
    }
}

Result<SqlRows> Connection::last_of_all_results() {
    SqlRows last;
    while (true) {
        auto next = next_result();
        if (!next) return next.error();
        if (!*next) return last;
        SqlRows rows{*next};
        const auto status = PQresultStatus(*next);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            auto error = error_of(*next);
            drain();
            return error;
        }
        last = std::move(rows);
    }
}

Result<std::string> Connection::prepare(const char* sql, const SqlParams& params) {
    if (const auto known = prepared_.find(sql); known != prepared_.end()) return known->second;
    auto statement = "s" + std::to_string(prepared_count_++);
    const auto& types = params.types();
    if (PQsendPrepare(handle_.get(), statement.c_str(), sql, static_cast<int>(types.size()),
                      types.data()) == 0)
        return lose("PostgreSQL: the connection was lost");
    if (auto sent = flush_out(); !sent) return sent.error();
    if (auto answer = last_of_all_results(); !answer) return answer.error();
    prepared_.emplace(sql, statement);
    return statement;
}

Result<void> Connection::send(const char* sql, const SqlParams& params) {
    if (lost_) return unavailable("PostgreSQL: the connection was lost");
    const auto statement = prepare(sql, params);
    if (!statement) return statement.error();
    if (!send_prepared(*statement, params)) return lose("PostgreSQL: the connection was lost");
    return flush_out();
}

bool Connection::send_prepared(const std::string& statement, const SqlParams& params) {
    const auto count = params.values().size();
    std::vector<const char*> values(count);
    std::vector<int> sizes(count);
    const std::vector<int> formats(count, 1);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = params.values()[i].data();
        sizes[i] = static_cast<int>(params.values()[i].size());
    }
    return PQsendQueryPrepared(handle_.get(), statement.c_str(), static_cast<int>(count),
                               values.data(), sizes.data(), formats.data(), 1) == 1;
}

Result<SqlRows> Connection::run(const char* sql, const SqlParams& params) {
    if (auto sent = send(sql, params); !sent) return sent.error();
    return last_of_all_results();
}

Result<std::vector<SqlRows>> Connection::run_all(const std::vector<SqlStatement>& statements) {
    if (lost_) return unavailable("PostgreSQL: the connection was lost");
    const auto gone = [this] { return lose("PostgreSQL: the connection was lost"); };
    if (PQenterPipelineMode(handle_.get()) == 0) return gone();
    struct Expected {
        bool is_preparation;
        const std::string* sql;
    };
    std::vector<Expected> expected;
    for (const auto& [sql, params] : statements) {
        auto [known, is_new] = prepared_.try_emplace(sql);
        if (is_new) {
            known->second = "s" + std::to_string(prepared_count_++);
            const auto& types = params.types();
            expected.push_back({true, &sql});
            if (PQsendPrepare(handle_.get(), known->second.c_str(), sql.c_str(),
                              static_cast<int>(types.size()), types.data()) == 0)
                return gone();
        }
        expected.push_back({false, &sql});
        if (!send_prepared(known->second, params)) return gone();
    }
    if (PQpipelineSync(handle_.get()) == 0) return gone();
    if (auto sent = flush_out(); !sent) return sent.error();

    std::vector<SqlRows> rows;
    std::optional<Error> mistake;
    for (const auto& [is_preparation, sql] : expected) {
        auto result = next_result();
        if (!result) return result.error();
        SqlRows answer{*result};
        const auto status = PQresultStatus(*result);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            if (!mistake) mistake = error_of(*result);
            if (is_preparation) prepared_.erase(*sql);
        } else if (!is_preparation) {
            rows.push_back(std::move(answer));
        }
        auto end = next_result(); // Null: the end of this one.
        if (!end) return end.error();
    }
    auto synced = next_result();
    if (!synced) return synced.error();
    const SqlRows end_of_all{*synced};
    if (PQresultStatus(*synced) != PGRES_PIPELINE_SYNC) return error_of(*synced);
    if (PQexitPipelineMode(handle_.get()) == 0) return gone();
    if (mistake) return *mistake;
    return rows;
}

Result<SqlRows> Connection::run_script(const std::string& sql) {
    if (auto sent = send_script(sql); !sent) return sent.error();
    return answer_to_script();
}

Result<SqlRows> Connection::run_long(const std::string& sql, const std::function<bool()>& goes_on) {
    if (auto sent = send_script(sql); !sent) return sent.error();
    while (PQisBusy(handle_.get())) {
        const int ready =
            poll_once(PQsocket(handle_.get()), POLLIN, Clock::now() + long_one_looked_at_every);
        if (ready < 0 || (ready > 0 && PQconsumeInput(handle_.get()) == 0))
            return lose("PostgreSQL: the connection was lost");
        if (ready == 0 && !goes_on()) return lose("PostgreSQL: a statement was given up");
    }
    return answer_to_script();
}

Result<void> Connection::send_script(const std::string& sql) {
    if (lost_) return unavailable("PostgreSQL: the connection was lost");
    if (PQsendQuery(handle_.get(), sql.c_str()) == 0)
        return lose("PostgreSQL: the connection was lost");
    return flush_out();
}

Result<SqlRows> Connection::answer_to_script() {
    if (lost_) return unavailable("PostgreSQL: the connection was lost");
    return last_of_all_results();
}

Result<SqlRows> Connection::begin_copy(const std::string& sql) {
    if (lost_) return unavailable("PostgreSQL: the connection was lost");
    if (PQsendQuery(handle_.get(), sql.c_str()) == 0)
        return lose("PostgreSQL: the connection was lost");
    if (auto sent = flush_out(); !sent) return sent.error();
    SqlRows before;
    while (true) {
        auto next = next_result();
        if (!next) return next.error();
        if (!*next) return Error{ErrorCode::invalid_state, "PostgreSQL began no COPY"};
        SqlRows rows{*next};
        switch (PQresultStatus(*next)) {
        case PGRES_COPY_IN: return before;
        case PGRES_COMMAND_OK: break;
        case PGRES_TUPLES_OK: before = std::move(rows); break;
        default: {
            auto error = error_of(*next);
            drain();
            return error;
        }
        }
    }
}

Result<void> Connection::copy(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, 1 << 20);
        const int put = PQputCopyData(handle_.get(), part.data(), static_cast<int>(part.size()));
        if (put < 0) return lose("PostgreSQL: the connection was lost");
        if (put == 1) bytes.remove_prefix(part.size());
        if (auto sent = flush_out(); !sent) return sent;
    }
    return {};
}

Result<void> Connection::end_copy() {
    while (true) {
        const int put = PQputCopyEnd(handle_.get(), nullptr);
        if (put < 0) return lose("PostgreSQL: the connection was lost");
        if (put == 1) break;
        if (auto sent = flush_out(); !sent) return sent;
    }
    if (auto sent = flush_out(); !sent) return sent;
    if (auto answer = last_of_all_results(); !answer) return answer.error();
    return {};
}

void Connection::abort_copy() {
    if (lost_) return;
    if (PQputCopyEnd(handle_.get(), "given up") != 1 || !flush_out()) {
        lost_ = true;
        return;
    }
    drain();
}

Result<Transaction> Transaction::begin(Connection& connection) {
    if (auto begun = connection.run("BEGIN"); !begun) return begun.error();
    return Transaction{connection};
}

Result<Transaction> Transaction::begin(Connection& connection, SqlStatement first, SqlRows& rows) {
    Transaction transaction{connection}; // Where only the second fails it is to be rolled back.
    auto begun = connection.run_all({{"BEGIN", {}}, std::move(first)});
    if (!begun) return begun.error();
    rows = std::move(begun->back());
    return transaction;
}

Transaction::~Transaction() {
    if (connection_ && !connection_->is_lost()) (void)connection_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
    auto* connection = std::exchange(connection_, nullptr);
    if (auto committed = connection->run("COMMIT"); !committed) return committed.error();
    return {};
}

Result<void> end_backend(Connection& connection, std::string_view name) {
    SqlParams params;
    params.add_text(name);
    while (true) {
        auto ended = connection.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
                                    "WHERE application_name = $1",
                                    params);
        if (!ended) return ended.error();
        if (ended->empty()) return {};
    }
}

std::string random_instance() {
    std::random_device random;
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    for (int i = 0; i < 2; ++i) {
        high = high << 32 | random();
        low = low << 32 | random();
    }
    return journeys::to_hex(high, low);
}

} // namespace runtime
