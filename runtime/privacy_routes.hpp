/// What operators ask about people's data: export, erasure, and requests that came through a shop.
#pragma once

#include "runtime/listener/request.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_requests.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>

namespace runtime {

/// All of it outlives the listener.
struct PrivacyRouteParts {
    PrivacyDesk& desk;
    PrivacyRequests& requests;
    boost::asio::thread_pool& workers;        ///< For what blocks, some of it long.
    std::function<void()> has_been_confirmed; ///< An erasure waits to be carried out.
};

Handlers make_privacy_routes(const PrivacyRouteParts& parts);

} // namespace runtime
