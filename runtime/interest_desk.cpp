#include "runtime/interest_desk.hpp"

#include "journeys/copies.hpp"
#include "runtime/postgres/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace runtime {

void InterestDesk::stop() {
    stopping_ = true;
    worker_.join();
}

bool InterestDesk::listen(const journeys::Catalog& catalog) {
    const auto& names = catalog.tracked().interests;
    const std::scoped_lock lock{mutex_};
    const bool is_more = !std::ranges::includes(names_, names);
    names_ = names;
    listens_ = !names_.empty();
    return is_more;
}

void InterestDesk::begin(journeys::CatalogPtr catalog) {
    listen(*catalog);
    boost::asio::post(worker_, [this, catalog = std::move(catalog)] { read_snapshots(catalog); });
}

void InterestDesk::use(journeys::CatalogPtr catalog) {
    if (!listen(*catalog)) return;
    {
        const std::scoped_lock lock{mutex_};
        ++unread_;
    }
    boost::asio::post(worker_, [this, catalog = std::move(catalog)] { read_snapshots(catalog); });
}

void InterestDesk::received(const std::vector<journeys::RecordPtr>& records) {
    if (!listens_) return;
    const std::scoped_lock lock{mutex_};
    for (const auto& record : records) {
        if (std::holds_alternative<journeys::Erasure>(record->body))
            index_.forget(record->customer);
        const auto* event = record->event();
        if (event && names_.contains(event->name))
            index_.note(record->customer, journeys::product_id_of(*event), event->time);
    }
}

std::optional<std::vector<std::string>> InterestDesk::interested_in(std::string_view product) {
    std::vector<journeys::CustomerId> found;
    {
        const std::scoped_lock lock{mutex_};
        if (unread_ > 0) return std::nullopt;
        found = index_.interested_in(product);
    }
    std::vector<std::string> ids;
    ids.reserve(found.size());
    for (const auto& id : found) ids.push_back(journeys::to_text(id));
    std::ranges::sort(ids);
    return ids;
}

void InterestDesk::read_snapshots(const journeys::CatalogPtr& catalog) {
    const auto is_done = [&] {
        const std::scoped_lock lock{mutex_};
        --unread_;
    };
    if (catalog->tracked().interests.empty()) return is_done();
    journeys::Customer customer;
    const auto note = [&](const SqlRows& rows) {
        if (stopping_ || !journeys::unpack(rows.bytes(0, 0), customer) || customer.forward_to)
            return;
        const auto interests = journeys::interests_of(customer, *catalog);
        const std::scoped_lock lock{mutex_}; // Taken anew for each, so that nobody waits for all.
        for (const auto& interest : interests)
            index_.note(customer.id, interest.product, interest.at);
    };
    while (!stopping_) {
        auto connection =
            Connection::open({.conninfo = conninfo_, .instance = "interests"}, "interests");
        journeys::Result<void> read = {};
        if (connection)
            read = connection->stream("SELECT block FROM snapshots", {}, note);
        else
            read = connection.error();
        if (read) break;
        log_.repeated_warning("who is interested in products cannot be read",
                              {{"why", read.error().detail}});
        std::this_thread::sleep_for(std::chrono::milliseconds{500});
    }
    is_done();
}

} // namespace runtime
