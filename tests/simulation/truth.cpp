#include "tests/simulation/checks.hpp"

#include "journeys/profile.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace simulation {

using journeys::Customer;

namespace {

void check_log(World& world) {
    std::unordered_set<std::uint64_t> stored;
    std::unordered_map<std::uint64_t, int> moved;
    for (const auto& partition : world.disk.partitions) {
        for (std::size_t i = 0; i < partition.log.size(); ++i) {
            const auto& record = *partition.log[i];
            if (record.offset != i + 1)
                world.violate("I6: offset " + std::to_string(record.offset) + " stands at place " +
                              std::to_string(i + 1));
            if (i > 0 && record.accepted_at < partition.log[i - 1]->accepted_at)
                world.violate("the log's clock went back");
            if (const auto* event = record.event()) stored.insert(event->message_hash);
            if (record.forwarded_from != 0) ++moved[record.forwarded_from];
            if (const auto* transfer = std::get_if<journeys::Transfer>(&record.body))
                if (record.forwarded_from == 0) ++moved[transfer->id];
        }
        if (partition.watermark != partition.log.size())
            world.violate("I8: the position stays at " + std::to_string(partition.watermark) +
                          " of " + std::to_string(partition.log.size()));
        if (!partition.parked.empty()) world.violate("a record was parked");
    }
    for (const auto hash : world.acked)
        if (!stored.contains(hash)) world.violate("I1: an acknowledged message is not in the log");
    for (const auto& [id, count] : moved)
        if (count > 1) world.violate("I2: what one customer gave another arrived twice");
    std::size_t given = 0;
    for (const auto& [customer, history] : world.disk.history)
        given += static_cast<std::size_t>(std::ranges::count_if(history, [](const auto& effect) {
            return std::holds_alternative<journeys::TransferOut>(effect) ||
                   std::holds_alternative<journeys::ForwardOut>(effect);
        }));
    if (given != moved.size())
        world.violate("I1: of " + std::to_string(given) + " things on their way to others " +
                      std::to_string(moved.size()) + " arrived");
}

void check_outbox(World& world) {
    const auto& outbox = world.disk.outbox;
    std::set<IntentId> opened;
    for (const auto& [customer, history] : world.disk.history)
        for (const auto& effect : history)
            if (const auto* intent = std::get_if<journeys::IntentOpened>(&effect))
                opened.insert(intent->id);
    for (const auto id : opened)
        if (!outbox.contains(id)) world.violate("I3: an intent has no row in the outbox");
    for (const auto& [id, row] : outbox) {
        if (!opened.contains(id)) world.violate("I3: a row of the outbox came of nothing");
        if (row.state == IntentState::pending || row.state == IntentState::claimed)
            world.violate("I8: intent " + journeys::to_text(id) + " of " +
                          journeys::to_text(row.customer) + " is not settled");
        const auto found = world.provider.find(id);
        const int accepted = found == world.provider.end() ? 0 : found->second.accepted;
        if (row.state == IntentState::accepted && accepted == 0)
            world.violate("I4: accepted by nobody: " + journeys::to_text(id));
        if (accepted > 0 && row.state != IntentState::accepted && row.state != IntentState::unknown)
            world.violate("I4: " + journeys::to_text(id) + " went out and is on record as state " +
                          std::to_string(static_cast<int>(row.state)));
    }
    for (const auto& [id, delivery] : world.provider)
        if (delivery.payloads.size() > 1) world.violate("I4: one intent with two payloads");
}

/// Beside the messages alone: who counted what, and whose order left a run open.
void check_customers(World& world) {
    std::map<CustomerId, Customer> customers;
    std::int64_t counted = 0;
    for (const auto& partition : world.disk.partitions)
        for (const auto& [id, row] : partition.customers) {
            if (!row.block) continue;
            auto customer = journeys::unpack(*row.block).value();
            if (!customer.forward_to)
                counted += journeys::count(customer, "Product Viewed", journeys::timestamp_min);
            customers.emplace(id, std::move(customer));
        }
    const auto owner_of = [&](CustomerId id) -> const Customer* {
        for (int hops = 0; hops < 20; ++hops) {
            const auto found = customers.find(id);
            if (found == customers.end()) return nullptr;
            if (!found->second.forward_to) return &found->second;
            id = *found->second.forward_to;
        }
        return nullptr;
    };
    std::unordered_set<std::uint64_t> viewed;
    std::unordered_map<std::uint64_t, CustomerId> came_under;
    std::int64_t untold = 0;
    for (const auto& partition : world.disk.partitions)
        for (const auto& record : partition.log) {
            const auto* event = record->event();
            if (!event) continue;
            // Of a message that was passed on, and that the ring of its customer is too short for,
            // nobody can tell whether it was seen.
            if (record->forwarded_from != 0)
                if (const auto* owner = owner_of(record->customer))
                    untold += owner->dedup_evicted > Timestamp{} ? 1 : 0;
            // Nor of one that comes again under another id than before: the log is asked by id.
            const auto [before, is_new] = came_under.emplace(event->message_hash, record->customer);
            if (!is_new && record->forwarded_from == 0 && before->second != record->customer)
                if (const auto* owner = owner_of(record->customer))
                    untold += owner->dedup_evicted > Timestamp{} ? 1 : 0;
            if (event->name == "Product Viewed") viewed.insert(event->message_hash);
            if (event->name != "Order Completed") continue;
            const auto* owner = owner_of(record->customer);
            if (!owner) continue;
            for (const auto& run : owner->runs) {
                const bool is_theirs =
                    record->customer == owner->id || record->customer == run.customer_at_entry;
                if (run.journey == "cart-abandon" && is_theirs && event->time > run.entered_at)
                    world.violate("the run of " + journeys::to_text(owner->id) +
                                  " is open behind an order");
            }
        }
    const auto difference = counted - static_cast<std::int64_t>(viewed.size());
    if (difference < 0 || difference > untold)
        world.violate("I2: " + std::to_string(viewed.size()) + " views, counted " +
                      std::to_string(counted));
}

/// The customer of a row as it is stored; nothing for a tombstone and for one without a state.
std::optional<Customer> customer_of(const Disk::Partition& partition, const CustomerId& id) {
    const auto row = partition.customers.find(id);
    if (row == partition.customers.end() || !row->second.block) return std::nullopt;
    auto customer = journeys::unpack(*row->second.block).value();
    if (customer.forward_to) return std::nullopt;
    return customer;
}

/// Everybody whom it concerned when it began, and who is still there, got one copy by their own
/// log.
void check_walks(World& world) {
    for (const auto& [id, stored] : world.disk.walks) {
        if (!stored.is_over) world.violate("I8: a walk is not over");
        std::map<CustomerId, int> copies;
        for (const auto& partition : world.disk.partitions) {
            for (const auto& record : partition.log)
                if (const auto* event = record->event();
                    event && event->message_hash == id && record->forwarded_from == 0)
                    ++copies[record->customer];
            for (const auto& [customer, row] : partition.customers)
                if (stored.owed.contains(customer) && customer_of(partition, customer) &&
                    !copies.contains(customer))
                    world.violate("I1: a walk has left " + journeys::to_text(customer) + " out");
        }
        for (const auto& [customer, count] : copies)
            if (count > 1)
                world.violate("I2: a walk has reached " + journeys::to_text(customer) + " twice");
    }
}

bool is_cart_run(const std::string& journey) { return journey == "cart-abandon"; }

/// Whether a run that was entered at `entered` was open behind `instant`.
bool outlived(const Customer& customer, Timestamp entered, Timestamp instant) {
    const auto is_it = [&](const auto& run) {
        return is_cart_run(run.journey) && run.entered_at == entered;
    };
    return std::ranges::any_of(customer.runs, is_it) ||
           std::ranges::any_of(customer.ended, [&](const journeys::EndedRun& run) {
               return is_it(run) && run.ended_at > instant;
           });
}

/// An order ends every run that was entered before it, however late it comes. Of people with one
/// name only: the others' runs may have been another's at the time. What comes again ends nothing.
void check_orders(World& world) {
    std::set<std::pair<CustomerId, std::uint64_t>> known;
    for (const auto& partition : world.disk.partitions)
        for (const auto& record : partition.log) {
            const auto* event = record->event();
            if (!event || !known.emplace(record->customer, event->message_hash).second) continue;
            if (event->name != "Order Completed" || record->forwarded_from != 0) continue;
            const auto customer = customer_of(partition, record->customer);
            if (!customer || !customer->known_ids.empty() ||
                std::ranges::find(event->ids, customer->id) == event->ids.end())
                continue;
            std::vector<Timestamp> entries;
            for (const auto& run : customer->runs)
                if (is_cart_run(run.journey)) entries.push_back(run.entered_at);
            for (const auto& run : customer->ended)
                if (is_cart_run(run.journey)) entries.push_back(run.entered_at);
            for (const auto entered : entries)
                if (entered < event->time && outlived(*customer, entered, record->accepted_at))
                    world.violate("a run of " + journeys::to_text(customer->id) + " of " +
                                  std::to_string(journeys::to_millis(entered)) +
                                  " outlived an order behind its entry, of " +
                                  std::to_string(journeys::to_millis(event->time)) + ", accepted " +
                                  std::to_string(journeys::to_millis(record->accepted_at)));
        }
}

/// A run that comes with a link ends there, where the one who takes it in has ordered since.
void check_imports(World& world) {
    for (const auto& partition : world.disk.partitions)
        for (std::size_t i = 0; i < partition.log.size(); ++i) {
            const auto& record = *partition.log[i];
            const auto* transfer = std::get_if<journeys::Transfer>(&record.body);
            if (!transfer) continue;
            const auto winner = customer_of(partition, record.customer);
            if (!winner) continue;
            const auto loser = journeys::unpack(transfer->state).value();
            for (const auto& run : loser.runs) {
                if (!is_cart_run(run.journey)) continue;
                const bool ordered_since = std::any_of(
                    partition.log.begin(), partition.log.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const RecordPtr& earlier) {
                        const auto* event = earlier->event();
                        return event && event->name == "Order Completed" &&
                               earlier->customer == record.customer &&
                               std::ranges::find(event->ids, winner->id) != event->ids.end() &&
                               event->time > run.entered_at;
                    });
                // Their logs may have different clocks.
                const auto imported = std::max(record.accepted_at, loser.now);
                if (ordered_since && outlived(*winner, run.entered_at, imported))
                    world.violate("a run outlived its import to " + journeys::to_text(winner->id) +
                                  ", who had ordered since");
            }
        }
}

} // namespace

void check_the_truth(World& world, const Process& last) {
    check_log(world);
    check_outbox(world);
    check_customers(world);
    check_orders(world);
    check_imports(world);
    check_walks(world);
    if (last.heard().flushes != last.truth().flushes || last.heard().opened != last.truth().opened)
        world.violate("I9: the metrics tell of " + std::to_string(last.heard().flushes) + " of " +
                      std::to_string(last.truth().flushes) + " flushes");
}

} // namespace simulation
