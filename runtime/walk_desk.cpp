#include "runtime/walk_desk.hpp"

#include "actors/messages.hpp"
#include "journeys/copies.hpp"
#include "journeys/ids.hpp"
#include "runtime/postgres/connection.hpp"

#include <boost/asio/post.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using journeys::Timestamp;

namespace {

/// A publication may come as late as this after the instant that it names.
constexpr journeys::Duration grace = std::chrono::minutes{1};
constexpr std::int32_t rows_at_once = 1'000;
/// Of one page: then the asker hears how far was looked, and asks again.
constexpr std::size_t rows_per_page = 20'000;

actors::Walk audience_walk(const journeys::Journey& journey, const std::string& audience,
                           Timestamp at) {
    actors::Walk walk;
    walk.event = audience_event(journey, audience, at);
    walk.id = walk.event.message_hash;
    walk.audience = audience;
    walk.pace = journey.enter.audience->pace;
    return walk;
}

bool lets_in(const journeys::Journey& journey) {
    using journeys::Status;
    return journey.status == Status::live || journey.status == Status::test ||
           journey.status == Status::draft;
}

/// Where the audience that is walked for goes; null where there is no such journey any more.
const journeys::Journey* journey_of(const actors::Walk& walk, const journeys::Catalog& catalog) {
    return catalog.journey(journeys::PackedView{walk.event.properties}.string_at("journey"));
}

bool is_paused(const actors::Walk& walk, const journeys::Catalog& catalog) {
    if (!walk.product.empty()) return false;
    const auto* journey = journey_of(walk, catalog);
    return journey && journey->status == journeys::Status::paused;
}

/// The instants of a journey as it was, while it let anybody in. Those that are no instants of its
/// new version belong to nobody any more, and those that only the new one has are over.
bool was_missed(const journeys::Journey& before, Timestamp instant) {
    return lets_in(before) && before.enter.audience &&
           next_entry(*before.enter.audience, instant - journeys::Duration{1}) == instant;
}

} // namespace

/// Customers as their snapshots have them, in the order of their ids.
class SnapshotPages {
public:
    explicit SnapshotPages(std::string conninfo) : conninfo_(std::move(conninfo)) {}

    /// Those behind `after`; `through` is the last of them.
    template <class Take>
    Result<std::size_t> read(const std::string& after, std::string& through, Take take) {
        if (!connection_ || connection_->is_lost()) {
            connection_.reset();
            auto opened = Connection::open({.conninfo = conninfo_, .instance = "walks"}, "walks");
            if (!opened) return opened.error();
            connection_.emplace(std::move(*opened));
        }
        SqlParams params;
        params.add_bytes(after).add(rows_at_once);
        auto rows = connection_->run("SELECT customer, block FROM snapshots WHERE customer > $1 "
                                     "ORDER BY customer LIMIT $2",
                                     params);
        if (!rows) return rows.error();
        for (int row = 0; row < rows->size(); ++row) {
            through = std::string{rows->bytes(row, 0)};
            if (journeys::unpack(rows->bytes(row, 1), customer_) && !customer_.forward_to)
                take(customer_);
        }
        return static_cast<std::size_t>(rows->size());
    }

private:
    std::string conninfo_;
    std::optional<Connection> connection_;
    journeys::Customer customer_;
};

WalkDesk::WalkDesk(WalkDeskParts parts)
    : parts_(std::move(parts)), book_(parts_.conninfo),
      pages_(std::make_unique<SnapshotPages>(parts_.conninfo)) {}

WalkDesk::~WalkDesk() { stop(); }

void WalkDesk::stop() { worker_.join(); }

void WalkDesk::open_walks(caf::actor asker) {
    boost::asio::post(worker_, [this, asker = std::move(asker)] {
        const auto planned = plan();
        auto open = planned ? book_.open() : planned.error();
        if (!open) {
            parts_.log.repeated_warning("walks cannot be read", {{"why", open.error().detail}});
            return caf::anon_send(asker, actors::OpenWalks{{}, true});
        }
        tell_what_is_over(*open);
        const auto catalog = parts_.catalog();
        for (auto& walk : *open) walk.is_held = is_paused(walk, *catalog);
        caf::anon_send(asker, actors::OpenWalks{std::move(*open), false});
    });
}

bool WalkDesk::is_held(const actors::Walk& walk) const {
    if (!walk.product.empty()) return false;
    const auto catalog = parts_.catalog();
    const auto* journey = journey_of(walk, *catalog);
    return !journey || !lets_in(*journey);
}

/// Begins the walks of the audiences whose instants have come.
Result<void> WalkDesk::plan() {
    if (!marks_) {
        auto marks = book_.marks();
        if (!marks) return marks.error();
        marks_ = std::move(*marks);
    }
    const auto now = parts_.now();
    const auto catalog = parts_.catalog();
    for (const auto* journey : catalog->entered_by_audience())
        if (auto planned = plan(*journey, now); !planned) return planned;
    return {};
}

Result<void> WalkDesk::plan(const journeys::Journey& journey, Timestamp now) {
    const auto& entry = *journey.enter.audience;
    const auto known = marks_->find(journey.id);
    const bool is_known = known != marks_->end();
    const bool is_new = !is_known || known->second.version != journey.version;
    AudienceMark mark = is_known ? known->second : AudienceMark{};
    // What the version before had missed, nothing running, is made up for; else what is over is
    // over.
    const auto catalog = parts_.catalog();
    const auto* before = is_known && is_new ? catalog->version(journey.id, mark.version) : nullptr;
    const auto begins = is_new ? std::max(mark.until, now - grace) : mark.until;
    if (!before) mark.until = begins;
    mark.version = journey.version;
    std::vector<actors::Walk> walks;
    bool has_come = false;
    for (auto next = next_entry(entry, mark.until); next && *next <= now;
         next = next_entry(entry, mark.until)) {
        has_come = true;
        mark.until = *next;
        const bool is_due = *next > begins || was_missed(*before, *next);
        if (is_due && lets_in(journey) && now - *next <= journeys::copy_age_max)
            walks.push_back(audience_walk(journey, entry.audience, *next));
    }
    if (is_new) mark.until = std::max(mark.until, begins);
    if (!is_new && !has_come) return {};
    if (auto marked = book_.mark(journey.id, mark, walks); !marked) return marked;
    (*marks_)[journey.id] = mark;
    for (const auto& walk : walks)
        parts_.log.info("an audience is let in",
                        {{"journey", journey.id}, {"audience", walk.audience}});
    return {};
}

void WalkDesk::tell_what_is_over(const std::vector<actors::Walk>& open) {
    std::set<std::uint64_t> under_way;
    for (const auto& walk : open) under_way.insert(walk.id);
    for (const auto id : told_) {
        if (under_way.contains(id)) continue;
        const auto found = book_.find(id);
        if (!found || (*found && !(*found)->is_over)) { // Of many only some are told of.
            under_way.insert(id);
            continue;
        }
        interested_.erase(id);
        if (*found) parts_.log.info("copies to many are made", {{"copies", (*found)->copied}});
    }
    told_ = std::move(under_way);
}

void WalkDesk::next_page(actors::Walk walk, std::size_t limit, caf::actor asker) {
    boost::asio::post(worker_, [this, walk = std::move(walk), limit, asker = std::move(asker)] {
        caf::anon_send(asker,
                       walk.product.empty() ? page(walk, limit) : interested_page(walk, limit));
    });
}

actors::WalkPage WalkDesk::page(const actors::Walk& walk, std::size_t limit) {
    actors::WalkPage page{.walk = walk.id, .customers = {}, .through = walk.after};
    const auto catalog = parts_.catalog();
    const auto now = parts_.now();
    const auto* journey = journey_of(walk, *catalog);
    if (is_paused(walk, *catalog)) {
        page.failed = true; // It is asked again when it goes on.
        return page;
    }
    if (!journey || !lets_in(*journey)) { // Closed meanwhile.
        page.is_last = true;
        return page;
    }
    std::size_t looked = 0;
    while (!page.is_last && page.customers.size() < limit && looked < rows_per_page) {
        const auto read =
            pages_->read(page.through, page.through, [&](const journeys::Customer& customer) {
                if (is_in_audience(customer, walk.audience, now, *catalog))
                    page.customers.push_back(customer.id);
            });
        if (!read) {
            parts_.log.repeated_warning("customers cannot be read", {{"why", read.error().detail}});
            page.failed = true;
            return page;
        }
        looked += *read;
        page.is_last = *read < static_cast<std::size_t>(rows_at_once);
    }
    return page;
}

actors::WalkPage WalkDesk::interested_page(const actors::Walk& walk, std::size_t limit) {
    actors::WalkPage page{.walk = walk.id, .customers = {}, .through = walk.after};
    auto list = interested_.find(walk.id);
    if (list == interested_.end()) {
        auto found = parts_.interests.interested_in(walk.product);
        if (!found) {
            page.failed = true; // They are still being read: it is asked again.
            return page;
        }
        list = interested_.emplace(walk.id, std::move(*found)).first;
    }
    auto at = std::ranges::upper_bound(list->second, walk.after);
    for (; at != list->second.end() && page.customers.size() < limit; ++at) {
        page.through = *at;
        if (auto id = journeys::parse_customer_id(*at)) page.customers.push_back(std::move(*id));
    }
    page.is_last = at == list->second.end();
    return page;
}

void WalkDesk::finish(actors::WalkProgress progress) {
    boost::asio::post(worker_, [this, progress = std::move(progress)] {
        if (const auto moved = book_.move(progress); !moved)
            parts_.log.repeated_warning("the end of a walk is not stored",
                                        {{"why", moved.error().detail}});
    });
}

Result<WalkDesk::Entered> WalkDesk::enter(const Entering& asked) {
    const auto catalog = parts_.catalog();
    const auto* journey = catalog->journey(asked.journey);
    if (!journey) return Error{ErrorCode::not_found, "no journey " + asked.journey};
    if (!journey->enter.audience)
        return Error{ErrorCode::invalid_argument,
                     asked.journey + " is not entered by audience: its enter has no audience"};
    if (!lets_in(*journey))
        return Error{ErrorCode::invalid_argument, asked.journey + " lets nobody in, by its status"};
    Entered entered{asked.audience.empty() ? journey->enter.audience->audience : asked.audience};
    if (!catalog->lookups().audiences.contains(entered.audience))
        return Error{ErrorCode::invalid_argument,
                     "no audience " + entered.audience + " in config/audiences.yaml"};
    const auto now = parts_.now();
    if (!asked.is_dry) {
        auto walk = audience_walk(*journey, entered.audience, now);
        if (asked.limit) walk.left = *asked.limit;
        if (auto begun = book_.begin(walk); !begun) return begun.error();
        return entered;
    }
    SnapshotPages pages{parts_.conninfo}; // Not the worker's, which goes on.
    std::string through;
    while (true) {
        const auto read = pages.read(through, through, [&](const journeys::Customer& customer) {
            ++entered.customers;
            entered.inside += is_in_audience(customer, entered.audience, now, *catalog) ? 1 : 0;
        });
        if (!read) return read.error();
        if (*read < static_cast<std::size_t>(rows_at_once)) break;
    }
    if (asked.limit) entered.inside = std::min(entered.inside, *asked.limit);
    return entered;
}

} // namespace runtime
