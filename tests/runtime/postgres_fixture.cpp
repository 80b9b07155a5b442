#include "tests/runtime/postgres_fixture.hpp"

#include "runtime/postgres/migrate.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <optional>

namespace runtime::test {

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sojourn-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    ::chmod(name.c_str(), 0755); // As root the server is another user, who has to pass.
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

EmbeddedPostgres& shared_server() {
    static TemporaryFolder folder;
    static EmbeddedPostgres server = must(EmbeddedPostgres::start(folder.path()));
    return server;
}

Database::Database(const EmbeddedPostgres& server) {
    static int count = 0;
    const auto name = "test" + std::to_string(++count);
    auto connection =
        must(Connection::open({.conninfo = server.conninfo(), .instance = "test"}, "test"));
    must(connection.run_script("CREATE DATABASE " + name));
    conninfo_ = server.conninfo() + " dbname=" + name;
    auto own = connect();
    must(migrate(own));
}

ConnectionSettings Database::settings(std::string instance) const {
    return {.conninfo = conninfo_, .instance = std::move(instance)};
}

Connection Database::connect() const { return must(Connection::open(settings("test"), "test")); }

} // namespace runtime::test
