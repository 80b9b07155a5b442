#include "runtime/service.hpp"

#include "actors/system.hpp"
#include "runtime/archive.hpp"
#include "runtime/batch_writer.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/sandbox.hpp"
#include "runtime/channels/webhook.hpp"
#include "runtime/listener/listener.hpp"
#include "runtime/log.hpp"
#include "runtime/postgres/event_log.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/postgres/transfer_mover.hpp"
#include "runtime/product_codec.hpp"
#include "runtime/publications.hpp"
#include "runtime/routes.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_storage.hpp"
#include "runtime/stop_system.hpp"
#include "runtime/system_settings.hpp"
#include "runtime/tally.hpp"
#include "schema/record_codec.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <malloc.h>

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
    Result<void> open_channels();
    void start_actors();
    Result<void> publish(const journeys::Catalog& catalog);
    Result<void> open_listener();
    Overview overview() const;
    std::string why_not_ready() const;
    struct KeptInSandbox {
        actors::ProviderRequest request;
        std::function<void(Result<void>)> done;
    };
    void write_sandbox(std::vector<KeptInSandbox> batch);
    void write_rejects(std::vector<RejectedMessage> batch);
    void reload();
    bool stop();
    ServiceOptions options;
    schema::Config config;
    Log log;
    ServiceClock clock;
    ClockPacer pacer;
    std::unique_ptr<ServiceStorage> storage;
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
    BatchWriter<KeptInSandbox> sandbox{sandbox_worker, kept_waiting_max,
                                       [this](auto batch) { write_sandbox(std::move(batch)); }};
    BatchWriter<RejectedMessage> rejects{archive_worker, kept_waiting_max,
                                         [this](auto batch) { write_rejects(std::move(batch)); }};
    actors::Ports ports;
    std::optional<actors::System> system;
    std::unique_ptr<Listener> listener;

    std::mutex reloading; ///< One reload at a time.
};

Result<void> Service::Parts::open_storage() {
    auto opened = ServiceStorage::open(options.config, config, log);
    if (!opened) return opened.error();
    storage = std::move(*opened);
    archive.emplace(storage->connection().conninfo);
    const auto newest = archive->newest_accepted_at();
    if (!newest) return newest.error();
    clock.start_no_earlier_than(*newest);
    return {};
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
                    if (!sandbox.add({request, done}))
                        done(Error{ErrorCode::limit_exceeded, "the sandbox cannot keep up"});
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

void Service::Parts::write_sandbox(std::vector<KeptInSandbox> batch) {
    std::vector<actors::ProviderRequest> requests;
    for (auto& kept : batch) requests.push_back(std::move(kept.request));
    const auto result = archive->keep_sandbox_messages(requests, clock.now());
    for (const auto& kept : batch) kept.done(result);
}

void Service::Parts::write_rejects(std::vector<RejectedMessage> batch) {
    std::vector<RejectRow> rows;
    for (auto& message : batch)
        rows.push_back({message.received_at, message.key,
                        std::string{schema::to_text(message.reason)} + ": " + message.detail,
                        std::move(message.raw)});
    if (const auto kept = archive->add_rejects(rows); !kept)
        log.repeated_warning("rejected messages could not be kept", {{"why", kept.error().detail}});
}

void Service::Parts::start_actors() {
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

    StoreSettings storing;
    storing.connection = storage->connection();
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
    ports.trim = [] { ::malloc_trim(0); };

    system.emplace(ports, system_settings(config, clock.speed()));
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
    if (const auto& folder = storage->data_dir(); !folder.empty())
        settings.local_socket = std::filesystem::path{folder} / "sojourn.sock";
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
        // One that finds no room is counted by the metrics all the same.
        .reject = [this](RejectedMessage message) { rejects.add(std::move(message)); },
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
const std::string& Service::data_dir() const { return parts_->storage->data_dir(); }
void Service::reload() { parts_->reload(); }
bool Service::stop() { return parts_->stop(); }

} // namespace runtime
