/// What a running service has published, and what makes it publish anew: edited files, what was
/// learned of decisions, models that were fitted.
///
///   SIGHUP, POST /admin/reload ──► reload ──┐
///   every `models.learn_every` ──► learn ───┼──► Publications, Archive, log ──► who else hears
///   every `models.fit_every` ──► fit ───────┘
///   every hour: what was learned and has been replaced since goes, after its time
#pragma once

#include "actors/ports.hpp"
#include "journeys/result.hpp"
#include "runtime/archive.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/interest_desk.hpp"
#include "runtime/log.hpp"
#include "runtime/periodic.hpp"
#include "runtime/postgres/wake_sweep.hpp"
#include "runtime/publication.hpp"
#include "runtime/publications.hpp"
#include "runtime/reload.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_records.hpp"
#include "runtime/watch_keeper.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// What is in force, as texts, and the pools of codes that they name.
struct Published {
    Files files;
    std::map<std::string, schema::CouponPool> pools;
};

/// The first of a service: `files` with what the stored publications have learned, and those beside
/// it. On failure `mistakes` may hold those of the files.
journeys::Result<Published> first_publication(const Files& files, Archive& archive,
                                              Publications& publications, const ServiceClock& clock,
                                              Log& log, std::vector<schema::Mistake>& mistakes);

/// All of it outlives the publisher.
struct PublisherParts {
    std::filesystem::path config_file;
    const schema::Config& config;
    std::string conninfo;
    const ServiceClock& clock;
    Log& log;
    Archive& archive;
    Publications& publications;
    actors::EventLog& event_log;
    ServiceRecords& records;
    // Who else hears of a publication:
    InterestDesk& interests;
    WakeSweep& sweep;
    CouponKeeper& coupons;
    WatchKeeper& watches;
    /// Lets these keys in from now on, and no others.
    std::function<void(const std::vector<schema::ApiKey>& keys)> use_keys;
};

/// Blocking; any thread.
class Publisher {
public:
    Publisher(PublisherParts parts, Published first);

    /// Those of the first publication.
    const std::map<std::string, schema::CouponPool>& pools() const { return first_pools_; }
    /// Another process has worked meanwhile: what it has published is read, and what it has learned
    /// is gone on from. Before `begin`.
    journeys::Result<void> catch_up();
    /// Tells every partition of this publication. `fenced` where another process has taken over.
    journeys::Result<void> announce(const journeys::Catalog& catalog);
    /// This process works: learns, fits and tidies up from here on, each in its own time.
    void begin();
    /// Does nothing by itself any more; waits for what is being done.
    void stop();

    /// Reads the files again and publishes them where they have changed. Mistakes are logged, and
    /// what runs stays. What came of it is logged, too.
    Reload reload();
    /// Learns from the decisions that have settled since the last time, of what runs: edits of
    /// files count from their own reload on.
    void learn();
    /// Fits the models of purchases to the service's customers, writes them into their file, and
    /// publishes what runs with them in place of those before: edits of files, the models' own
    /// among them, count from their own reload on.
    void fit();

private:
    /// `why`: for the log.
    Reload publish(Files files, std::string_view why);
    /// Lets other keys in where they have changed, and names what needs a restart; in words, empty
    /// where there is neither.
    std::string use_settings(const Files& files);
    /// Versions of what was learned go after their time.
    void prune();

    const PublisherParts parts_;
    const std::map<std::string, schema::CouponPool> first_pools_;
    std::mutex publishing_; ///< One at a time.
    Files published_;       ///< What runs; guarded by `publishing_` from `begin` on, as is `keys_`.
    std::vector<schema::ApiKey> keys_;
    const schema::Config begun_;                           ///< As the files had it at the start.
    std::optional<Periodic> fitting_, learning_, pruning_; ///< Last: they use all the others.
};

} // namespace runtime
