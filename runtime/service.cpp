#include "runtime/service.hpp"

#include "actors/system.hpp"
#include "runtime/archive.hpp"
#include "runtime/audit_keeper.hpp"
#include "runtime/batch_writer.hpp"
#include "runtime/channels/http_channel.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/sandbox.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/database.hpp"
#include "runtime/decide_route.hpp"
#include "runtime/fit_schedule.hpp"
#include "runtime/free_memory.hpp"
#include "runtime/interest_desk.hpp"
#include "runtime/links.hpp"
#include "runtime/listener/listener.hpp"
#include "runtime/log.hpp"
#include "runtime/message_ledger.hpp"
#include "runtime/open_decisions.hpp"
#include "runtime/operator_routes.hpp"
#include "runtime/person_routes.hpp"
#include "runtime/poison_mark.hpp"
#include "runtime/postgres/event_log.hpp"
#include "runtime/postgres/primacy.hpp"
#include "runtime/postgres/state_version.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/postgres/transfer_mover.hpp"
#include "runtime/postgres/wake_sweep.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_clerk.hpp"
#include "runtime/privacy_routes.hpp"
#include "runtime/product_catalogue.hpp"
#include "runtime/product_codec.hpp"
#include "runtime/product_route.hpp"
#include "runtime/publication_upkeep.hpp"
#include "runtime/publications.hpp"
#include "runtime/recommendation_desk.hpp"
#include "runtime/reject_keeper.hpp"
#include "runtime/report_desk.hpp"
#include "runtime/retention.hpp"
#include "runtime/reward_learning.hpp"
#include "runtime/routes.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_storage.hpp"
#include "runtime/stop_system.hpp"
#include "runtime/suppressions.hpp"
#include "runtime/system_settings.hpp"
#include "runtime/tally.hpp"
#include "runtime/walk_desk.hpp"
#include "runtime/watch_keeper.hpp"
#include "schema/record_codec.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <atomic>

#include <cstdio>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

constexpr auto take_over_patience = std::chrono::seconds{60};
constexpr std::size_t kept_waiting_max = 10'000;
/// So many checkpoints after it was applied a reward is on the timeline, as a rule. One that is
/// told of at the last moment, under load, is missed by what is learned; none is counted twice.
constexpr int checkpoints_of_delay = 2;
constexpr auto pruned_every = std::chrono::hours{1};

/// Whether the port can be had, asked before anything else is started. 0 is any port.
Result<void> check_port(const std::string& address, std::uint16_t port) {
    using boost::asio::ip::tcp;
    boost::system::error_code error;
    boost::asio::io_context context;
    const auto where =
        boost::asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
    if (error) return Error{ErrorCode::unavailable, address + " is no address to listen on"};
    tcp::acceptor acceptor{context};
    acceptor.open(where.is_v6() ? tcp::v6() : tcp::v4(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind({where, port}, error);
    if (!error) acceptor.listen(1, error);
    if (error)
        return Error{ErrorCode::unavailable, "cannot listen on " + address + ":" +
                                                 std::to_string(port) + ": " + error.message()};
    return {};
}

class ClockPacer final : public actors::Pacer {
public:
    explicit ClockPacer(const ServiceClock& clock) : clock_(clock) {}
    journeys::Timestamp now() const override { return clock_.now(); }

private:
    const ServiceClock& clock_;
};

std::vector<runtime::Scope> scopes_of(const schema::ApiKey& key) {
    std::vector<runtime::Scope> scopes;
    if (key.may(schema::KeyScope::ingest)) scopes.push_back(Scope::ingest);
    if (key.may(schema::KeyScope::decide)) scopes.push_back(Scope::decide);
    if (key.may(schema::KeyScope::admin)) scopes.push_back(Scope::admin);
    return scopes;
}

bool is_loopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

std::string_view status_text(journeys::Status status) {
    switch (status) {
    case journeys::Status::draft: return "draft";
    case journeys::Status::test: return "test";
    case journeys::Status::live: return "live";
    case journeys::Status::closed: return "closed";
    case journeys::Status::paused: return "paused";
    case journeys::Status::archived: return "archived";
    }
    return "";
}

} // namespace

/// In the order in which they are made; destroyed the other way round.
class Service::Parts {
public:
    explicit Parts(ServiceOptions given)
        : options(std::move(given)), clock(options.clock_speed), pacer(clock) {}

    Result<void> open_storage();
    Result<void> read_publications(const Files& files, std::vector<schema::Mistake>& mistakes);
    Result<void> open_records();
    Result<void> open_channels();
    /// What an operator or the service itself did, into the audit log.
    void note(std::string actor, std::string action, std::string subject, std::string detail);
    void make_actors();
    /// Waits where another process works. False: it gave up.
    Result<bool> become_primary();
    void open_marks();
    Result<void> publish(const journeys::Catalog& catalog);
    Result<void> open_listener();
    Overview overview() const;
    std::string why_not_ready() const;
    ProviderSettings provider_settings(const schema::ChannelConfig& channel) const;
    ChannelHooks channel_hooks(const schema::ChannelConfig& channel);
    struct KeptInSandbox {
        actors::ProviderRequest request;
        std::function<void(Result<void>)> done;
    };
    void write_sandbox(std::vector<KeptInSandbox> batch);
    void reload();
    /// Publishes `files`; `why`: for the log.
    void publish_files(Files files, std::string_view why);
    void learn();
    /// Versions of what was learned go after their time.
    void prune();
    void start_fitting();
    Result<void> keep_request(const schema::PrivacyRequest& request, const std::string& source);
    void wake_clerk();
    bool stop();
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
    std::unique_ptr<Suppressions> suppressions;
    std::optional<Audit> audit;
    std::optional<AuditKeeper> audit_keeper;
    std::optional<MessageLedger> ledger;
    std::optional<Links> links;
    std::optional<Retention> retention;
    std::optional<Tally> tally;
    std::optional<WatchKeeper> watches;
    Ownership ownership;
    std::optional<Primacy> primacy;
    std::atomic<bool> stands_by{false}, is_up{false};
    std::optional<PostgresEventLog> event_log;
    std::optional<TransferMover> mover;
    std::optional<WakeSweep> sweep;
    std::optional<FitSchedule> fit_schedule;
    std::optional<Periodic> learning, pruning;
    OpenDecisions open_decisions;
    std::optional<PostgresStore> store;
    std::optional<InterestDesk> interests;
    std::optional<WalkDesk> walks;
    std::unique_ptr<PoisonMarkFile> marks;
    std::optional<HttpClient> http;
    std::vector<std::unique_ptr<actors::Channel>> channels;
    std::map<std::string, const Provider*> providers; ///< By channel; those of `channels`.
    std::optional<ReportDesk> desk;
    boost::asio::thread_pool sandbox_worker{1};
    boost::asio::thread_pool archive_worker{1};
    boost::asio::thread_pool report_worker{1};   ///< Reports and links: they must not wait
    boost::asio::thread_pool operator_worker{2}; ///< behind an operator's long request.
    BatchWriter<KeptInSandbox> sandbox{sandbox_worker, kept_waiting_max,
                                       [this](auto batch) { write_sandbox(std::move(batch)); }};
    actors::Ports ports;
    std::optional<actors::System> system;
    std::optional<PrivacyDesk> privacy_desk;
    std::mutex clerk_mutex;
    std::optional<PrivacyClerk> clerk; ///< Guarded by `clerk_mutex`; while this process works.
    std::unique_ptr<Listener> listener;

    std::mutex reloading; ///< One reload at a time.
    Files published;      ///< What runs; guarded by `reloading` once the service is up.
    std::map<std::string, schema::CouponPool> pools; ///< Of `published`, until the service works.
};

Result<void> Service::Parts::open_storage() {
    auto opened = ServiceStorage::open(options.config, config, log);
    if (!opened) return opened.error();
    storage = std::move(*opened);
    const auto& conninfo = storage->connection().conninfo;
    archive.emplace(conninfo);
    dead_letters.emplace(conninfo);
    privacy.emplace(conninfo);
    products.emplace(conninfo, [this](std::string_view event) {
        const auto catalog = publications->newest();
        return std::ranges::any_of(catalog->entered_by(event), [](const auto* journey) {
            return journey->enter.interested.has_value();
        });
    });
    coupons.emplace(
        CouponKeeperParts{.conninfo = conninfo,
                          .directory = options.config.parent_path(),
                          .now = [this] { return clock.now(); },
                          .show = [this](const std::string& pool,
                                         std::int64_t left) { tally->coupons_left(pool, left); },
                          .log = log});
    RejectKeeper::Limits keeping;
    keeping.age_max = config.limits.rejects_for;
    keeping.rows_max = config.limits.rejects;
    rejects.emplace(
        conninfo, keeping, [this] { return clock.now(); }, log);
    return {};
}

Result<void> Service::Parts::open_records() {
    const auto suppression_key = service_key(storage->connection().conninfo, "suppressions");
    if (!suppression_key) return suppression_key.error();
    const auto link_key = service_key(storage->connection().conninfo, "links");
    if (!link_key) return link_key.error();
    auto opened = Suppressions::open(storage->connection().conninfo, *suppression_key);
    if (!opened) return opened.error();
    suppressions = std::move(*opened);
    audit.emplace(storage->connection().conninfo);
    audit_keeper.emplace(*audit, *suppressions, log);
    ledger.emplace(storage->connection().conninfo);
    const auto& listen = config.listen;
    links.emplace(config.public_url.empty()
                      ? "http://" + listen.address + ':' + std::to_string(listen.port)
                      : config.public_url,
                  *link_key);
    const auto& kept = config.retention;
    retention.emplace(
        storage->connection().conninfo,
        std::vector<RetentionRule>{
            {"timeline", "at", paced(kept.timeline, clock.speed())},
            {"sandbox_messages", "at", paced(kept.sandbox, clock.speed())},
            {"walks", "over_at", paced(kept.outbox, clock.speed())},
            {"learned_versions", "published_at", paced(kept.timeline, clock.speed())},
            {"outbox", "updated_at", paced(kept.outbox, clock.speed()),
             "state NOT IN ('pending', 'claimed')"}},
        [this] { return clock.now(); }, log);
    // The newest hash, so that an end that was cut off can be told from this line. Whether all of
    // it is unbroken is asked by `sojourn audit verify`, for that reads the whole.
    const auto newest = audit->newest(1);
    if (!newest) return newest.error();
    if (!newest->empty())
        log.info("audit log", {{"entries", newest->front().id}, {"head", newest->front().hash}});
    return {};
}

void Service::Parts::note(std::string actor, std::string action, std::string subject,
                          std::string detail) {
    AuditEntry entry;
    entry.at = clock.now();
    entry.actor = std::move(actor);
    entry.action = std::move(action);
    entry.subject = std::move(subject);
    entry.detail = std::move(detail);
    if (const auto added = audit->add({entry}); !added)
        log.repeated_warning("the audit log cannot be written", {{"why", added.error().detail}});
}

Result<void> Service::Parts::read_publications(const Files& files,
                                               std::vector<schema::Mistake>& mistakes) {
    recommendations = std::make_shared<RecommendationDesk>(
        config.settings.session_idle, journeys::lookup_in(products->shelf()), log);
    publications.emplace(options.config.parent_path(), products->shelf(), recommendations,
                         coupons->source());
    const auto stored = archive->publications();
    if (!stored) return stored.error();
    for (const auto& text : *stored)
        for (const auto& mistake : publications->add_stored(text))
            if (!mistake.is_warning)
                log.warning("an older publication no longer loads",
                            {{"mistake", schema::to_text(mistake)}});
    published = files;
    published.rewards = newest_rewards(*stored);
    auto compiled = publications->add(published);
    pools = compiled.pools;
    if (!compiled.catalog) {
        mistakes = std::move(compiled.mistakes);
        return Error{ErrorCode::invalid_journey, "the journeys have mistakes"};
    }
    return archive->save_publication(compiled.catalog->publication(), to_text(published),
                                     clock.now());
}

Result<void> Service::Parts::open_channels() {
    http.emplace();
    for (const auto& channel : config.channels) {
        if (channel.type == "sandbox") {
            channels.push_back(
                std::make_unique<SandboxChannel>([this](const actors::ProviderRequest& request,
                                                        std::function<void(Result<void>)> done) {
                    if (!sandbox.add({request, done}))
                        done(Error{ErrorCode::limit_exceeded, "the sandbox cannot keep up"});
                }));
        } else {
            auto provider = make_provider(provider_settings(channel));
            if (!provider)
                return Error{provider.error().code,
                             "channel " + channel.name + ": " + provider.error().detail};
            providers[channel.name] = provider->get();
            channels.push_back(
                std::make_unique<HttpChannel>(*http, std::move(*provider), channel_hooks(channel),
                                              static_cast<std::size_t>(channel.batch)));
        }
        ports.channels[channel.name] = channels.back().get();
    }
    return {};
}

ProviderSettings Service::Parts::provider_settings(const schema::ChannelConfig& channel) const {
    ProviderSettings settings;
    settings.channel = channel.name;
    settings.type = channel.type;
    settings.url = channel.option("url");
    settings.from = channel.from;
    settings.timeout = channel.timeout;
    for (const auto& [name, value] : channel.options) settings.options[name] = value.reveal();
    if (const auto* rules = config.settings.channel(channel.name)) {
        settings.address = rules->address;
        settings.templates = rules->templates;
    }
    if (!config.public_url.empty())
        settings.feedback_url = config.public_url + "/v1/feedback/" + channel.name;
    return settings;
}

ChannelHooks Service::Parts::channel_hooks(const schema::ChannelConfig& channel) {
    const auto* rules = config.settings.channel(channel.name);
    ChannelHooks hooks;
    hooks.is_suppressed = [this, kind = rules ? rules->address
                                              : std::string{}](const std::string& address) {
        return suppressions->contains(kind, address);
    };
    hooks.with_links = [this](const actors::ProviderRequest& message) {
        return links->fill(message.payload, message.intent);
    };
    hooks.report = [this, name = channel.name](Report report) {
        report.at = clock.now();
        report.id = journeys::to_text(report.intent) + "/answer";
        boost::asio::post(report_worker, [this, name, report = std::move(report)] {
            desk->take(name, {report}, [this, name](const Result<ReportDesk::Taken>& taken) {
                if (!taken)
                    log.repeated_warning("what an answer said of an address is lost",
                                         {{"channel", name}, {"why", taken.error().detail}});
            });
        });
    };
    return hooks;
}

void Service::Parts::write_sandbox(std::vector<KeptInSandbox> batch) {
    std::vector<actors::ProviderRequest> requests;
    for (auto& kept : batch) requests.push_back(std::move(kept.request));
    const auto result = archive->keep_sandbox_messages(requests, clock.now());
    for (const auto& kept : batch) kept.done(result);
}

void Service::Parts::open_marks() {
    const auto folder = data_folder(options.config, config);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    auto opened = PoisonMarkFile::open(folder / "marks", partition_count);
    if (!opened)
        return log.warning("no marks are kept: a record that ends the process will not be parked",
                           {{"why", opened.error().detail}});
    marks = std::move(*opened);
    ports.mark = marks.get();
    ports.poison = marks->poison();
    for (const auto& [partition, offset] : ports.poison.records)
        log.error("the service has ended at a record three times, and parks it",
                  {{"partition", partition}, {"offset", offset}});
    for (const auto& customer : ports.poison.timers)
        log.error("the service has ended at a timer three times, and parks its customer",
                  {{"customer", journeys::to_text(customer)}});
}

void Service::Parts::make_actors() {
    EventLogSettings settings;
    settings.connection = storage->connection();
    settings.partitions = partition_count;
    settings.clock = [this] { return clock.now(); };
    settings.codec = product_codec();
    settings.segment_span = paced(settings.segment_span, clock.speed());
    settings.retention = paced(config.storage.retention, clock.speed());
    settings.bytes_max = config.storage.retention_bytes;
    event_log.emplace(settings, ownership);
    mover.emplace(settings, *event_log);
    desk.emplace(ReportDeskParts{.ledger = *ledger,
                                 .suppressions = *suppressions,
                                 .log = *event_log,
                                 .catalog = [this] { return publications->newest(); },
                                 .now = [this] { return clock.now(); }});
    sweep.emplace(WakeSweepSettings{.connection = storage->connection(), .clock = settings.clock});

    StoreSettings storing;
    storing.connection = storage->connection();
    storing.clock = settings.clock;
    storing.codec = settings.codec;
    storing.on_moves = [this] { mover->wake(); };
    store.emplace(storing, ownership);

    interests.emplace(storage->connection().conninfo, log);
    walks.emplace(WalkDeskParts{.conninfo = storage->connection().conninfo,
                                .interests = *interests,
                                .log = log,
                                .catalog = [this] { return publications->newest(); },
                                .now = settings.clock});
    tally->also_of_records(
        [this](const std::vector<journeys::RecordPtr>& records) { interests->received(records); });

    ports.log = &*event_log;
    ports.store = &*store;
    ports.walks = &*walks;
    ports.catalogs = &*publications;
    ports.pacer = &pacer;
    ports.observer = &*tally;
    ports.encode = settings.codec.encode;
    ports.trim = give_memory_back;
    system.emplace(ports, system_settings(config, clock.speed()));
    std::map<std::string, const schema::ShopMap*> shops;
    for (const auto& source : config.sources)
        shops.emplace(source.name, schema::find_shop(source.type));
    privacy_desk.emplace(PrivacyParts{.conninfo = storage->connection().conninfo,
                                      .system = *system,
                                      .log = *event_log,
                                      .suppressions = *suppressions,
                                      .audit = *audit,
                                      .requests = *privacy,
                                      .shops = std::move(shops),
                                      .catalog = [this] { return publications->newest(); },
                                      .now = [this] { return clock.now(); },
                                      .partitions = partition_count});
}

Result<bool> Service::Parts::become_primary() {
    primacy.emplace(PrimacySettings{.connection = storage->connection()});
    const auto say_so = [this] {
        stands_by = true;
        log.info("standby: another process works on this database");
    };
    if (!primacy->acquire(say_so, options.gives_up)) return false;
    auto connection = Connection::open(storage->connection(), "state_version");
    if (!connection) return connection.error();
    if (auto claimed = claim_state_version(*connection); !claimed) return claimed.error();
    if (stands_by) {
        // Meanwhile the other has published.
        const auto stored = archive->publications();
        if (!stored) return stored.error();
        for (const auto& text : *stored) publications->add_stored(text);
        published.rewards = newest_rewards(*stored);
        const auto compiled = publications->add(published);
        if (compiled.catalog)
            if (auto saved = archive->save_publication(compiled.catalog->publication(),
                                                       to_text(published), clock.now());
                !saved)
                return saved.error();
    }
    if (auto loaded = products->load(); !loaded) return loaded.error();
    const auto newest = archive->newest_instant();
    if (!newest) return newest.error();
    clock.start_no_earlier_than(*newest);
    if (auto begun = coupons->begin(pools); !begun) return begun.error();
    if (auto begun = watches->begin(); !begun) return begun.error();
    open_marks(); // Until now they were another's.
    interests->listen(*publications->newest());
    system->start();
    if (stands_by.exchange(false)) log.info("standby: taking over");
    if (auto appended = publish(*publications->newest()); !appended) return appended.error();
    sweep->begin(publications->newest()->wake_reason());
    interests->begin(publications->newest());
    recommendations->remember(storage->connection().conninfo);
    start_fitting();
    {
        const std::scoped_lock lock{clerk_mutex};
        clerk.emplace(*privacy, *privacy_desk, log);
    }
    is_up = true;
    return true;
}

Result<void> Service::Parts::publish(const journeys::Catalog& catalog) {
    const auto until = std::chrono::steady_clock::now() + take_over_patience;
    while (true) {
        actors::Draft draft;
        draft.kind = journeys::RecordKind::publish;
        draft.record = std::make_shared<journeys::Record>();
        journeys::Publish publication;
        publication.publication = catalog.publication();
        for (const auto& journey : catalog.journeys())
            publication.journeys.push_back({journey->id, journey->version});
        draft.record->body = std::move(publication);
        draft.bytes = schema::encode(*draft.record);
        auto promise = std::make_shared<std::promise<Result<void>>>();
        std::vector<actors::Draft> drafts;
        drafts.push_back(std::move(draft));
        event_log->append(std::move(drafts), [promise](Result<void> result) {
            promise->set_value(std::move(result));
        });
        auto result = promise->get_future().get();
        if (result || std::chrono::steady_clock::now() > until) return result;
        if (result.error().code == ErrorCode::fenced) return result;
        std::this_thread::sleep_for(
            std::chrono::milliseconds{20}); // Partitions are still being taken over.
    }
}

std::string Service::Parts::why_not_ready() const {
    if (stands_by) return "standby: another process works on this database";
    if (!is_up) return "starting";
    if (!event_log || !event_log->healthy()) return "storage is not reachable";
    const auto owned = ownership.all();
    if (owned.size() < partition_count) return "partitions are being taken over";
    for (const auto& [partition, state] : owned)
        if (state.lost)
            return "another process has taken partition " + std::to_string(partition) + " over";
    return {};
}

Overview Service::Parts::overview() const {
    Overview result;
    result.now = clock.now();
    result.clock_speed = clock.speed();
    result.not_ready = why_not_ready();
    result.events = tally->applied();
    result.active = tally->active();
    result.zone = config.settings.timezone;
    const auto watched = watches->states();
    for (const auto& state : watched)
        if (state.alarm != journeys::Alarm::none)
            result.warnings.push_back(told(state, result.zone, result.now));
    for (auto& warning : coupons->warnings()) result.warnings.push_back(std::move(warning));
    for (const auto& journey : publications->newest()->journeys()) {
        const auto counts = tally->of(journey->id);
        result.journeys.push_back(
            {journey->id, journey->title, std::string{status_text(journey->status)},
             journeys::version_text(journey->version), counts.entered, counts.sent,
             counts.held_back, counts.ended, overview_of_expressions(*journey)});
        const auto state = std::ranges::find(watched, journey->id, &WatchState::journey);
        if (state == watched.end()) continue;
        auto& shown = result.journeys.back();
        shown.watch = journeys::told(state->watch, state->day, state->alarm);
        shown.alarm = journeys::to_text(state->alarm);
    }
    return result;
}

Result<void> Service::Parts::open_listener() {
    ListenerConfig settings;
    settings.address = config.listen.address;
    settings.port = config.listen.port;
    settings.clock_speed = clock.speed();
    // With a database elsewhere, too: operators' commands come this way.
    const auto folder = data_folder(options.config, config);
    std::error_code no_folder;
    std::filesystem::create_directories(folder, no_folder);
    if (no_folder)
        log.warning("no socket for operators", {{"folder", folder.string()}});
    else
        settings.local_socket = folder / "sojourn.sock";
    std::vector<Key> keys;
    for (const auto& key : config.keys)
        keys.push_back(make_key(key.name, key.key.reveal(), scopes_of(key)));
    settings.keys = KeyRing{std::move(keys)};
    for (const auto& source : config.sources) {
        WebhookSource one{.name = source.name,
                          .shop = schema::find_shop(source.type),
                          .secrets = {},
                          .shops = source.shops};
        for (const auto& secret : source.secrets) one.secrets.push_back(secret.reveal());
        settings.sources.push_back(std::move(one));
    }
    auto& limits = settings.limits;
    limits.messages.frame_bytes_max = static_cast<std::size_t>(config.limits.frame_bytes);
    limits.messages.message_bytes_max = static_cast<std::size_t>(config.limits.message_bytes);
    limits.body_bytes_max = static_cast<std::size_t>(config.limits.body_bytes);
    limits.connections_max = static_cast<std::size_t>(config.limits.connections);
    limits.connections_per_address_max =
        static_cast<std::size_t>(config.limits.connections_per_address);
    limits.address_bytes_in_flight_max = static_cast<std::size_t>(config.limits.bytes_per_address);
    limits.idle_timeout = std::chrono::ceil<std::chrono::milliseconds>(config.limits.idle);
    settings.identity = config.identity;

    const RouteParts routes{
        .system = *system,
        .publications = *publications,
        .archive = *archive,
        .dead_letters = *dead_letters,
        .workers = archive_worker,
        .now = [this] { return clock.now(); },
        .overview = [this] { return overview(); },
        .reload = [this] { boost::asio::post(archive_worker, [this] { reload(); }); },
        .is_open = is_loopback(config.listen.address)};
    ListenerPorts listening{
        .log = *event_log,
        .credit = system->credit(),
        .now = [this] { return clock.now(); },
        .handlers = make_routes(routes),
        .reject = [this](RejectedMessage message) { rejects->keep(std::move(message)); },
        .privacy =
            [this](schema::PrivacyRequest request, std::string source,
                   std::function<void(Result<void>)> done) {
                boost::asio::post(
                    archive_worker,
                    [this, request = std::move(request), source = std::move(source),
                     done = std::move(done)] { done(keep_request(request, source)); });
            },
        .product =
            [this](std::string product, std::function<void(Result<void>)> done) {
                boost::asio::post(
                    operator_worker, [this, product = std::move(product), done = std::move(done)] {
                        if (const auto level = schema::stock_level_from_json(product)) {
                            const auto taken = products->take(*level, clock.now());
                            return taken ? done({}) : done(taken.error());
                        }
                        const auto body = schema::products_from_json(product);
                        if (!body || !body->refused.empty()) {
                            log.repeated_warning(
                                "a shop's product is left out",
                                {{"why", body ? body->refused.front().why : body.error().detail}});
                            return done({});
                        }
                        const auto taken = products->take(body->products, clock.now());
                        taken ? done({}) : done(taken.error());
                    });
            },
        .not_ready = [this] { return why_not_ready(); },
        .metrics = [this] { return tally->text(); },
        .observer = &*tally};
    const auto add_handlers = [&](Handlers more) {
        for (auto& route : more) listening.handlers.push_back(std::move(route));
    };
    add_handlers(make_person_routes({.system = *system,
                                     .log = *event_log,
                                     .publications = *publications,
                                     .ledger = *ledger,
                                     .desk = *desk,
                                     .links = *links,
                                     .notes = log,
                                     .providers = providers,
                                     .public_url = config.public_url,
                                     .workers = report_worker,
                                     .now = [this] { return clock.now(); },
                                     .wall_clock =
                                         [] {
                                             return std::chrono::floor<std::chrono::seconds>(
                                                 std::chrono::system_clock::now());
                                         }}));
    add_handlers(make_operator_routes(
        {.system = *system,
         .publications = *publications,
         .suppressions = *suppressions,
         .audit = *audit,
         .walks = *walks,
         .conninfo = storage->connection().conninfo,
         .workers = operator_worker,
         .now = [this] { return clock.now(); },
         .refused = [this](const std::string& journey) { return tally->refused_of(journey); },
         .watches = *watches,
         .coupons = *coupons}));
    add_handlers(make_privacy_routes({.desk = *privacy_desk,
                                      .requests = *privacy,
                                      .workers = operator_worker,
                                      .has_been_confirmed = [this] { wake_clerk(); }}));
    add_handlers(make_decide_route({.system = *system,
                                    .log = *event_log,
                                    .publications = *publications,
                                    .open = open_decisions,
                                    .now = [this] { return clock.now(); },
                                    .lost = [this] { tally->decision_lost(); }}));
    add_handlers(make_recommend_route(
        {.system = *system, .publications = *publications, .desk = recommendations, .now = [this] {
             return clock.now();
         }}));
    add_handlers(make_product_routes({.catalogue = *products,
                                      .is_up = [this] { return is_up.load(); },
                                      .workers = operator_worker,
                                      .now = [this] { return clock.now(); }}));
    auto opened = Listener::open(std::move(settings), std::move(listening));
    if (!opened) return opened.error();
    listener = std::move(*opened);
    return {};
}

void Service::Parts::reload() {
    const std::scoped_lock lock{reloading};
    auto files = read_files(options.config, std::nullopt);
    if (!files)
        return log.error("reload: files cannot be read, the running journeys stay",
                         {{"why", files.error().detail}});
    const auto before = publications->newest();
    files->rewards = published.rewards;
    if (publication_of(*files) == before->publication()) {
        coupons->read_again(); // Their codes are no part of a publication.
        return log.info("reload: nothing has changed");
    }
    publish_files(std::move(*files), "reload");
}

void Service::Parts::publish_files(Files files, std::string_view why) {
    const auto say = [&](std::string_view what) {
        return std::string{why} + ": " + std::string{what};
    };
    const auto compiled = publications->add(files);
    for (const auto& mistake : compiled.mistakes)
        log.warning(why, {{"mistake", schema::to_text(mistake)}});
    if (!compiled.catalog) return log.error(say("refused, the running journeys stay"));
    interests->use(compiled.catalog);
    if (auto saved =
            archive->save_publication(compiled.catalog->publication(), to_text(files), clock.now());
        !saved)
        return log.error(say("cannot be stored"), {{"why", saved.error().detail}});
    if (auto appended = publish(*compiled.catalog); !appended)
        return log.error(say("cannot be published"), {{"why", appended.error().detail}});
    note("service", "config.loaded",
         "publication " + std::to_string(compiled.catalog->publication()),
         std::to_string(compiled.catalog->journeys().size()) + " journeys; " + std::string{why});
    sweep->begin(compiled.catalog->wake_reason());
    coupons->use(compiled.pools);
    watches->look();
    log.info(say("published"), {{"journeys", compiled.catalog->journeys().size()}});
    published = std::move(files);
}

/// Of what runs: edits of files count from their own reload on.
void Service::Parts::learn() {
    const std::scoped_lock lock{reloading};
    const auto settled = clock.now() - config.settings.max_lateness -
                         paced(config.storage.checkpoint, clock.speed()) * checkpoints_of_delay;
    auto lesson = learn_rewards(storage->connection().conninfo, published.rewards, settled);
    if (!lesson)
        return log.warning("learning: what is known stays", {{"why", lesson.error().detail}});
    if (!*lesson) return;
    log.info("learning", {{"decisions", (*lesson)->decisions},
                          {"rewards", (*lesson)->rewards},
                          {"corrections", (*lesson)->corrections}});
    auto files = published;
    files.rewards = std::move((*lesson)->text);
    publish_files(std::move(files), "learning");
}

void Service::Parts::prune() {
    const std::scoped_lock lock{reloading};
    // The log is read with the publications that it names.
    const auto kept = std::max(config.retention.learned, config.storage.retention);
    const auto pruned =
        prune_learned(storage->connection().conninfo, publications->newest()->publication(),
                      clock.now() - paced(kept, clock.speed()));
    if (!pruned)
        return log.repeated_warning("old versions of what was learned stay",
                                    {{"why", pruned.error().detail}});
    publications->forget(*pruned);
    if (!pruned->empty()) log.info("old versions of what was learned", {{"gone", pruned->size()}});
}

void Service::Parts::start_fitting() {
    pruning.emplace(pruned_every, [this] { prune(); });
    if (config.learn_every != journeys::Duration::zero())
        learning.emplace(config.learn_every, [this] { learn(); });
    if (config.fit_every == journeys::Duration::zero()) return;
    fit_schedule.emplace(FitScheduleSettings{.conninfo = storage->connection().conninfo,
                                             .file = options.config.parent_path() / config.models,
                                             .every = config.fit_every,
                                             .clock = [this] { return clock.now(); },
                                             .publish = [this] { reload(); },
                                             .log = &log});
}

/// Acknowledged only once it cannot be forgotten any more.
Result<void> Service::Parts::keep_request(const schema::PrivacyRequest& request,
                                          const std::string& source) {
    const auto number = privacy->add(request, source, clock.now());
    if (!number) return number.error();
    if (!*number) return {}; // The same delivery again.
    note("source " + source, "privacy.requested", "request " + std::to_string(**number),
         std::string{schema::to_text(request.kind)});
    log.info("a privacy request",
             {{"request", **number}, {"kind", schema::to_text(request.kind)}, {"source", source}});
    wake_clerk();
    return {};
}

void Service::Parts::wake_clerk() {
    const std::scoped_lock lock{clerk_mutex};
    if (clerk) clerk->wake();
}

bool Service::Parts::stop() {
    fit_schedule.reset();
    learning.reset();
    pruning.reset();
    watches->stop();
    coupons->stop();
    {
        const std::scoped_lock lock{clerk_mutex};
        clerk.reset();
    }
    const auto patience = options.shutdown_timeout.value_or(config.limits.shutdown_timeout);
    if (listener) listener->stop(patience / 2);
    const bool ended = !system || stop_system(*system, patience / 2);
    if (!ended) {
        log.error("stopping took too long; what is acknowledged is in the log");
        return false;
    }
    listener.reset();
    sandbox_worker.join();
    archive_worker.join();
    report_worker.join();
    operator_worker.join();
    retention.reset();
    audit_keeper.reset();
    http.reset();
    sweep.reset();
    mover.reset();
    if (walks) walks->stop();
    if (interests) interests->stop();
    store.reset();
    event_log.reset();
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
    if (auto opened = parts->open_storage(); !opened) return opened.error();
    if (auto read = parts->read_publications(*files, mistakes); !read) return read.error();
    std::function<void(const std::string&)> show;
    if (options.show_triggers)
        show = [](const std::string& line) {
            std::printf("%s\n", line.c_str());
            std::fflush(stdout);
        };
    parts->tally.emplace(partition_count, parts->log, std::move(show),
                         parts->config.settings.timezone);
    if (auto opened = parts->open_records(); !opened) return opened.error();
    parts->watches.emplace(WatchKeeperParts{
        .conninfo = parts->storage->connection().conninfo,
        .now = [&clock = parts->clock] { return clock.now(); },
        .catalog = [&publications = *parts->publications] { return publications.newest(); },
        .show =
            [&tally = *parts->tally](const WatchState& state) {
                tally.watched(state.journey, state.day.sent, state.day.share_not_sent(),
                              journeys::to_text(state.alarm));
            },
        .log = parts->log});
    parts->tally->also(
        [&keeper = *parts->audit_keeper, &watches = *parts->watches,
         &recommendations = *parts->recommendations](const actors::FlushRequest& request) {
            keeper.flushed(request);
            watches.flushed(request);
            recommendations.flushed(request);
        });
    parts->note("service", "config.loaded",
                "publication " + std::to_string(parts->publications->newest()->publication()),
                std::to_string(parts->publications->newest()->journeys().size()) +
                    " journeys; start");
    if (auto opened = parts->open_channels(); !opened) return opened.error();
    parts->make_actors();
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
void Service::reload() { parts_->reload(); }
void Service::learn() { parts_->learn(); }
bool Service::has_been_replaced() const { return parts_->ownership.has_lost(); }
bool Service::stop() { return parts_->stop(); }

} // namespace runtime
