#include "tests/bench/rearm_bench.hpp"

#include "actors/timer_wheel.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

using journeys::Timestamp;

constexpr double goal = 20;
constexpr auto span = std::chrono::minutes{45};
constexpr std::uint64_t rearms_per_milli = 20;
constexpr Timestamp start{std::chrono::hours{24 * 365 * 50}};

/// The instants at which waits began before the first round: each was met in the last 50 seconds.
class Beginnings {
public:
    explicit Beginnings(std::uint32_t waits)
        : since_(1, static_cast<int>(waits / rearms_per_milli + 1)) {}
    Timestamp next() { return start - journeys::Duration{since_(random_)}; }

private:
    std::mt19937_64 random_{7};
    std::uniform_int_distribution<int> since_;
};

/// What both sides are led through: who begins anew, and how late it is then.
template <class Waits> class Side {
public:
    explicit Side(std::uint32_t waits) : count_(waits), waits_(waits) {}

    /// Re-arms a second of CPU.
    double round(std::uint64_t rearms) {
        const auto cpu = thread_cpu();
        for (std::uint64_t i = 0; i < rearms; ++i) {
            if (++rearmed_ % rearms_per_milli == 0) {
                now_ += journeys::Duration{1};
                waits_.come_up(now_, [&](std::uint32_t, Timestamp) { ++too_early_; });
            }
            waits_.rearm(static_cast<std::uint32_t>(random_() % count_), now_ + span);
        }
        return static_cast<double>(rearms) / (thread_cpu() - cpu);
    }

    /// When each wait is over, once the clock has passed them all. Throws where one is over twice
    /// or never.
    std::vector<Timestamp> end() {
        std::vector<Timestamp> over(count_, journeys::no_time);
        std::size_t times = 0;
        for (const auto until = now_ + span; now_ < until;) {
            now_ += std::chrono::seconds{1};
            waits_.come_up(now_, [&](std::uint32_t wait, Timestamp due) {
                if (due > now_) ++too_early_;
                over[wait] = due;
                ++times;
            });
        }
        if (too_early_ != 0 || times != count_ || std::ranges::count(over, journeys::no_time) != 0)
            throw std::runtime_error{"rearm: a wait is over too early, twice or never"};
        return over;
    }

    Waits& waits() { return waits_; }

private:
    const std::uint32_t count_;
    Waits waits_;
    std::mt19937_64 random_{11};
    std::uint64_t rearmed_ = 0, too_early_ = 0;
    Timestamp now_ = start;
};

/// As a partition keeps the customers it has: a time, and the hint that stands for it.
class Hinted {
public:
    explicit Hinted(std::uint32_t count) : waits_(count) {
        // Hints of before lie spread over the span, for each is put right only when it comes up.
        Beginnings beginnings{count};
        std::mt19937_64 random{3};
        const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
        for (std::uint32_t i = 0; i < count; ++i) {
            auto& wait = waits_[i];
            wait.due = beginnings.next() + span;
            wait.armed = std::min(
                wait.due,
                start + journeys::Duration{
                            1 + static_cast<long>(random() % static_cast<std::uint64_t>(millis))});
            wheel_.add(wait.armed, i);
        }
    }

    void rearm(std::uint32_t index, Timestamp due) {
        waits_[index].due = due;
        arm(index);
    }

    template <class Over> void come_up(Timestamp now, Over over) {
        while (const auto hint = wheel_.pop(now)) {
            auto& wait = waits_[hint->key];
            if (wait.armed != hint->due) continue;
            ++come_up_;
            wait.armed = journeys::no_time;
            if (wait.due <= now)
                over(hint->key, std::exchange(wait.due, journeys::no_time));
            else
                arm(hint->key);
        }
    }

    std::uint64_t come_up_count() const { return come_up_; }

private:
    struct Wait {
        Timestamp due, armed;
    };
    void arm(std::uint32_t index) {
        auto& wait = waits_[index];
        if (wait.due >= wait.armed) return;
        wait.armed = wait.due;
        wheel_.add(wait.due, index);
    }

    std::vector<Wait> waits_;
    actors::TimerWheel<std::uint32_t> wheel_;
    std::uint64_t come_up_ = 0;
};

class Mapped {
public:
    explicit Mapped(std::uint32_t count) : places_(count) {
        Beginnings beginnings{count};
        for (std::uint32_t i = 0; i < count; ++i)
            places_[i] = waits_.emplace(beginnings.next() + span, i);
    }

    void rearm(std::uint32_t index, Timestamp due) {
        waits_.erase(places_[index]);
        places_[index] = waits_.emplace(due, index);
    }

    template <class Over> void come_up(Timestamp now, Over over) {
        while (!waits_.empty() && waits_.begin()->first <= now) {
            const auto [due, index] = *waits_.begin();
            waits_.erase(waits_.begin());
            over(index, due);
        }
    }

private:
    using Waits = std::multimap<Timestamp, std::uint32_t>;
    Waits waits_;
    std::vector<Waits::iterator> places_;
};

} // namespace

Figure bench_rearm(const RearmOptions& options) {
    const auto rearms = std::uint64_t{options.customers} * options.rearms_each;
    Side<Hinted> ours{options.customers};
    Side<Mapped> raw{options.customers};
    auto figure = compare(
        "re-arms of a wait", "million/s", options.rounds, [&] { return ours.round(rearms) / 1e6; },
        [&] { return raw.round(rearms) / 1e6; });
    const auto hints = static_cast<double>(ours.waits().come_up_count());
    if (ours.end() != raw.end())
        throw std::runtime_error{"rearm: waits are over at other instants than in a multimap"};
    figure.goal = ">= 20";
    figure.reached = figure.ratio.median >= goal;
    figure.details = {
        {"live waits", static_cast<double>(options.customers)},
        {"hints that came up, per re-arm", hints / static_cast<double>(rearms) / options.rounds}};
    return figure;
}

} // namespace bench
