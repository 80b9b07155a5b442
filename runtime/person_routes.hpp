/// What people and providers reach without a key, because what they bring is signed: the links of
/// messages, `/u/{token}`, and reports, `/v1/feedback/{channel}`.
#pragma once

#include "actors/system.hpp"
#include "runtime/channels/http_channel.hpp"
#include "runtime/links.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/log.hpp"
#include "runtime/message_ledger.hpp"
#include "runtime/publications.hpp"
#include "runtime/report_desk.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <string>

namespace runtime {

/// All of it outlives the listener.
struct PersonRouteParts {
    actors::System& system;
    actors::EventLog& log;
    Publications& publications;
    MessageLedger& ledger;
    ReportDesk& desk;
    const Links& links;
    Log& notes;
    std::map<std::string, const Provider*> providers; ///< By channel.
    std::string public_url;
    boost::asio::thread_pool& workers; ///< For what blocks.
    std::function<journeys::Timestamp()> now;
    std::function<std::chrono::sys_seconds()> wall_clock;
};

Handlers make_person_routes(const PersonRouteParts& parts);

} // namespace runtime
