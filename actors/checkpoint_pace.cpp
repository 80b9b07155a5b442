#include "actors/checkpoint_pace.hpp"

namespace actors {

using journeys::Duration;
using journeys::Timestamp;

void CheckpointPace::start(Timestamp now) {
    window_began_ = asked_at_ = now;
    due_until_ = now - least_;
}

void CheckpointPace::flushed(Timestamp begun, Timestamp now) {
    busy_ += std::max(now - std::max(begun, window_began_), Duration{});
}

Timestamp CheckpointPace::due_until(Timestamp now, Timestamp begun) {
    if (now - window_began_ >= window_) end_window(now, begun);
    const auto passed = std::max(now - asked_at_, Duration{});
    asked_at_ = now;
    const auto moved = due_until_ + passed * speed_ / 2;
    due_until_ = std::max(due_until_, std::clamp(moved, now - most_, now - least_));
    return due_until_;
}

void CheckpointPace::end_window(Timestamp now, Timestamp begun) {
    if (begun != journeys::no_time) flushed(begun, now);
    const auto span = now - window_began_;
    if (busy_ * 2 > span)
        speed_ = 0;
    else if (busy_ * 4 > span)
        speed_ = 1;
    else if (busy_ * 8 > span)
        speed_ = 2;
    else
        speed_ = busy_ * 32 > span ? 4 : 32;
    busy_ = {};
    window_began_ = now;
}

} // namespace actors
