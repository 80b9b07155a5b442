/// What nobody can avoid who takes events durably, and no more: a WebSocket frame, its JSON parsed,
/// its messages copied into PostgreSQL in a group commit, a cumulative ack. No actors, no state.
#pragma once

#include "journeys/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class BarePipeline {
public:
    /// On a database that holds nothing yet. Takes connections at any path and with any key.
    static journeys::Result<std::unique_ptr<BarePipeline>> start(const std::string& conninfo);
    ~BarePipeline();

    std::uint16_t port() const;
    /// Rows that are in the table; then none are, so that the disk stays small. Between loads only.
    std::uint64_t count_and_clear();

private:
    class Implementation;
    explicit BarePipeline(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

} // namespace bench
