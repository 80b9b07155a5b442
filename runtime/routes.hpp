/// The paths beside those of producers: customers, journeys, the page.
#pragma once

#include "actors/system.hpp"
#include "runtime/archive.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/pages.hpp"
#include "runtime/publications.hpp"
#include "runtime/reload.hpp"
#include "runtime/suppressions.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>

namespace runtime {

/// All of it outlives the listener.
struct RouteParts {
    actors::System& system;
    Publications& publications;
    Archive& archive;
    DeadLetters& dead_letters;
    const Suppressions& suppressions;
    boost::asio::thread_pool&
        workers; ///< For what blocks: one thread, so that the archive is asked in turn.
    std::function<journeys::Timestamp()> now;
    std::function<Overview()> overview; ///< Without triggers; cheap.
    std::function<void(std::function<void(const Reload&)> done)> reload;
    bool is_open = false; ///< The page asks for no key on this machine itself.
};

Handlers make_routes(const RouteParts& parts);

} // namespace runtime
