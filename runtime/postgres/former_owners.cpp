#include "runtime/postgres/former_owners.hpp"

#include "runtime/postgres/connection_name.hpp"

namespace runtime {

using journeys::Result;

Result<void> end_instance(Connection& connection, std::string_view owner) {
    SqlParams params;
    params.add_text(name_prefix(owner));
    auto names = connection.run("SELECT application_name FROM pg_stat_activity "
                                "WHERE starts_with(application_name, $1)",
                                params);
    if (!names) return names.error();
    for (int row = 0; row < names->size(); ++row)
        if (auto ended = end_backend(connection, names->bytes(row, 0)); !ended) return ended;
    return {};
}

Result<void> end_former_owners(Connection& connection, std::string_view instance) {
    SqlParams params;
    params.add_text(instance);
    auto owners = connection.run("SELECT DISTINCT owner FROM partitions "
                                 "WHERE owner <> '' AND owner <> $1",
                                 params);
    if (!owners) return owners.error();
    for (int row = 0; row < owners->size(); ++row)
        if (auto ended = end_instance(connection, owners->bytes(row, 0)); !ended) return ended;
    return {};
}

} // namespace runtime
