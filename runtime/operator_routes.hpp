/// What an operator does beside looking: channels, suppressions, the audit log, reports.
#pragma once

#include "actors/system.hpp"
#include "runtime/audit.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/publications.hpp"
#include "runtime/suppressions.hpp"
#include "runtime/walk_desk.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <string>

namespace runtime {

/// All of it outlives the listener.
struct OperatorRouteParts {
    actors::System& system;
    Publications& publications;
    Suppressions& suppressions;
    Audit& audit;
    WalkDesk& walks;
    std::string conninfo;
    boost::asio::thread_pool& workers; ///< For what blocks, some of it long.
    std::function<journeys::Timestamp()> now;
};

Handlers make_operator_routes(const OperatorRouteParts& parts);

} // namespace runtime
