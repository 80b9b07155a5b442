/// A private PostgreSQL for the whole test program, and a database of its own for every test.
#pragma once

#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/embedded.hpp"

#include <filesystem>

namespace runtime::test {

/// Removed at its end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Started at the first call, stopped when the program ends.
EmbeddedPostgres& shared_server();

/// A new migrated database; the settings name a new instance.
class Database {
public:
    explicit Database(const EmbeddedPostgres& server = shared_server());
    ConnectionSettings settings(std::string instance = random_instance()) const;
    Connection connect() const;

private:
    std::string conninfo_;
};

/// The value, or the test fails with the error's text.
template <class Value> Value must(journeys::Result<Value> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

} // namespace runtime::test
