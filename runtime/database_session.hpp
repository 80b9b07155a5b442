/// A connection of libpqxx for what is not on the path of an event. For .cpp files only.
#pragma once

#include "journeys/result.hpp"

#include <pqxx/pqxx>

#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace runtime {

/// `conninfo` with bounds on how long a host that is gone is waited for, where it names none: 10 s
/// to connect, 15 s for what is sent to arrive. A text that libpq cannot read comes back as it is.
std::string with_deadlines(const std::string& conninfo);

/// `conninfo` for sessions that whoever takes over from `instance` is to end, as it ends the other
/// connections: their transactions may be stuck, too. A text that libpq cannot read comes back as
/// it is.
std::string of_instance(const std::string& conninfo, const std::string& instance);

/// One connection, opened when it is needed and again after it broke. Any thread, one call at a
/// time.
class DatabaseSession {
public:
    explicit DatabaseSession(std::string conninfo) : conninfo_(std::move(conninfo)) {}

    /// `work(pqxx::work&)` in a transaction of its own, and what it gives; a second time where the
    /// connection turns out to be broken, and again where PostgreSQL has rolled it back for the
    /// sake of another. `storage_unavailable` for whatever goes wrong.
    template <class Work>
    auto run(Work work) -> journeys::Result<decltype(work(std::declval<pqxx::work&>()))> {
        using journeys::Error;
        using journeys::ErrorCode;
        const std::scoped_lock lock{mutex_};
        for (int attempt = 0;; ++attempt) {
            try {
                if (!connection_) connection_.emplace(with_deadlines(conninfo_));
                pqxx::work transaction{*connection_};
                if constexpr (std::is_void_v<decltype(work(transaction))>) {
                    work(transaction);
                    transaction.commit();
                    return {};
                } else {
                    auto result = work(transaction);
                    transaction.commit();
                    return result;
                }
            } catch (
                const pqxx::broken_connection& failure) { // The border: libpqxx throws, we return.
                connection_.reset();
                if (attempt > 0) return Error{ErrorCode::storage_unavailable, failure.what()};
            } catch (const pqxx::transaction_rollback& failure) { // A deadlock, say with a flush.
                if (attempt >= rollbacks_max)
                    return Error{ErrorCode::storage_unavailable, failure.what()};
            } catch (const std::exception& failure) {
                return Error{ErrorCode::storage_unavailable, failure.what()};
            }
        }
    }

private:
    static constexpr int rollbacks_max = 5;

    std::string conninfo_;
    std::mutex mutex_;
    std::optional<pqxx::connection> connection_; ///< Guarded by `mutex_`.
};

} // namespace runtime
