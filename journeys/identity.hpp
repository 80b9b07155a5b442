/// One customer behind many ids: which id names a message's customer, what a link does, how two
/// states unite.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"

#include <optional>
#include <unordered_map>
#include <vector>

namespace journeys {

/// Junk that producers send for "nobody"; such an id neither names nor links a customer.
bool is_junk(const CustomerId& id);

/// What an operator decides about ids. Only the edge reads it: what it led to stands in the log.
struct IdentityRules {
    std::vector<std::string> junk;       ///< Values that mean nobody, beside those that always do.
    std::vector<IdNamespace> never_link; ///< Ids of these are used only where no other is there.
    /// New links that one id may have within 24 h, as the weaker or as the stronger one: a till, a
    /// test account or a stand-in that nobody listed must not draw a whole shop into one customer.
    std::size_t links_per_id = 50;
    bool operator==(const IdentityRules&) const = default;
};

/// What the edge makes of a message's ids: whose record it is, and which links to append with it.
struct Routing {
    CustomerId customer;
    struct NewLink {
        CustomerId loser; ///< The record's customer of the link: the weaker id.
        Link link;
    };
    std::vector<NewLink> links;
    std::size_t refused_links = 0; ///< Over `links_per_id`: the ids stay two customers.
};

/// The edge's memory of links, bounded; a guess that is allowed to be stale, because tombstones
/// forward. Not for sharing between threads.
class IdentityCache {
public:
    explicit IdentityCache(IdentityRules rules = {}, std::size_t entries_max = 1'000'000);
    /// The strongest usable id of the event names its customer; a lone weaker id is looked up. The
    /// first message that shows two ids together yields a link, and where the weaker one is known
    /// to be of another weaker id, a link of that one too: whoever shares a cart or a device shares
    /// the rest. An alias links previousId to the new id. Where every id is junk the customer is
    /// empty: the message is nobody's. `now` only counts `links_per_id`.
    Routing route(const Event& event, Timestamp now);

    /// Forgets whose ids are whose, and not how many links there were.
    void forget();

private:
    bool is_nobody(const CustomerId& id) const;
    bool links(const CustomerId& id) const;
    const CustomerId* find(const CustomerId& id);
    const CustomerId& remember(const CustomerId& id, CustomerId owner);
    CustomerId resolve(const CustomerId& id);
    bool may_link(const CustomerId& loser, const CustomerId& winner, Timestamp now);
    void tie(Routing& routing, const CustomerId& weaker, bool by_alias, Timestamp now);

    IdentityRules rules_; ///< Junk in lower case and sorted.
    /// Weaker id -> customer, in two generations: when the younger is full, the older is forgotten.
    std::unordered_map<CustomerId, CustomerId> owner_, older_;
    std::size_t entries_max_;
    std::unordered_map<std::uint64_t, std::uint32_t> links_; ///< Of ids, by their hash; of the day.
    Timestamp day_{};
};

/// Applies a `Link` record to the customer of the weaker id. The first link wins the history: the
/// customer becomes a tombstone and its whole state goes to the winner. A tombstone is only
/// re-pointed, and where it stood for a weaker id than the new winner it passes the link on to that
/// one, for both are the same person; one of an address, a cart or an order that stood for a
/// stronger id does the same the other way round, and stays. A link that was passed on re-points
/// nothing. Two user ids unite only by alias. A customer who has become the winner's own winner (a
/// circle) stays.
void link(Customer& customer, const Record& record, const Link& link, Effects& effects);

/// Unites a transferred state with `winner`, once (rule 9 of the language): carts, session, runs,
/// timers, caps, consents (the stricter wins), orders by id, dedup rings, counters. Of two runs of
/// one key the older stays, the other ends `merged`. Returns the runs that came in (by id): the
/// engine tests them against newer events that would have ended them.
std::vector<RunId> unite(Customer& winner, const Transfer& transfer, Customer loser,
                         const Catalog& catalog, Effects& effects);

/// Notes that `id` reaches the customer; bounded, the newest stay.
void know(Customer& customer, const CustomerId& id);

/// Applies `Erasure`: what is left is an empty customer that remembers only its id.
void erase(Customer& customer, Effects& effects);

} // namespace journeys
