#include "runtime/service_door.hpp"

#include "runtime/decide_route.hpp"
#include "runtime/operator_routes.hpp"
#include "runtime/person_routes.hpp"
#include "runtime/privacy_routes.hpp"
#include "runtime/product_route.hpp"
#include "runtime/routes.hpp"
#include "runtime/service_overview.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

bool is_loopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

std::vector<Scope> scopes_of(const schema::ApiKey& key) {
    std::vector<Scope> scopes;
    if (key.may(schema::KeyScope::ingest)) scopes.push_back(Scope::ingest);
    if (key.may(schema::KeyScope::decide)) scopes.push_back(Scope::decide);
    if (key.may(schema::KeyScope::admin)) scopes.push_back(Scope::admin);
    return scopes;
}

WebhookSource source_of(const schema::SourceConfig& source) {
    WebhookSource one{.name = source.name,
                      .shop = schema::find_shop(source.type),
                      .secrets = {},
                      .shops = source.shops};
    for (const auto& secret : source.secrets) one.secrets.push_back(secret.reveal());
    return one;
}

ListenerLimits limits_of(const schema::Config::Limits& given) {
    ListenerLimits limits;
    limits.messages.frame_bytes_max = static_cast<std::size_t>(given.frame_bytes);
    limits.messages.message_bytes_max = static_cast<std::size_t>(given.message_bytes);
    limits.body_bytes_max = static_cast<std::size_t>(given.body_bytes);
    limits.connections_max = static_cast<std::size_t>(given.connections);
    limits.connections_per_address_max = static_cast<std::size_t>(given.connections_per_address);
    limits.address_bytes_in_flight_max = static_cast<std::size_t>(given.bytes_per_address);
    limits.idle_timeout = std::chrono::ceil<std::chrono::milliseconds>(given.idle);
    return limits;
}

ListenerConfig listener_config(const DoorParts& parts) {
    const auto& config = parts.config;
    ListenerConfig settings;
    settings.address = config.listen.address;
    settings.port = config.listen.port;
    settings.clock_speed = parts.clock.speed();
    // With a database elsewhere, too: operators' commands come this way.
    std::error_code no_folder;
    std::filesystem::create_directories(parts.data_folder, no_folder);
    if (no_folder)
        parts.log.warning("no socket for operators", {{"folder", parts.data_folder.string()}});
    else
        settings.local_socket = parts.data_folder / "sojourn.sock";
    settings.keys = KeyRing{keys_of(config.keys)};
    for (const auto& source : config.sources) settings.sources.push_back(source_of(source));
    settings.limits = limits_of(config.limits);
    settings.identity = config.identity;
    return settings;
}

/// What a shop's webhook says of a product, or of how much is there of one. A wrong one is
/// acknowledged, for it would come again as it is.
Result<void> take_product(const std::string& text, ProductCatalogue& products,
                          const ServiceClock& clock, Log& log) {
    if (const auto level = schema::stock_level_from_json(text)) {
        const auto taken = products.take(*level, clock.now());
        if (!taken) return taken.error();
        return {};
    }
    const auto body = schema::products_from_json(text);
    if (!body || !body->refused.empty()) {
        log.repeated_warning("a shop's product is left out",
                             {{"why", body ? body->refused.front().why : body.error().detail}});
        return {};
    }
    const auto taken = products.take(body->products, clock.now());
    if (!taken) return taken.error();
    return {};
}

std::function<Overview()> overview_of(const DoorParts& parts) {
    return [&clock = parts.clock, &publications = parts.publications, &tally = parts.tally,
            &watches = parts.watches, &coupons = parts.coupons,
            zone = parts.config.settings.timezone, not_ready = parts.not_ready] {
        return service_overview({.clock = clock,
                                 .publications = publications,
                                 .tally = tally,
                                 .watches = watches,
                                 .coupons = coupons,
                                 .zone = zone,
                                 .not_ready = not_ready()});
    };
}

Handlers handlers_of(const DoorParts& parts) {
    const auto now = [&clock = parts.clock] { return clock.now(); };
    Handlers all = make_routes(
        {.system = parts.system,
         .publications = parts.publications,
         .archive = parts.archive,
         .dead_letters = parts.dead_letters,
         .suppressions = parts.records.suppressions(),
         .workers = parts.archive_worker,
         .now = now,
         .overview = overview_of(parts),
         .reload =
             [&worker = parts.archive_worker,
              reload = parts.reload](std::function<void(const Reload&)> done) {
                 boost::asio::post(worker, [reload, done = std::move(done)] { done(reload()); });
             },
         .is_open = is_loopback(parts.config.listen.address)});
    const auto add = [&](Handlers more) {
        for (auto& route : more) all.push_back(std::move(route));
    };
    add(make_person_routes({.system = parts.system,
                            .log = parts.event_log,
                            .publications = parts.publications,
                            .ledger = parts.records.ledger(),
                            .desk = parts.reports,
                            .links = parts.records.links(),
                            .notes = parts.log,
                            .providers = parts.channels.providers(),
                            .public_url = parts.config.public_url,
                            .workers = parts.report_worker,
                            .now = now,
                            .wall_clock = [] {
                                return std::chrono::floor<std::chrono::seconds>(
                                    std::chrono::system_clock::now());
                            }}));
    add(make_operator_routes(
        {.system = parts.system,
         .publications = parts.publications,
         .suppressions = parts.records.suppressions(),
         .audit = parts.records.audit(),
         .orders = parts.orders,
         .walks = parts.walks,
         .conninfo = parts.conninfo,
         .workers = parts.operator_worker,
         .now = now,
         .refused = [&tally = parts.tally](const std::string& id) { return tally.refused_of(id); },
         .watches = parts.watches,
         .coupons = parts.coupons}));
    add(make_privacy_routes(
        {.desk = parts.privacy_desk,
         .requests = parts.privacy_requests,
         .workers = parts.operator_worker,
         .has_been_confirmed = [&inbox = parts.privacy_inbox] { inbox.wake(); }}));
    add(make_decide_route({.system = parts.system,
                           .log = parts.event_log,
                           .publications = parts.publications,
                           .open = parts.decisions,
                           .now = now,
                           .not_ready = parts.not_ready,
                           .lost = [&tally = parts.tally] { tally.decision_lost(); }}));
    add(make_recommend_route({.system = parts.system,
                              .publications = parts.publications,
                              .desk = parts.recommendations,
                              .now = now}));
    add(make_product_routes({.catalogue = parts.products,
                             .is_up = parts.is_up,
                             .workers = parts.operator_worker,
                             .now = now}));
    return all;
}

ListenerPorts listener_ports(const DoorParts& parts) {
    using Done = std::function<void(Result<void>)>;
    return {.log = parts.event_log,
            .credit = parts.system.credit(),
            .now = [&clock = parts.clock] { return clock.now(); },
            .handlers = handlers_of(parts),
            .reject = [&rejects = parts.rejects](
                          RejectedMessage message) { rejects.keep(std::move(message)); },
            .privacy =
                [&worker = parts.archive_worker, &inbox = parts.privacy_inbox](
                    schema::PrivacyRequest request, std::string source, Done done) {
                    boost::asio::post(
                        worker, [&inbox, request = std::move(request), source = std::move(source),
                                 done = std::move(done)] { done(inbox.keep(request, source)); });
                },
            .product =
                [&worker = parts.operator_worker, &products = parts.products, &clock = parts.clock,
                 &log = parts.log](std::string product, Done done) {
                    boost::asio::post(worker,
                                      [&products, &clock, &log, product = std::move(product),
                                       done = std::move(done)] {
                                          done(take_product(product, products, clock, log));
                                      });
                },
            .not_ready = parts.not_ready,
            .metrics = [&tally = parts.tally] { return tally.text(); },
            .observer = &parts.tally};
}

} // namespace

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

std::vector<Key> keys_of(const std::vector<schema::ApiKey>& keys) {
    std::vector<Key> all;
    for (const auto& key : keys) {
        all.push_back(make_key(key.name, key.key.reveal(), scopes_of(key)));
        all.back().is_for_here_only = key.key.reveal() == schema::demo_key;
    }
    return all;
}

Result<std::unique_ptr<Listener>> open_door(const DoorParts& parts) {
    auto settings = listener_config(parts);
    return Listener::open(std::move(settings), listener_ports(parts));
}

} // namespace runtime
