/// What actors that are told of time say about it.
#pragma once

namespace actors {

/// Shared by a ticker and those whom it tells, all of one thread.
struct Pulse {
    bool is_busy = true; ///< Somebody had something to do at the last tick, or might have soon.
};

} // namespace actors
