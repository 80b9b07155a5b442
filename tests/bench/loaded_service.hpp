/// A whole service under load, of whose events every one is accounted for.
#pragma once

#include "tests/bench/live_service.hpp"
#include "tests/bench/produce.hpp"

namespace bench {

/// What one load has cost and given.
struct LoadRun {
    Produced sent;
    double applied_after = 0;     ///< Seconds from the first frame until all was applied.
    double cpu = 0, postgres = 0; ///< Seconds until all is in snapshots; `cpu` without the
                                  ///< producer's, `postgres` is a part of it.

    double events() const { return static_cast<double>(sent.accepted); }
    double cpu_micros() const { return cpu / events() * 1e6; }
    double postgres_micros() const { return postgres / events() * 1e6; }
    /// Events a second that can be kept up. Snapshots are written later, so what was applied in
    /// time is not all of the work: no more than all cores do, the producer's share included.
    double sustained_rate() const;
};

/// Sends to that port; whose CPU is not to count is in `Produced::cpu`.
using SendLoad = std::function<Produced(std::uint16_t port)>;

class LoadedService {
public:
    /// As `LiveService`.
    LoadedService(const std::filesystem::path& config, const std::filesystem::path& folder,
                  const std::function<void(std::string&)>& change = {});

    /// Until all that was sent is applied and in snapshots. Throws where a message was refused,
    /// lost, doubled or parked.
    LoadRun run(const Producing& producing, const MakeFrame& make);
    LoadRun run(const SendLoad& send);
    /// The customers of `load`, so that nearly all are active afterwards: two messages for each,
    /// in frames of 100, or `messages_max`.
    void bring_in(Load& load, std::uint32_t customers, std::size_t messages_max);

    const LiveService& service() const { return service_; }

private:
    LiveService service_;
    double all_ = 0;
};

/// Frames of that load, by the wall clock.
MakeFrame frames_of(Load& load);

} // namespace bench
