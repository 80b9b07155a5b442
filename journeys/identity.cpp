#include "journeys/identity.hpp"

#include "journeys/carts.hpp"
#include "journeys/consents.hpp"
#include "journeys/counters.hpp"
#include "journeys/feedback.hpp"
#include "journeys/lower_case.hpp"
#include "journeys/newest_lines.hpp"
#include "journeys/orders.hpp"
#include "journeys/profile.hpp"
#include "journeys/sessions.hpp"
#include "journeys/traits.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace journeys {
namespace {

constexpr int hops_max = 8; ///< Of links behind each other that the cache follows.
constexpr Duration links_counted_for = std::chrono::hours{24};

std::string folded(std::string_view text) {
    constexpr std::string_view blank{" \t\r\n"};
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return to_lower(text.substr(first, text.find_last_not_of(blank) - first + 1));
}

std::uint64_t transfer_id(const CustomerId& loser, const CustomerId& winner, std::uint64_t offset) {
    return std::max<std::uint64_t>(hash(to_text(winner), hash(to_text(loser), offset)), 1);
}

/// An id for a link that a tombstone passes on, the same however often the record is replayed.
std::uint64_t passed_on_id(const CustomerId& tombstone, std::uint64_t offset) {
    return hash(to_text(tombstone), offset) | 1;
}

template <class Value> bool contains(const std::vector<Value>& list, const Value& value) {
    return std::ranges::find(list, value) != list.end();
}

template <class Value> void drop_front(std::vector<Value>& list, std::size_t size_max) {
    if (list.size() > size_max)
        list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(size_max));
}

/// A link that must not unite anything: of nobody, of itself, or of two users without an alias.
bool is_void(const CustomerId& loser, const Link& link) {
    if (is_junk(loser) || is_junk(link.winner) || loser == link.winner) return true;
    if (loser.space < link.winner.space) return true; // A weaker id owns no stronger one.
    return loser.space == IdNamespace::user && !link.by_alias;
}

void note(Effects& effects, EntryKind kind, Timestamp at, const CustomerId& other) {
    TimelineEntry entry{.kind = kind, .at = at};
    entry.reason = to_text(other);
    effects.emplace_back(std::move(entry));
}

/// What `loser` brings along, for whoever asks later why there is so much of a sudden.
std::string brought(const Customer& loser) {
    PackedWriter writer;
    const auto map = writer.begin_map();
    const auto count = [&](std::string_view name, std::size_t value) {
        writer.key(name);
        writer.integer(static_cast<std::int64_t>(value));
    };
    count("carts", loser.carts.size());
    count("orders", loser.orders.size());
    count("runs", loser.runs.size());
    count("consents", loser.consents.size());
    writer.key("since");
    writer.integer(to_millis(loser.first_seen));
    writer.end_map(map, 5);
    return writer.take();
}

/// What keeps a customer's place in the log and in storage, and nothing of the person.
Customer bare(const Customer& customer) {
    Customer left;
    left.id = customer.id;
    left.applied = customer.applied;
    left.revision = customer.revision;
    left.publication = customer.publication;
    left.accepted_at = customer.accepted_at;
    left.transfers = customer.transfers; // One that comes again must not bring anything back.
    return left;
}

void end_merged(Customer& customer, Run& run, Timestamp at, Effects& effects) {
    if (run.sending != Sending::none && run.intent)
        effects.emplace_back(IntentRecalled{run.intent, "merged"});
    TimelineEntry entry{.kind = EntryKind::end, .at = at};
    entry.journey = run.journey;
    entry.version = run.version;
    entry.key = run.key;
    entry.reason = "merged";
    effects.emplace_back(std::move(entry));
    customer.ended.push_back({run.journey, hash(run.key), run.entered_at, at});
}

bool is_older(const Run& a, const Run& b) {
    return std::tie(a.entered_at, a.id) < std::tie(b.entered_at, b.id);
}

std::vector<RunId> unite_runs(Customer& winner, Customer& loser, Timestamp at, Effects& effects) {
    std::vector<RunId> came_in;
    for (auto& run : loser.runs) {
        if (std::ranges::find(winner.runs, run.id, &Run::id) != winner.runs.end()) continue;
        const auto rival = std::ranges::find_if(winner.runs, [&](const Run& own) {
            return own.journey == run.journey && own.key == run.key;
        });
        if (rival != winner.runs.end() && is_older(*rival, run)) {
            end_merged(winner, run, at, effects);
            continue;
        }
        if (rival != winner.runs.end()) {
            end_merged(winner, *rival, at, effects);
            winner.runs.erase(rival);
        }
        came_in.push_back(run.id);
        winner.runs.push_back(std::move(run));
    }
    std::ranges::stable_sort(winner.runs, is_older);
    while (winner.runs.size() > bounds::runs) {
        std::erase(came_in, winner.runs.front().id);
        end_merged(winner, winner.runs.front(), at, effects);
        winner.runs.erase(winner.runs.begin());
    }
    return came_in;
}

void unite_ended(Customer& winner, Customer& loser) {
    for (auto& ended : loser.ended) {
        const bool known = std::ranges::any_of(winner.ended, [&](const EndedRun& own) {
            return own.journey == ended.journey && own.key_hash == ended.key_hash &&
                   own.entered_at == ended.entered_at && own.ended_at == ended.ended_at;
        });
        if (!known) winner.ended.push_back(std::move(ended));
    }
    std::ranges::stable_sort(winner.ended, {}, &EndedRun::ended_at);
    std::map<std::string, std::size_t, std::less<>> counts;
    for (const auto& ended : winner.ended) ++counts[ended.journey];
    std::erase_if(winner.ended, [&](const EndedRun& ended) {
        auto& count = counts[ended.journey];
        if (count <= bounds::ended_keys) return false;
        --count;
        return true;
    });
}

void unite_goals(Customer& winner, Customer& loser) {
    for (auto& goal : loser.goals) {
        const bool known = std::ranges::any_of(winner.goals, [&](const GoalWatch& own) {
            return own.run == goal.run && own.goal == goal.goal && own.from == goal.from;
        });
        if (!known) winner.goals.push_back(std::move(goal));
    }
    std::ranges::stable_sort(winner.goals, {}, &GoalWatch::from);
    drop_front(winner.goals, bounds::goal_watches);
}

void unite_sends(Customer& winner, Customer& loser) {
    for (auto& mark : loser.sends)
        if (!mark.intent ||
            std::ranges::find(winner.sends, mark.intent, &SendMark::intent) == winner.sends.end())
            winner.sends.push_back(std::move(mark));
    std::ranges::stable_sort(winner.sends, {}, &SendMark::at);
    drop_front(winner.sends, bounds::sends);
}

void unite_refusals(Customer& winner, const Customer& loser) {
    for (const auto& refusal : loser.refusals) {
        const auto own = std::ranges::find(winner.refusals, refusal.journey, &Refusal::journey);
        if (own == winner.refusals.end() || own->at < refusal.at) remember(winner, refusal);
    }
}

void unite_dedup(Customer& winner, const Customer& loser) {
    std::vector<std::pair<Timestamp, std::uint64_t>> seen;
    const auto collect = [&](const Customer& customer) {
        for (std::size_t i = 0; i < customer.dedup.size(); ++i)
            seen.emplace_back(customer.dedup_written[i], customer.dedup[i]);
    };
    collect(winner);
    for (std::size_t i = 0; i < loser.dedup.size(); ++i)
        if (!contains(winner.dedup, loser.dedup[i]))
            seen.emplace_back(loser.dedup_written[i], loser.dedup[i]);
    std::ranges::stable_sort(seen, {}, &std::pair<Timestamp, std::uint64_t>::first);
    winner.dedup_evicted = std::max(winner.dedup_evicted, loser.dedup_evicted);
    winner.dedup.clear();
    winner.dedup_written.clear();
    for (const auto& [written, hash] : seen) {
        winner.dedup_written.push_back(written);
        winner.dedup.push_back(hash);
    }
    if (!seen.empty()) trim_dedup(winner, std::max(winner.accepted_at, seen.back().first));
}

/// What came for one of them does not come again for both.
void unite_dates(Customer& winner, const Customer& loser) {
    for (const auto& timer : loser.dates) {
        const auto own = std::ranges::find(winner.dates, timer.journey, &DateTimer::journey);
        if (own != winner.dates.end())
            own->last_day = std::max(own->last_day, timer.last_day);
        else if (winner.dates.size() < bounds::dates)
            winner.dates.push_back(timer);
    }
}

/// The stage of who bought last; it is reviewed when the purchases are united.
void unite_lifecycle(Customer& winner, const Customer& loser) {
    auto entered = winner.lifecycle.entered_by_risk;
    for (const auto journey : loser.lifecycle.entered_by_risk)
        if (!contains(entered, journey)) entered.push_back(journey);
    if (loser.lifecycle.last_day > winner.lifecycle.last_day) winner.lifecycle = loser.lifecycle;
    winner.lifecycle.entered_by_risk = std::move(entered);
}

void unite_decisions(Customer& winner, Customer& loser) {
    for (auto& watch : loser.decisions)
        if (std::ranges::find(winner.decisions, watch.id, &DecisionWatch::id) ==
            winner.decisions.end())
            winner.decisions.push_back(std::move(watch));
    // Who they are too many for says so (`Turn::forget_decisions`).
    std::ranges::stable_sort(winner.decisions, {}, &DecisionWatch::from);
    for (auto& rewarded : loser.rewarded)
        if (std::ranges::none_of(winner.rewarded, [&](const RewardedDecision& known) {
                return known.watch.id == rewarded.watch.id;
            }))
            winner.rewarded.push_back(std::move(rewarded));
    std::ranges::stable_sort(winner.rewarded, {}, &RewardedDecision::at);
    drop_front(winner.rewarded, bounds::rewarded);
}

/// The earlier of two instants of which zero means none.
Timestamp earlier(Timestamp a, Timestamp b) {
    if (a == Timestamp{}) return b;
    if (b == Timestamp{}) return a;
    return std::min(a, b);
}

} // namespace

void know(Customer& customer, const CustomerId& id) {
    if (id == customer.id || contains(customer.known_ids, id)) return;
    customer.known_ids.push_back(id);
    drop_front(customer.known_ids, bounds::known_ids);
}

bool is_junk(const CustomerId& id) {
    static constexpr std::array<std::string_view, 26> nobody{
        "",      "null",    "undefined", "nil",     "none",      "nan",     "n/a",
        "na",    "(null)",  "(none)",    "not set", "(not set)", "unknown", "anonymous",
        "guest", "visitor", "0",         "-1",      "true",      "false",   "[object object]",
        "{}",    "[]",      "\"\"",      "''",      "user_id"};
    std::string_view value{id.value};
    constexpr std::string_view blank{" \t\r\n"};
    const auto first = value.find_first_not_of(blank);
    if (first == std::string_view::npos || value.size() > 512) return true;
    value = value.substr(first, value.find_last_not_of(blank) - first + 1);
    // Zeros however they are grouped: the UUID of nobody, an advertising id that was switched off.
    if (value.find_first_not_of("0-") == std::string_view::npos) return true;
    if (id.space == IdNamespace::email && value.find('@') == std::string_view::npos) return true;
    if (value.size() > 16) return false;
    return std::ranges::find(nobody, std::string_view{folded(value)}) != nobody.end();
}

IdentityCache::IdentityCache(IdentityRules rules, std::size_t entries_max)
    : rules_(std::move(rules)), entries_max_(std::max<std::size_t>(entries_max, 2)) {
    for (auto& junk : rules_.junk) junk = folded(junk);
    std::ranges::sort(rules_.junk);
}

void IdentityCache::forget() {
    owner_.clear();
    older_.clear();
}

bool IdentityCache::is_nobody(const CustomerId& id) const {
    if (is_junk(id)) return true;
    return !rules_.junk.empty() && std::ranges::binary_search(rules_.junk, folded(id.value));
}

bool IdentityCache::links(const CustomerId& id) const {
    return !contains(rules_.never_link, id.space);
}

const CustomerId* IdentityCache::find(const CustomerId& id) {
    if (const auto found = owner_.find(id); found != owner_.end()) return &found->second;
    const auto old = older_.find(id);
    if (old == older_.end()) return nullptr;
    auto owner = std::move(old->second);
    older_.erase(old);
    return &remember(id, std::move(owner));
}

const CustomerId& IdentityCache::remember(const CustomerId& id, CustomerId owner) {
    if (owner_.size() >= entries_max_ / 2 && !owner_.contains(id)) {
        older_ = std::move(owner_);
        owner_.clear();
    }
    older_.erase(id);
    return owner_.insert_or_assign(id, std::move(owner)).first->second;
}

CustomerId IdentityCache::resolve(const CustomerId& id) {
    CustomerId at = id;
    for (int hop = 0; hop < hops_max; ++hop) {
        const auto* owner = find(at);
        if (!owner || *owner == id) break;
        at = *owner;
    }
    return at;
}

bool IdentityCache::may_link(const CustomerId& loser, const CustomerId& winner, Timestamp now) {
    if (now - day_ >= links_counted_for || links_.size() >= entries_max_) {
        links_.clear();
        day_ = now;
    }
    auto& by_loser = links_[hash(loser)];
    auto& by_winner = links_[hash(winner)]; // References to elements outlive a rehash.
    if (by_loser >= rules_.links_per_id || by_winner >= rules_.links_per_id) return false;
    ++by_loser;
    ++by_winner;
    return true;
}

void IdentityCache::tie(Routing& routing, const CustomerId& weaker, bool by_alias, Timestamp now) {
    // The usual case, and no copy of anything.
    const auto* owner = find(weaker);
    if (weaker == routing.customer || (owner && *owner == routing.customer)) return;
    const auto winner = routing.customer;
    const auto before = resolve(weaker);
    if (before == winner) return;
    if (!may_link(weaker, winner, now)) {
        ++routing.refused_links;
        return;
    }
    remember(weaker, winner);
    routing.links.push_back({weaker, {winner, by_alias}});
    // In the same append, so that no hand-over is granted to the one who has just been linked.
    if (before != weaker && before.space > winner.space) tie(routing, before, false, now);
}

Routing IdentityCache::route(const Event& event, Timestamp now) {
    Routing routing;
    const CustomerId* strongest = nullptr;
    const auto is_better = [&](const CustomerId& id) {
        if (!strongest) return true;
        if (links(id) != links(*strongest)) return links(id);
        return id.space < strongest->space;
    };
    for (const auto& id : event.ids)
        if (!is_nobody(id) && is_better(id)) strongest = &id;
    if (!strongest) return routing;
    routing.customer = resolve(*strongest);

    const auto is_weaker = [&](const CustomerId& id) {
        return !is_nobody(id) && links(id) && id.space > strongest->space;
    };
    // An address, a cart or an order that is known to be of a stronger id: so is who has it now. A
    // device passes from hand to hand.
    for (const auto& id : event.ids) {
        if (id.space == IdNamespace::anonymous || !is_weaker(id)) continue;
        if (const auto* known = find(id); !known || *known == routing.customer) continue;
        const auto owner = resolve(id);
        if (owner.space >= routing.customer.space) continue;
        const auto weaker = std::exchange(routing.customer, owner);
        tie(routing, weaker, false, now);
    }
    if (event.type == EventType::alias && event.previous && !is_nobody(*event.previous)) {
        const auto& previous = *event.previous;
        if (previous.space <
            routing.customer.space) { // Written the wrong way round: the stronger id stays.
            const auto weaker = std::exchange(routing.customer, resolve(previous));
            tie(routing, weaker, true, now);
        } else if (resolve(previous) != routing.customer) {
            tie(routing, previous, true, now);
        }
    }
    for (const auto& id : event.ids)
        if (is_weaker(id)) tie(routing, id, false, now);
    return routing;
}

void link(Customer& customer, const Record& record, const Link& link, Effects& effects) {
    if (is_void(customer.id, link)) return;
    const auto pass_on = [&](const CustomerId& weaker, const CustomerId& winner) {
        Record copy;
        copy.accepted_at = record.accepted_at;
        copy.customer = weaker;
        copy.body = Link{winner, false};
        copy.forwarded_from = passed_on_id(customer.id, record.offset);
        effects.emplace_back(ForwardOut{weaker, copy.forwarded_from, std::move(copy)});
    };
    if (customer.forward_to) {
        const auto before = *customer.forward_to;
        if (before == link.winner) return;
        const bool is_passed_on = record.forwarded_from != 0;
        if (link.winner.space < before.space)
            pass_on(before, link.winner);
        else if (is_passed_on)
            return;
        else if (before.space < link.winner.space && customer.id.space != IdNamespace::anonymous)
            return pass_on(link.winner, before);
        customer.forward_to = link.winner;
        note(effects, EntryKind::linked, record.accepted_at, link.winner);
        return;
    }
    if (contains(customer.known_ids, link.winner))
        return; // A circle: the winner is this customer already.
    TransferOut out{
        link.winner,
        {transfer_id(customer.id, link.winner, record.offset), customer.id, pack(customer)}};
    customer = bare(customer);
    customer.forward_to = link.winner;
    effects.emplace_back(std::move(out));
    note(effects, EntryKind::moved, record.accepted_at, link.winner);
}

std::vector<RunId> unite(Customer& winner, const Transfer& transfer, Customer loser,
                         const Catalog& catalog, Effects& effects) {
    if (contains(winner.transfers, transfer.id) || transfer.loser == winner.id) return {};
    winner.transfers.push_back(transfer.id);
    drop_front(winner.transfers, bounds::transfers);

    TimelineEntry came{.kind = EntryKind::merged};
    came.reason = to_text(transfer.loser);
    came.data = brought(loser);
    know(winner, transfer.loser);
    for (const auto& id : loser.known_ids) know(winner, id);
    unite_traits(winner, loser); // Looks at who was seen last, so before `last_seen`.
    winner.now = std::max(winner.now, loser.now);
    winner.accepted_at = std::max(winner.accepted_at, loser.accepted_at);
    winner.first_seen = earlier(winner.first_seen, loser.first_seen);
    winner.last_seen = std::max(winner.last_seen, loser.last_seen);
    unite_consents(winner, loser, effects);
    unite_suppressions(winner, loser);
    unite_active_hours(winner, loser);
    unite_lifecycle(winner, loser);
    unite_orders(winner, loser);
    unite_carts(winner, loser);
    unite_sessions(winner, loser, catalog.settings().session_idle);
    unite_counters(winner, loser);
    unite_sends(winner, loser);
    unite_dedup(winner, loser);
    unite_refusals(winner, loser);
    unite_dates(winner, loser);
    unite_decisions(winner, loser);
    came.at = winner.accepted_at;
    effects.emplace_back(std::move(came));
    auto came_in = unite_runs(winner, loser, winner.now, effects);
    unite_ended(winner, loser);
    unite_goals(winner, loser);
    return came_in;
}

void erase(Customer& customer, Effects& effects) {
    for (const auto& run : customer.runs)
        if (run.sending != Sending::none && run.intent)
            effects.emplace_back(IntentRecalled{run.intent, "erased"});
    effects.emplace_back(Erased{customer.id});
    customer = bare(customer);
}

} // namespace journeys
