/// A proxy between the service and PostgreSQL, or the service and a provider, that does to the
/// bytes what networks do at their worst.
#pragma once

#include "tests/faults/loop.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace faults {

/// How bytes are treated from now on, on open connections and on new ones.
struct Weather {
    enum class Way {
        open,
        black_hole, ///< Connections stay and are accepted; nothing goes through.
        /// Open connections go on. Nobody listens on a port; at a socket of PostgreSQL new
        /// connections are closed at once.
        refuse,
    } way = Way::open;
    std::chrono::milliseconds delay{0}; ///< Of every piece, in both directions.
    std::size_t bytes_per_second = 0;   ///< 0: as many as come.
};

class Proxy {
public:
    /// A unix socket in `folder`, as libpq looks for it, before the one in `server_folder`.
    static std::unique_ptr<Proxy> before_postgres(Loop& loop, const std::filesystem::path& folder,
                                                  const std::filesystem::path& server_folder);
    /// A port of its own before another port of this host.
    static std::unique_ptr<Proxy> before_port(Loop& loop, std::uint16_t port);

    explicit Proxy(Loop& loop);
    ~Proxy(); ///< Ends all connections.
    Proxy(const Proxy&) = delete;

    std::uint16_t port() const; ///< Of `before_port`.
    void set(Weather weather);
    /// Ends every connection with a reset. `role`: only those of PostgreSQL whose application_name
    /// carries it (`journal`, `flush`, `load`, …); empty: all.
    void reset_all(const std::string& role = {});
    /// The next `count` commits of connections of `role` go through, and their replies are lost:
    /// the connection is reset instead.
    void lose_commit_replies(int count, const std::string& role);
    int lost_commit_replies() const;
    std::size_t connections() const;

    struct Shared;

private:
    Loop& loop_;
    std::shared_ptr<Shared> shared_;
};

} // namespace faults
