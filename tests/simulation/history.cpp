#include "tests/simulation/history.hpp"

#include "tests/simulation/process.hpp"

#include "journeys/local_time.hpp"
#include "journeys/profile.hpp"

#include <algorithm>
#include <stdexcept>

namespace simulation {

using journeys::Catalog;
using journeys::Customer;
using journeys::Effects;

namespace {

/// The one of the thread's simulation; rules are plain functions.
thread_local History* current = nullptr;

journeys::Applied apply_without_dedup(Customer& customer, const Record& record,
                                      const Catalog& catalog, Effects& effects) {
    if (!record.event()) return journeys::apply(customer, record, catalog, effects);
    Record copy = record;
    std::get<journeys::Event>(copy.body).deduplicate = false;
    return journeys::apply(customer, copy, catalog, effects);
}

journeys::Applied apply_deaf_to_late_orders(Customer& customer, const Record& record,
                                            const Catalog& catalog, Effects& effects) {
    const auto* event = record.event();
    if (!event || event->name != "Order Completed" || event->time >= customer.now)
        return journeys::apply(customer, record, catalog, effects);
    // The same to the state, but of a name that no exit rule mentions.
    Record copy = record;
    std::get<journeys::Event>(copy.body).name = "Order Amended";
    return journeys::apply(customer, copy, catalog, effects);
}

journeys::Applied import_unchecked(Customer& customer, const Record& record, const Catalog& catalog,
                                   Effects& effects) {
    const auto* transfer = std::get_if<journeys::Transfer>(&record.body);
    if (!transfer) return journeys::apply(customer, record, catalog, effects);
    auto loser = journeys::unpack(transfer->state).value();
    loser.newest_events.clear();
    Record copy = record;
    std::get<journeys::Transfer>(copy.body).state = journeys::pack(loser);
    const auto newest = std::exchange(customer.newest_events, {});
    const auto result = journeys::apply(customer, copy, catalog, effects);
    customer.newest_events = newest;
    return result;
}

/// The run ends, and nobody is told to take its message back.
journeys::Applied apply_without_recall(Customer& customer, const Record& record,
                                       const Catalog& catalog, Effects& effects) {
    Effects own;
    const auto result = journeys::apply(customer, record, catalog, own);
    for (auto& effect : own)
        if (!std::holds_alternative<journeys::IntentRecalled>(effect))
            effects.push_back(std::move(effect));
    return result;
}

journeys::Applied apply_noting(Customer& customer, const Record& record, const Catalog& catalog,
                               Effects& effects) {
    const auto& world = current->world();
    const auto result = rules_with(world.mutant).apply(customer, record, catalog, effects);
    // Half of the work is done when it fails.
    if (world.is_poisoned && record.event() && record.event()->name == "Product Removed" &&
        record.event()->message_hash % 3 == 0)
        throw std::runtime_error("a poisoned event");
    return result;
}

bool fire_noting(Customer& customer, Timestamp closed, const Catalog& catalog, Effects& effects,
                 int limit) {
    const auto before = customer.revision;
    if (current->world().is_poisoned && customer.id.value == "u3" &&
        journeys::wake_at(customer, catalog) <= closed)
        throw std::runtime_error("a poisoned timer");
    const bool more = journeys::fire(customer, closed, catalog, effects, limit);
    if (customer.revision != before)
        current->note(customer.id, {Transition::Kind::fire,
                                    {},
                                    closed,
                                    catalog.publication(),
                                    customer.applied,
                                    before,
                                    customer.revision});
    return more;
}

journeys::HandOver hand_over_noting(Customer& customer, IntentId intent, Timestamp now,
                                    const Catalog& catalog, Effects& effects) {
    const auto before = customer.revision;
    const auto answer = journeys::hand_over(customer, intent, now, catalog, effects);
    if (customer.revision != before)
        current->note(customer.id, {Transition::Kind::hand_over, intent, now, catalog.publication(),
                                    customer.applied, before, customer.revision});
    return answer;
}

bool is_granted_noting(const Customer& customer, IntentId intent) {
    const bool truth = journeys::is_granted(customer, intent);
    current->said(intent, truth);
    return truth || current->world().mutant == Mutant::recall_ignored;
}

journeys::Result<void> unpack_or_not(std::string_view block, Customer& customer) {
    auto unpacked = journeys::unpack(block, customer);
    if (unpacked && current->world().is_poisoned && customer.id.value == "a2" &&
        customer.revision > 3)
        return journeys::Error{journeys::ErrorCode::invalid_state, "a poisoned state"};
    return unpacked;
}

} // namespace

actors::Rules rules_with(Mutant mutant) {
    actors::Rules rules = actors::product_rules();
    if (mutant == Mutant::no_dedup) rules.apply = apply_without_dedup;
    if (mutant == Mutant::recall_ignored) rules.apply = apply_without_recall;
    if (mutant == Mutant::late_order_stays) rules.apply = apply_deaf_to_late_orders;
    if (mutant == Mutant::import_without_exit_check) rules.apply = import_unchecked;
    return rules;
}

actors::Rules History::rules() {
    actors::Rules rules = actors::product_rules();
    rules.apply = apply_noting;
    rules.fire = fire_noting;
    rules.hand_over = hand_over_noting;
    rules.is_granted = is_granted_noting;
    rules.unpack = rules.unpack_own = unpack_or_not;
    return rules;
}

History::Running::Running(History& history, const Process* process) {
    history.process_ = process;
    current = &history;
}
History::Running::~Running() { current = nullptr; }

void History::note(const CustomerId& customer, const Transition& transition) {
    world_.tell([&] {
        return "process " + (process_ ? process_->name() : std::string{"-"}) + ": " +
               (transition.kind == Transition::Kind::fire ? "timers" : "hand-over") + " of " +
               journeys::to_text(customer) + " as of " + journeys::to_text(transition.at) +
               " under " + std::to_string(transition.publication) + ", r" +
               std::to_string(transition.before) + "-" + std::to_string(transition.revision) +
               " a" + std::to_string(transition.applied);
    });
    auto& list = open_[process_][customer];
    // What is done again from the state before counts once.
    std::erase_if(list,
                  [&](const Transition& other) { return other.revision > transition.before; });
    list.push_back(transition);
}

void History::committed(const Process* process, const CustomerId& customer,
                        std::uint64_t revision) {
    auto& list = open_[process][customer];
    const auto end = std::ranges::find_if(
        list, [&](const Transition& transition) { return transition.revision > revision; });
    auto& done = committed_[customer];
    done.insert(done.end(), list.begin(), end);
    list.erase(list.begin(), end);
}

const std::vector<Transition>& History::of(const CustomerId& customer) const {
    static const std::vector<Transition> none;
    const auto found = committed_.find(customer);
    return found == committed_.end() ? none : found->second;
}

void History::said(IntentId intent, bool is_granted) { words_[{process_, intent}] = is_granted; }

std::optional<bool> History::last_word(const Process* process, IntentId intent) {
    const auto found = words_.find({process, intent});
    if (found == words_.end()) return std::nullopt;
    const bool word = found->second;
    words_.erase(found);
    return word;
}

} // namespace simulation
