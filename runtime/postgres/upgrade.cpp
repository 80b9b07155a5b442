#include "runtime/postgres/upgrade.hpp"

#include "runtime/postgres/former_owners.hpp"

#include <optional>

namespace runtime {

using journeys::Result;
using namespace std::chrono_literals;

namespace {

/// The primacy may have been taken from a process that lives on, and may not know it yet.
Result<void> shut_owners_out(Connection& connection, const std::string& instance) {
    auto made = connection.run("SELECT to_regclass('partitions') IS NOT NULL");
    if (!made) return made.error();
    if (!made->boolean(0, 0)) return {};
    // First what may hold a lock for ever, then whatever it opens anew.
    if (auto ended = end_former_owners(connection, instance); !ended) return ended;
    if (auto raised = connection.run("UPDATE partitions SET epoch = epoch + 1"); !raised)
        return raised.error();
    return {};
}

/// The primacy, or that nothing is missing any more: another has done it. False: neither.
Result<bool> wait_for_turn(const ConnectionSettings& settings, Primacy& primacy,
                           const std::function<void()>& waits,
                           const std::function<bool()>& gives_up,
                           const std::vector<Migration>& known) {
    std::optional<Connection> connection;
    Result<bool> is_complete = false;
    const auto is_over = [&] {
        if (!connection || connection->is_lost()) {
            connection.reset();
            if (auto opened = Connection::open(settings, "migrate"))
                connection.emplace(std::move(*opened));
        }
        if (connection) is_complete = is_migrated(*connection, known);
        if (!is_complete && is_complete.error().code == journeys::ErrorCode::storage_unavailable)
            is_complete = false; // It is asked again, as the primacy is.
        return !is_complete || *is_complete || gives_up();
    };
    if (primacy.acquire(waits, is_over)) return true;
    return is_complete;
}

} // namespace

Result<bool> bring_to_schema(const ConnectionSettings& settings, Primacy& primacy,
                             const std::function<void()>& waits,
                             const std::function<bool()>& gives_up,
                             const std::vector<Migration>& known) {
    auto patient = settings;
    patient.reply_timeout = 24h; // A migration may rewrite a big table, and must come to its end.
    {
        auto connection = Connection::open(patient, "migrate");
        if (!connection) return connection.error();
        if (auto added = migrate_additive(*connection, known); !added) return added.error();
        auto is_complete = is_migrated(*connection, known);
        if (!is_complete || *is_complete) return is_complete;
    }
    const auto may_go_on = wait_for_turn(settings, primacy, waits, gives_up, known);
    if (!may_go_on || !*may_go_on) return may_go_on;
    auto connection = Connection::open(patient, "migrate");
    if (!connection) return connection.error();
    const auto is_complete = is_migrated(*connection, known);
    if (!is_complete || *is_complete) return is_complete;
    if (auto shut = shut_owners_out(*connection, settings.instance); !shut) return shut.error();
    if (auto migrated = migrate(*connection, known); !migrated) return migrated.error();
    return true;
}

} // namespace runtime
