#include "runtime/service.hpp"

#include "actors/system.hpp"
#include "runtime/archive.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/sandbox.hpp"
#include "runtime/channels/webhook.hpp"
#include "runtime/database.hpp"
#include "runtime/free_memory.hpp"
#include "runtime/listener/listener.hpp"
#include "runtime/log.hpp"
#include "runtime/postgres/embedded.hpp"
#include "runtime/postgres/event_log.hpp"
#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/postgres/transfer_mover.hpp"
#include "runtime/publications.hpp"
#include "runtime/routes.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/stop_system.hpp"
#include "runtime/tally.hpp"
#include "schema/record_codec.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>

#include <cstdio>
#include <future>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

/// Stored positions hang on it, so it is fixed: enough for the cores of one large machine.
constexpr actors::Partition partition_count = 8;
constexpr auto take_over_patience = std::chrono::seconds{60};
constexpr auto supervision = std::chrono::milliseconds{500};
constexpr std::size_t rejects_waiting_max = 10'000;

LogCodec log_codec() {
    LogCodec codec;
    codec.decode = [](journeys::RecordKind kind, std::string_view body, std::uint64_t offset,
                      journeys::Timestamp accepted_at, const journeys::CustomerId& customer) {
        static thread_local schema::MessageDecoder
            decoder; // Its buffers; it keeps nothing between calls.
        return schema::decode(kind, body, {offset, accepted_at, customer}, decoder);
    };
    codec.encode = [](const journeys::Record& record) { return schema::encode(record); };
    codec.kind = [](const journeys::Record& record) { return schema::kind_of(record); };
    codec.message_hash = [](const journeys::Record& record) {
        return schema::message_hash(record);
    };
    codec.stamp = [](journeys::Record& record) { schema::cap_time(record); };
    return codec;
}

/// Held for as long as the process lives, so that two services never share a data folder. The
/// kernel lets it go however the process ends.
Result<int> lock_folder(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return Error{ErrorCode::unavailable, "cannot make " + folder + ": " + error.message()};
    const auto file = folder + "/service.lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return Error{ErrorCode::unavailable, "cannot write " + file + ": " + std::strerror(errno)};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        ::close(descriptor);
        return Error{ErrorCode::unavailable, "another service runs on " + folder};
    }
    return descriptor;
}

/// Closes what `lock_folder` opened.
class FolderLock {
public:
    FolderLock() = default;
    ~FolderLock() { let_go(); }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    void hold(int descriptor) { descriptor_ = descriptor; }
    void let_go() {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }

private:
    int descriptor_ = -1;
};

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

/// Names this process among all that ever owned the partitions.
std::string instance_name() {
    std::random_device random;
    char name[32];
    std::snprintf(name, sizeof name, "%x-%08x", static_cast<unsigned>(::getpid()),
                  static_cast<unsigned>(random()));
    return name;
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
    /// Starts the private PostgreSQL again whenever it has ended without us.
    void supervise_storage();
    Result<void> read_publications(const Files& files, std::vector<schema::Mistake>& mistakes);
    Result<void> open_channels();
    void start_actors();
    Result<void> publish(const journeys::Catalog& catalog);
    Result<void> open_listener();
    Overview overview() const;
    std::string why_not_ready() const;
    void keep_in_sandbox(const actors::ProviderRequest& request,
                         std::function<void(Result<void>)> done);
    void keep_reject(RejectedMessage message);
    void reload();
    bool stop();
    /// A span that is meant in real time, for whoever measures it by the service's clock.
    journeys::Duration paced(journeys::Duration span) const {
        return std::chrono::duration_cast<journeys::Duration>(span * std::max(1.0, clock.speed()));
    }

    ServiceOptions options;
    schema::Config config;
    Log log;
    ServiceClock clock;
    ClockPacer pacer;
    std::string data_dir;
    FolderLock folder_lock;
    std::optional<EmbeddedPostgres> embedded;
    std::jthread supervisor;
    ConnectionSettings connection;
    std::optional<Archive> archive;
    std::optional<Publications> publications;
    std::optional<Tally> tally;
    Ownership ownership;
    std::optional<PostgresEventLog> event_log;
    std::optional<TransferMover> mover;
    std::optional<PostgresStore> store;
    std::optional<HttpClient> http;
    std::vector<std::unique_ptr<actors::Channel>> channels;
    boost::asio::thread_pool sandbox_worker{1};
    boost::asio::thread_pool archive_worker{1};
    actors::Ports ports;
    std::optional<actors::System> system;
    std::unique_ptr<Listener> listener;

    std::mutex mutex;
    struct Kept {
        actors::ProviderRequest request;
        std::function<void(Result<void>)> done;
    };
    std::vector<Kept> sandbox_waiting;      ///< Guarded by `mutex`.
    std::vector<RejectRow> rejects_waiting; ///< Guarded by `mutex`.
    std::mutex reloading;                   ///< One reload at a time.
};

Result<void> Service::Parts::open_storage() {
    connection.instance = instance_name();
    if (!config.storage.url.is_empty()) {
        connection.conninfo = config.storage.url.reveal();
    } else {
        data_dir = data_folder(options.config, config).string();
        const auto locked = lock_folder(data_dir);
        if (!locked) return locked.error();
        folder_lock.hold(*locked);
        auto started = EmbeddedPostgres::start(data_dir);
        if (!started) return started.error();
        embedded.emplace(std::move(*started));
        connection.conninfo = embedded->conninfo();
        log.info("storage", {{"data_dir", data_dir}});
        if (embedded->was_adopted())
            log.info("adopted the private PostgreSQL that was still running");
    }
    if (embedded) supervise_storage();
    auto opened = Connection::open(connection, "migrate");
    if (!opened) return opened.error();
    if (const auto migrated = migrate(*opened); !migrated) return migrated.error();
    if (auto fixed = fix_partition_count(*opened, partition_count); !fixed) return fixed.error();
    archive.emplace(connection.conninfo);
    const auto newest = archive->newest_accepted_at();
    if (!newest) return newest.error();
    clock.start_no_earlier_than(*newest);
    return {};
}

void Service::Parts::supervise_storage() {
    supervisor = std::jthread{[this](const std::stop_token& stopping) {
        std::mutex unshared;
        std::condition_variable_any pause;
        while (true) {
            std::unique_lock lock{unshared};
            pause.wait_for(lock, stopping, supervision, [] { return false; });
            if (stopping.stop_requested()) return;
            if (embedded->server_pid() != 0) continue;
            log.error("the private PostgreSQL has ended and is started again");
            if (auto again = EmbeddedPostgres::start(data_dir))
                again->leave_running();
            else
                log.repeated_warning("it does not start", {{"why", again.error().detail}});
        }
    }};
}

Result<void> Service::Parts::read_publications(const Files& files,
                                               std::vector<schema::Mistake>& mistakes) {
    publications.emplace(options.config.parent_path());
    const auto stored = archive->publications();
    if (!stored) return stored.error();
    for (const auto& text : *stored)
        for (const auto& mistake : publications->add_stored(text))
            if (!mistake.is_warning)
                log.warning("an older publication no longer loads",
                            {{"mistake", schema::to_text(mistake)}});
    auto compiled = publications->add(files);
    if (!compiled.catalog) {
        mistakes = std::move(compiled.mistakes);
        return Error{ErrorCode::invalid_journey, "the journeys have mistakes"};
    }
    return archive->save_publication(compiled.catalog->publication(), to_text(files), clock.now());
}

Result<void> Service::Parts::open_channels() {
    http.emplace();
    for (const auto& channel : config.channels) {
        if (channel.type == "sandbox") {
            channels.push_back(
                std::make_unique<SandboxChannel>([this](const actors::ProviderRequest& request,
                                                        std::function<void(Result<void>)> done) {
                    keep_in_sandbox(request, std::move(done));
                }));
        } else if (channel.type == "webhook") {
            auto webhook =
                make_webhook({channel.url.reveal(), channel.secret.reveal(), channel.timeout});
            if (!webhook)
                return Error{webhook.error().code,
                             "channel " + channel.name + ": " + webhook.error().detail};
            channels.push_back(std::make_unique<HttpChannel>(*http, std::move(*webhook)));
        } else {
            return Error{ErrorCode::invalid_argument, "channel " + channel.name + ": type " +
                                                          channel.type + " is not built yet"};
        }
        ports.channels[channel.name] = channels.back().get();
    }
    return {};
}

void Service::Parts::keep_in_sandbox(const actors::ProviderRequest& request,
                                     std::function<void(Result<void>)> done) {
    {
        const std::scoped_lock lock{mutex};
        sandbox_waiting.push_back({request, std::move(done)});
        if (sandbox_waiting.size() > 1) return; // Whoever was first writes for all.
    }
    boost::asio::post(sandbox_worker, [this] {
        std::vector<Kept> batch;
        {
            const std::scoped_lock lock{mutex};
            batch.swap(sandbox_waiting);
        }
        std::vector<actors::ProviderRequest> requests;
        for (const auto& kept : batch) requests.push_back(kept.request);
        const auto result = archive->keep_sandbox_messages(requests, clock.now());
        for (const auto& kept : batch) kept.done(result);
    });
}

void Service::Parts::keep_reject(RejectedMessage message) {
    {
        const std::scoped_lock lock{mutex};
        if (rejects_waiting.size() >= rejects_waiting_max)
            return; // Counted by the metrics all the same.
        rejects_waiting.push_back(
            {message.received_at, message.key,
             std::string{schema::to_text(message.reason)} + ": " + message.detail,
             std::move(message.raw)});
        if (rejects_waiting.size() > 1) return;
    }
    boost::asio::post(archive_worker, [this] {
        std::vector<RejectRow> batch;
        {
            const std::scoped_lock lock{mutex};
            batch.swap(rejects_waiting);
        }
        if (const auto kept = archive->add_rejects(batch); !kept)
            log.repeated_warning("rejected messages could not be kept",
                                 {{"why", kept.error().detail}});
    });
}

void Service::Parts::start_actors() {
    EventLogSettings settings;
    settings.connection = connection;
    settings.partitions = partition_count;
    settings.clock = [this] { return clock.now(); };
    settings.codec = log_codec();
    settings.segment_span = paced(settings.segment_span);
    settings.retention = paced(config.storage.retention);
    settings.bytes_max = config.storage.retention_bytes;
    event_log.emplace(settings, ownership);
    mover.emplace(settings, *event_log);

    StoreSettings storing;
    storing.connection = connection;
    storing.clock = settings.clock;
    storing.codec = settings.codec;
    storing.on_moves = [this] { mover->wake(); };
    store.emplace(storing, ownership);

    ports.log = &*event_log;
    ports.store = &*store;
    ports.catalogs = &*publications;
    ports.pacer = &pacer;
    ports.observer = &*tally;
    ports.encode = settings.codec.encode;
    ports.trim = give_memory_back;

    actors::SystemSettings actor_settings;
    actor_settings.partitions = partition_count;
    actor_settings.shards =
        std::clamp(std::thread::hardware_concurrency(), 1u, unsigned{partition_count});
    actor_settings.partition.active_customers_max = std::max<std::size_t>(
        1, static_cast<std::size_t>(config.limits.active_customers) / partition_count);
    auto& partition = actor_settings.partition;
    partition.idle_after = paced(config.limits.passivate_after);
    partition.timer_window = paced(partition.timer_window);
    partition.retry_min = paced(partition.retry_min);
    partition.retry_max = paced(partition.retry_max);
    auto& flush = actor_settings.flush;
    flush.checkpoint = paced(config.storage.checkpoint);
    flush.checkpoint_max = paced(flush.checkpoint_max);
    flush.retry_min = paced(flush.retry_min);
    flush.retry_max = paced(flush.retry_max);
    actor_settings.rules = &actors::product_rules();
    for (const auto& channel : config.channels) {
        const auto* rules = config.settings.channel(channel.name);
        actors::ChannelSettings one;
        one.name = channel.name;
        one.deduplicates = rules && rules->deduplicates;
        one.concurrency = static_cast<std::size_t>(channel.concurrency);
        one.rate = channel.rate / std::max(1.0, clock.speed());
        one.burst = std::max(1.0, channel.rate);
        for (auto* const span : {&one.breaker_open, &one.breaker_open_max, &one.backoff,
                                 &one.backoff_max, &one.claim_age_max})
            *span = paced(*span);
        one.seed = journeys::hash(channel.name, config.settings.seed);
        actor_settings.channels.push_back(one);
    }
    system.emplace(ports, actor_settings);
    system->start();
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
    for (const auto& journey : publications->newest()->journeys()) {
        const auto counts = tally->of(journey->id);
        result.journeys.push_back({journey->id, journey->title,
                                   std::string{status_text(journey->status)},
                                   journeys::version_text(journey->version), counts.entered,
                                   counts.sent, counts.held_back, counts.ended});
    }
    return result;
}

Result<void> Service::Parts::open_listener() {
    ListenerConfig settings;
    settings.address = config.listen.address;
    settings.port = config.listen.port;
    settings.clock_speed = clock.speed();
    if (!data_dir.empty()) settings.local_socket = std::filesystem::path{data_dir} / "sojourn.sock";
    std::vector<Key> keys;
    for (const auto& key : config.keys)
        keys.push_back(make_key(key.name, key.key.reveal(), scopes_of(key)));
    settings.keys = KeyRing{std::move(keys)};
    auto& limits = settings.limits;
    limits.messages.frame_bytes_max = static_cast<std::size_t>(config.limits.frame_bytes);
    limits.messages.message_bytes_max = static_cast<std::size_t>(config.limits.message_bytes);
    limits.connections_max = static_cast<std::size_t>(config.limits.connections);

    const RouteParts routes{
        .system = *system,
        .publications = *publications,
        .archive = *archive,
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
        .reject = [this](RejectedMessage message) { keep_reject(std::move(message)); },
        .not_ready = [this] { return why_not_ready(); },
        .metrics = [this] { return tally->text(); },
        .observer = &*tally};
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
    if (publication_of(*files) == before->publication())
        return log.info("reload: nothing has changed");
    const auto compiled = publications->add(*files);
    for (const auto& mistake : compiled.mistakes)
        log.warning("reload", {{"mistake", schema::to_text(mistake)}});
    if (!compiled.catalog) return log.error("reload: refused, the running journeys stay");
    if (auto saved = archive->save_publication(compiled.catalog->publication(), to_text(*files),
                                               clock.now());
        !saved)
        return log.error("reload: cannot be stored", {{"why", saved.error().detail}});
    if (auto published = publish(*compiled.catalog); !published)
        return log.error("reload: cannot be published", {{"why", published.error().detail}});
    log.info("reload: published", {{"journeys", compiled.catalog->journeys().size()}});
}

bool Service::Parts::stop() {
    const auto patience = config.limits.shutdown_timeout;
    if (listener) listener->stop(patience / 2);
    const bool ended = !system || stop_system(*system, patience / 2);
    if (!ended) {
        log.error("stopping took too long; what is acknowledged is in the log");
        return false;
    }
    listener.reset();
    sandbox_worker.join();
    archive_worker.join();
    http.reset();
    mover.reset();
    store.reset();
    event_log.reset();
    archive.reset();
    if (supervisor.joinable()) {
        supervisor.request_stop();
        supervisor.join();
    }
    if (embedded)
        if (auto stopped = embedded->stop(); !stopped)
            log.warning("the private PostgreSQL did not stop", {{"why", stopped.error().detail}});
    folder_lock.let_go();
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
    if (auto opened = parts->open_channels(); !opened) return opened.error();
    parts->start_actors();
    const auto finish = [&]() -> Result<void> {
        if (auto published = parts->publish(*parts->publications->newest()); !published)
            return published;
        return parts->open_listener();
    };
    if (auto finished = finish(); !finished) {
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
const std::string& Service::data_dir() const { return parts_->data_dir; }
void Service::reload() { parts_->reload(); }
bool Service::stop() { return parts_->stop(); }

} // namespace runtime
