#include "runtime/service.hpp"

#include "actors/system.hpp"
#include "runtime/archive.hpp"
#include "runtime/channel_orders.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "runtime/free_memory.hpp"
#include "runtime/interest_desk.hpp"
#include "runtime/log.hpp"
#include "runtime/log_and_store.hpp"
#include "runtime/open_decisions.hpp"
#include "runtime/poison_mark.hpp"
#include "runtime/postgres/former_owners.hpp"
#include "runtime/postgres/primacy.hpp"
#include "runtime/postgres/state_version.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_inbox.hpp"
#include "runtime/product_catalogue.hpp"
#include "runtime/product_codec.hpp"
#include "runtime/publications.hpp"
#include "runtime/publisher.hpp"
#include "runtime/recommendation_desk.hpp"
#include "runtime/reject_keeper.hpp"
#include "runtime/report_desk.hpp"
#include "runtime/service_channels.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_door.hpp"
#include "runtime/service_records.hpp"
#include "runtime/service_storage.hpp"
#include "runtime/stop_system.hpp"
#include "runtime/system_settings.hpp"
#include "runtime/tally.hpp"
#include "runtime/walk_desk.hpp"
#include "runtime/watch_keeper.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

/// Records on their way to customers, more than one or two commits give: then these are behind.
constexpr std::uint64_t records_behind = 512;

class ClockPacer final : public actors::Pacer {
public:
    explicit ClockPacer(const ServiceClock& clock) : clock_(clock) {}
    journeys::Timestamp now() const override { return clock_.now(); }

private:
    const ServiceClock& clock_;
};

} // namespace

/// In the order in which they are made; destroyed the other way round.
class Service::Parts {
public:
    explicit Parts(ServiceOptions given)
        : options(std::move(given)), clock(options.clock_speed), pacer(clock) {}

    /// False: it had to wait for the process that works, and gave up.
    Result<bool> open_storage();
    Result<Published> read_publications(const Files& files, std::vector<schema::Mistake>& mistakes);
    void make_tally();
    Result<void> open_records();
    void make_watches();
    Result<void> open_channels();
    void make_actors(Published first);
    Result<void> open_listener();
    /// Waits where another process works. False: it gave up.
    Result<bool> become_primary();
    void take_report(const std::string& channel, Report report);
    void keep_stopped(const std::string& channel);
    std::string why_not_ready() const;
    journeys::Duration shutdown_timeout() const {
        return options.shutdown_timeout.value_or(config.limits.shutdown_timeout);
    }
    bool stop();
    /// Of sessions beside the log and the store.
    std::string conninfo() const {
        return of_instance(storage->connection().conninfo, storage->connection().instance);
    }

    ServiceOptions options;
    schema::Config config;
    Log log;
    ServiceClock clock;
    ClockPacer pacer;
    std::unique_ptr<ServiceStorage> storage;
    std::optional<Archive> archive;
    std::optional<DeadLetters> dead_letters;
    std::optional<RejectKeeper> rejects;
    std::optional<PrivacyRequests> privacy;
    std::optional<ProductCatalogue> products;
    std::optional<CouponKeeper> coupons;
    std::optional<Publications> publications;
    std::shared_ptr<RecommendationDesk> recommendations;
    std::optional<Tally> tally;
    std::unique_ptr<ServiceRecords> records;
    std::optional<WatchKeeper> watches;
    Ownership ownership;
    std::optional<Primacy> primacy;
    std::atomic<bool> stands_by{false}, is_up{false};
    std::optional<LogAndStore> log_and_store;
    OpenDecisions open_decisions;
    std::optional<InterestDesk> interests;
    std::optional<WalkDesk> walks;
    std::unique_ptr<PoisonMarkFile> marks;
    std::unique_ptr<ServiceChannels> channels;
    std::optional<ReportDesk> reports;
    boost::asio::thread_pool archive_worker{1};
    boost::asio::thread_pool report_worker{1};   ///< Reports and links: they must not wait
    boost::asio::thread_pool operator_worker{2}; ///< behind an operator's long request.
    actors::Ports ports;
    std::optional<actors::System> system;
    std::optional<ChannelOrders> orders;
    std::optional<Publisher> publisher;
    std::optional<PrivacyDesk> privacy_desk;
    std::optional<PrivacyInbox> privacy_inbox;
    std::unique_ptr<Listener> listener;
};

Result<bool> Service::Parts::open_storage() {
    auto opened = ServiceStorage::open(options.config, config, log);
    if (!opened) return opened.error();
    storage = std::move(*opened);
    primacy.emplace(PrimacySettings{.connection = storage->connection()});
    auto prepared = storage->prepare(*primacy, options.gives_up);
    if (!prepared || !*prepared) return prepared;
    archive.emplace(conninfo());
    dead_letters.emplace(conninfo());
    privacy.emplace(conninfo());
    products.emplace(conninfo(), [this](std::string_view event) {
        const auto catalog = publications->newest();
        return std::ranges::any_of(catalog->entered_by(event), [](const auto* journey) {
            return journey->enter.interested.has_value();
        });
    });
    coupons.emplace(
        CouponKeeperParts{.conninfo = conninfo(),
                          .directory = options.config.parent_path(),
                          .now = [this] { return clock.now(); },
                          .show = [this](const std::string& pool,
                                         std::int64_t left) { tally->coupons_left(pool, left); },
                          .log = log});
    RejectKeeper::Limits keeping;
    keeping.age_max = config.limits.rejects_for;
    keeping.rows_max = config.limits.rejects;
    rejects.emplace(
        conninfo(), keeping, [this] { return clock.now(); }, log);
    return true;
}

Result<Published> Service::Parts::read_publications(const Files& files,
                                                    std::vector<schema::Mistake>& mistakes) {
    recommendations = std::make_shared<RecommendationDesk>(
        config.settings.session_idle, journeys::lookup_in(products->shelf()), log);
    publications.emplace(options.config.parent_path(), products->shelf(), recommendations,
                         coupons->source());
    return first_publication(files, *archive, *publications, clock, log, mistakes);
}

void Service::Parts::make_tally() {
    std::function<void(const std::string&)> show;
    if (options.show_triggers)
        show = [](const std::string& line) {
            std::printf("%s\n", line.c_str());
            std::fflush(stdout);
        };
    tally.emplace(partition_count, log, std::move(show), config.settings.timezone);
}

Result<void> Service::Parts::open_records() {
    auto opened = ServiceRecords::open(conninfo(), config, clock, log);
    if (!opened) return opened.error();
    records = std::move(*opened);
    return {};
}

void Service::Parts::make_watches() {
    watches.emplace(WatchKeeperParts{.conninfo = conninfo(),
                                     .now = [this] { return clock.now(); },
                                     .catalog = [this] { return publications->newest(); },
                                     .show =
                                         [this](const WatchState& state) {
                                             tally->watched(state.journey, state.day.sent,
                                                            state.day.share_not_sent(),
                                                            journeys::to_text(state.alarm));
                                         },
                                     .log = log});
    tally->also([this](const actors::FlushRequest& request) {
        records->flushed(request);
        watches->flushed(request);
        recommendations->flushed(request);
    });
}

Result<void> Service::Parts::open_channels() {
    auto opened =
        ServiceChannels::open({.config = config,
                               .clock = clock,
                               .archive = *archive,
                               .suppressions = records->suppressions(),
                               .links = records->links(),
                               .report = [this](const std::string& channel, Report report) {
                                   take_report(channel, std::move(report));
                               }});
    if (!opened) return opened.error();
    channels = std::move(*opened);
    ports.channels = channels->by_name();
    return {};
}

void Service::Parts::take_report(const std::string& channel, Report report) {
    boost::asio::post(report_worker, [this, channel, report = std::move(report)] {
        reports->take(channel, {report}, [this, channel](const Result<ReportDesk::Taken>& taken) {
            if (!taken)
                log.repeated_warning("what an answer said of an address is lost",
                                     {{"channel", channel}, {"why", taken.error().detail}});
        });
    });
}

/// The channel has paused by itself; the next process is to know it, too.
void Service::Parts::keep_stopped(const std::string& channel) {
    records->note("service", "channel.paused", "channel " + channel, "its provider is gone");
    const auto kept =
        orders->give(channel, actors::ChannelCommand::pause, [](const actors::ChannelCounts&) {});
    if (!kept)
        log.warning("a channel has paused only until a restart",
                    {{"channel", channel}, {"why", kept.error().detail}});
}

void Service::Parts::make_actors(Published first) {
    const auto now = [this] { return clock.now(); };
    const auto catalog = [this] { return publications->newest(); };
    log_and_store.emplace(storage->connection(), config, clock, ownership);
    auto& event_log = log_and_store->log();
    reports.emplace(ReportDeskParts{.ledger = records->ledger(),
                                    .suppressions = records->suppressions(),
                                    .log = event_log,
                                    .catalog = catalog,
                                    .now = now});
    interests.emplace(conninfo(), log);
    walks.emplace(WalkDeskParts{.conninfo = conninfo(),
                                .interests = *interests,
                                .log = log,
                                .catalog = catalog,
                                .now = now});
    tally->also_of_records(
        [this](const std::vector<journeys::RecordPtr>& seen) { interests->received(seen); });

    tally->also_of_stops([this](const std::string& channel) {
        boost::asio::post(operator_worker, [this, channel] { keep_stopped(channel); });
    });

    ports.log = &event_log;
    ports.store = &log_and_store->store();
    ports.walks = &*walks;
    ports.catalogs = &*publications;
    ports.pacer = &pacer;
    ports.observer = &*tally;
    ports.encode = product_codec().encode;
    ports.trim = give_memory_back;
    system.emplace(ports, system_settings(config, clock.speed()));
    log_and_store->gather_while(
        [credit = system->shared_credit()] { return credit->in_flight() > records_behind; });
    orders.emplace(
        ChannelOrderParts{.conninfo = conninfo(), .system = *system, .now = now, .log = log});

    publisher.emplace(PublisherParts{.config_file = options.config,
                                     .config = config,
                                     .conninfo = conninfo(),
                                     .clock = clock,
                                     .log = log,
                                     .archive = *archive,
                                     .publications = *publications,
                                     .event_log = event_log,
                                     .records = *records,
                                     .interests = *interests,
                                     .sweep = log_and_store->sweep(),
                                     .coupons = *coupons,
                                     .watches = *watches,
                                     .use_keys =
                                         [this](const std::vector<schema::ApiKey>& keys) {
                                             if (listener) listener->use_keys(keys_of(keys));
                                         }},
                      std::move(first));
    std::map<std::string, const schema::ShopMap*> shops;
    for (const auto& source : config.sources)
        shops.emplace(source.name, schema::find_shop(source.type));
    privacy_desk.emplace(PrivacyParts{.conninfo = conninfo(),
                                      .system = *system,
                                      .log = event_log,
                                      .suppressions = records->suppressions(),
                                      .audit = records->audit(),
                                      .requests = *privacy,
                                      .shops = std::move(shops),
                                      .catalog = catalog,
                                      .now = now,
                                      .partitions = partition_count});
    privacy_inbox.emplace(PrivacyInboxParts{.requests = *privacy,
                                            .desk = *privacy_desk,
                                            .records = *records,
                                            .clock = clock,
                                            .log = log});
}

Result<bool> Service::Parts::become_primary() {
    const auto say_so = [this] {
        stands_by = true;
        log.info("standby: another process works on this database");
    };
    if (!primacy->acquire(say_so, options.gives_up)) return false;
    auto connection = Connection::open(storage->connection(), "state_version");
    if (!connection) return connection.error();
    if (auto ended = end_former_owners(*connection, storage->connection().instance); !ended)
        return ended.error();
    if (auto claimed = claim_state_version(*connection); !claimed) return claimed.error();
    if (stands_by)
        if (auto caught_up = publisher->catch_up(); !caught_up) return caught_up.error();
    if (auto loaded = products->load(); !loaded) return loaded.error();
    if (auto read = records->suppressions().read(); !read) return read.error();
    const auto newest = archive->newest_instant();
    if (!newest) return newest.error();
    clock.start_no_earlier_than(*newest);
    if (auto begun = coupons->begin(publisher->pools()); !begun) return begun.error();
    if (auto begun = watches->begin(); !begun) return begun.error();
    // Until now they were another's.
    marks = open_marks(data_folder(options.config, config), partition_count, log);
    if (marks) {
        ports.mark = marks.get();
        ports.poison = marks->poison();
    }
    interests->listen(*publications->newest());
    if (auto begun = orders->begin(); !begun) return begun.error();
    system->start();
    if (stands_by.exchange(false)) log.info("standby: taking over");
    if (auto announced = publisher->announce(*publications->newest()); !announced)
        return announced.error();
    log_and_store->sweep().begin(publications->newest()->wake_reason());
    interests->begin(publications->newest());
    recommendations->remember(conninfo());
    publisher->begin();
    privacy_inbox->begin();
    is_up = true;
    return true;
}

std::string Service::Parts::why_not_ready() const {
    if (stands_by) return "standby: another process works on this database";
    if (!is_up) return "starting";
    if (!log_and_store) return "storage is not reachable";
    return log_and_store->why_not_ready();
}

Result<void> Service::Parts::open_listener() {
    auto opened = open_door({.config = config,
                             .data_folder = data_folder(options.config, config),
                             .conninfo = conninfo(),
                             .clock = clock,
                             .log = log,
                             .system = *system,
                             .event_log = log_and_store->log(),
                             .publications = *publications,
                             .archive = *archive,
                             .dead_letters = *dead_letters,
                             .rejects = *rejects,
                             .records = *records,
                             .reports = *reports,
                             .channels = *channels,
                             .orders = *orders,
                             .privacy_requests = *privacy,
                             .privacy_desk = *privacy_desk,
                             .privacy_inbox = *privacy_inbox,
                             .products = *products,
                             .coupons = *coupons,
                             .watches = *watches,
                             .walks = *walks,
                             .decisions = open_decisions,
                             .recommendations = recommendations,
                             .tally = *tally,
                             .is_up = [this] { return is_up.load(); },
                             .not_ready = [this] { return why_not_ready(); },
                             .reload = [this] { return publisher->reload(); },
                             .archive_worker = archive_worker,
                             .report_worker = report_worker,
                             .operator_worker = operator_worker});
    if (!opened) return opened.error();
    listener = std::move(*opened);
    return {};
}

bool Service::Parts::stop() {
    publisher->stop();
    watches->stop();
    coupons->stop();
    privacy_inbox->stop();
    const auto patience = shutdown_timeout();
    const auto until = std::chrono::steady_clock::now() + patience;
    if (listener) listener->stop(patience / 2);
    // All that the listener did not need: a million changed customers may take it.
    const bool ended = !system || stop_system(*system, until);
    if (!ended) {
        log.error("stopping took too long; what is acknowledged is in the log");
        return false;
    }
    listener.reset();
    channels->finish_sandboxes();
    archive_worker.join();
    report_worker.join();
    operator_worker.join();
    records->stop();
    channels->end_calls();
    if (walks) walks->stop();
    if (interests) interests->stop();
    log_and_store.reset();
    rejects.reset();
    privacy.reset();
    dead_letters.reset();
    primacy.reset();
    recommendations->stop();
    archive.reset();
    storage->stop();
    return true;
}

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::start(const ServiceOptions& options,
                                                std::vector<schema::Mistake>& mistakes) {
    auto parts = std::make_unique<Parts>(options);
    const auto files = read_files(options.config, std::nullopt);
    if (!files) return files.error();
    CompileOptions compiling;
    compiling.directory = options.config.parent_path();
    auto compiled = compile(*files, compiling);
    if (!compiled.catalog) {
        mistakes = std::move(compiled.mistakes);
        return Error{ErrorCode::invalid_journey, "the configuration has mistakes"};
    }
    parts->config = *compiled.config;
    if (options.port) parts->config.listen.port = *options.port;
    mistakes = schema::check_exposure(parts->config, options.config.string());
    if (!mistakes.empty())
        return Error{ErrorCode::invalid_argument,
                     "the demo key must not be reachable from outside"};

    const auto& listen = parts->config.listen;
    if (auto free = check_port(listen.address, listen.port); !free) return free.error();
    const auto opened_storage = parts->open_storage();
    if (!opened_storage) return opened_storage.error();
    if (!*opened_storage) return std::unique_ptr<Service>{};
    auto first = parts->read_publications(*files, mistakes);
    if (!first) return first.error();
    parts->make_tally();
    if (auto opened = parts->open_records(); !opened) return opened.error();
    parts->make_watches();
    const auto catalog = parts->publications->newest();
    parts->records->note("service", "config.loaded",
                         "publication " + std::to_string(catalog->publication()),
                         std::to_string(catalog->journeys().size()) + " journeys; start");
    if (auto opened = parts->open_channels(); !opened) return opened.error();
    parts->make_actors(std::move(*first));
    const auto finish = [&]() -> Result<bool> {
        if (auto opened = parts->open_listener(); !opened) return opened.error();
        return parts->become_primary();
    };
    const auto finished = finish();
    if (finished && !*finished) {
        if (!parts->stop()) std::_Exit(3);
        return std::unique_ptr<Service>{};
    }
    if (!finished) {
        if (parts->stop()) return finished.error();
        std::fprintf(stderr, "sojourn: %s\n", finished.error().detail.c_str());
        std::_Exit(3); // The environment is at fault, and something of ours hangs on it.
    }
    parts->log.info("ready", {{"address", parts->config.listen.address},
                              {"port", parts->listener->port()},
                              {"journeys", parts->publications->newest()->journeys().size()}});
    return std::unique_ptr<Service>{new Service{std::move(parts)}};
}

std::uint16_t Service::port() const { return parts_->listener->port(); }
const std::string& Service::data_dir() const { return parts_->storage->data_dir(); }
std::string Service::reload() { return parts_->publisher->reload().said; }
void Service::learn() { parts_->publisher->learn(); }
void Service::fit() { parts_->publisher->fit(); }
bool Service::has_been_replaced() const { return parts_->ownership.has_lost(); }
bool Service::stop() { return parts_->stop(); }
journeys::Duration Service::shutdown_timeout() const { return parts_->shutdown_timeout(); }

} // namespace runtime
