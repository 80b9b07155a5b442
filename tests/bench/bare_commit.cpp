#include "tests/bench/bare_commit.hpp"

#include "runtime/postgres/binary.hpp"

#include <cstdlib>

namespace bench {
namespace {

constexpr std::string_view copy_head{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view copy_end{"\377\377", 2};

} // namespace

journeys::Result<BareCommit> BareCommit::open(const std::string& conninfo) {
    BareCommit made{PQconnectdb(conninfo.c_str())};
    if (!made.run("CREATE TABLE bare (number bigint NOT NULL, customer bytea NOT NULL, "
                  "body bytea NOT NULL)") ||
        !made.run("ALTER TABLE bare ALTER COLUMN body SET STORAGE EXTERNAL"))
        return journeys::Error{journeys::ErrorCode::unavailable,
                               PQerrorMessage(made.handle_.get())};
    return made;
}

void BareCommit::put_row(std::string& rows, std::int64_t number, std::string_view customer,
                         std::string_view body) {
    runtime::put_number(rows, std::int16_t{3});
    runtime::put_sized_number(rows, number);
    runtime::put_sized(rows, customer);
    runtime::put_sized(rows, body);
}

bool BareCommit::commit(const std::string& rows) {
    auto* const database = handle_.get();
    if (!run("COPY bare FROM STDIN (FORMAT binary)")) return false;
    const auto put = [&](std::string_view bytes) {
        return PQputCopyData(database, bytes.data(), static_cast<int>(bytes.size())) == 1;
    };
    if (!put(copy_head) || !put(rows) || !put(copy_end) || PQputCopyEnd(database, nullptr) != 1)
        return false;
    bool done = true;
    while (auto* const result = PQgetResult(database)) {
        done = done && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return done;
}

std::uint64_t BareCommit::count_and_clear() {
    auto* const result = PQexec(handle_.get(), "SELECT count(*) FROM bare");
    const auto count = PQntuples(result) == 1 ? std::strtoull(PQgetvalue(result, 0, 0), nullptr, 10)
                                              : std::uint64_t{0};
    PQclear(result);
    run("TRUNCATE bare");
    return count;
}

bool BareCommit::run(const char* sql) {
    auto* const result = PQexec(handle_.get(), sql);
    const auto status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
}

} // namespace bench
