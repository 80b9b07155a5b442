/// The door of a running service: what sojourn.yaml says of it, and which part of the service
/// answers which path.
#pragma once

#include "actors/system.hpp"
#include "journeys/result.hpp"
#include "runtime/archive.hpp"
#include "runtime/channel_orders.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/listener/listener.hpp"
#include "runtime/log.hpp"
#include "runtime/open_decisions.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_inbox.hpp"
#include "runtime/privacy_requests.hpp"
#include "runtime/product_catalogue.hpp"
#include "runtime/publications.hpp"
#include "runtime/recommendation_desk.hpp"
#include "runtime/reject_keeper.hpp"
#include "runtime/reload.hpp"
#include "runtime/report_desk.hpp"
#include "runtime/service_channels.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/service_records.hpp"
#include "runtime/tally.hpp"
#include "runtime/walk_desk.hpp"
#include "runtime/watch_keeper.hpp"
#include "schema/settings_yaml.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace runtime {

/// Whether the port can be had, for who asks before anything else is started. 0 is any port.
journeys::Result<void> check_port(const std::string& address, std::uint16_t port);

/// Everybody who answers a path or is told what came in. All of it outlives the door.
struct DoorParts {
    const schema::Config& config;
    std::filesystem::path data_folder; ///< For the socket of operators; made where it is missing.
    std::string conninfo;
    const ServiceClock& clock;
    Log& log;
    actors::System& system;
    actors::EventLog& event_log;
    Publications& publications;
    Archive& archive;
    DeadLetters& dead_letters;
    RejectKeeper& rejects;
    ServiceRecords& records;
    ReportDesk& reports;
    const ServiceChannels& channels;
    ChannelOrders& orders;
    PrivacyRequests& privacy_requests;
    PrivacyDesk& privacy_desk;
    PrivacyInbox& privacy_inbox;
    ProductCatalogue& products;
    CouponKeeper& coupons;
    WatchKeeper& watches;
    WalkDesk& walks;
    OpenDecisions& decisions;
    std::shared_ptr<const RecommendationDesk> recommendations;
    Tally& tally;
    std::function<bool()> is_up; ///< Else this process stands by.
    std::function<std::string()> not_ready;
    std::function<Reload()> reload; ///< Blocking.
    // Who waits for the database, so that the listener's threads do not:
    boost::asio::thread_pool& archive_worker;  ///< One thread.
    boost::asio::thread_pool& report_worker;   ///< Reports and links: they must not wait
    boost::asio::thread_pool& operator_worker; ///< behind an operator's long request.
};

/// The configured keys, as the door knows them.
std::vector<Key> keys_of(const std::vector<schema::ApiKey>& keys);

/// `unavailable` where the port is taken.
journeys::Result<std::unique_ptr<Listener>> open_door(const DoorParts& parts);

} // namespace runtime
