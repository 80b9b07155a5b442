/// Rows of three columns that go into a table of their own by binary COPY, one commit a batch.
#pragma once

#include "journeys/result.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

class BareCommit {
public:
    /// On a database that holds nothing yet.
    static journeys::Result<BareCommit> open(const std::string& conninfo);

    /// Appends a row to a batch.
    static void put_row(std::string& rows, std::int64_t number, std::string_view customer,
                        std::string_view body);
    /// False where the database has not taken them.
    bool commit(const std::string& rows);
    /// Rows that are in the table; then none are, so that the disk stays small.
    std::uint64_t count_and_clear();

private:
    struct Finish {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };
    explicit BareCommit(PGconn* handle) : handle_(handle) {}
    bool run(const char* sql);

    std::unique_ptr<PGconn, Finish> handle_;
};

} // namespace bench
