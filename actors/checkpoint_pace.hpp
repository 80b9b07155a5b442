/// How old a change gets before it is written, where nobody waits for it.
#pragma once

#include "journeys/time.hpp"

#include <algorithm>

namespace actors {

/// Changes are written in the order in which they came, each once it is `least` old: rows are
/// written as evenly as customers change, and not all at once. While flushing takes more than a
/// quarter of the time they get older, up to `most`, so that more changes share a row: by half of
/// the time that passes, and by all of it where flushing takes more than half. Where it takes less
/// than an eighth the delay is made up for. What a flush waits for others while customers are
/// behind counts, too: then the processors are busy. Flushes without any such change do not count,
/// however many there are: what providers answer may take all the time and holds no change back.
class CheckpointPace {
public:
    CheckpointPace(journeys::Duration least, journeys::Duration most)
        : least_(least), most_(std::max(least, most)),
          window_(std::max(least / 5, journeys::Duration{1})) {}

    void start(journeys::Timestamp now);
    /// A flush ended at `now`, begun at `begun`.
    void flushed(journeys::Timestamp begun, journeys::Timestamp now);
    /// Changes up to this instant are due. Never goes back. `begun`: of the flush under way;
    /// `no_time`: there is none. Of any one clock, to be asked a few times a second of it.
    journeys::Timestamp due_until(journeys::Timestamp now, journeys::Timestamp begun);

private:
    void end_window(journeys::Timestamp now, journeys::Timestamp begun);

    journeys::Duration least_, most_;
    journeys::Duration window_; ///< Over which the share of flushing is taken.
    journeys::Timestamp window_began_{}, asked_at_{}, due_until_ = journeys::timestamp_min;
    journeys::Duration busy_{}; ///< Flushing, in the window under way.
    int speed_ = 2;             ///< Of `due_until_`, in halves of the clock's.
};

} // namespace actors
