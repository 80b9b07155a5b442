/// What an operator does beside looking: channels, suppressions, the audit log, reports.
#pragma once

#include "actors/system.hpp"
#include "runtime/audit.hpp"
#include "runtime/channel_orders.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/publications.hpp"
#include "runtime/suppressions.hpp"
#include "runtime/walk_desk.hpp"
#include "runtime/watch_keeper.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace runtime {

/// All of it outlives the listener.
struct OperatorRouteParts {
    actors::System& system;
    Publications& publications;
    Suppressions& suppressions;
    Audit& audit;
    ChannelOrders& orders;
    WalkDesk& walks;
    std::string conninfo;
    boost::asio::thread_pool& workers; ///< For what blocks, some of it long.
    std::function<journeys::Timestamp()> now;
    /// Events that opened no run of a journey, by why, since the start.
    std::function<std::map<std::string, std::uint64_t>(const std::string& journey)> refused;
    WatchKeeper& watches;
    CouponKeeper& coupons;
};

Handlers make_operator_routes(const OperatorRouteParts& parts);

} // namespace runtime
