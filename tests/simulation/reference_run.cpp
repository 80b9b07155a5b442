#include "tests/simulation/checks.hpp"

#include "journeys/engine.hpp"
#include "journeys/local_time.hpp"
#include "journeys/newest_lines.hpp"
#include "journeys/profile.hpp"

#include <algorithm>
#include <unordered_set>

namespace simulation {

using journeys::CatalogPtr;
using journeys::Customer;
using journeys::Effects;

namespace {

constexpr auto one_instant = journeys::Duration{1};

/// Without what depends on when things ran: how often a customer was looked at.
std::string essence(Customer customer) {
    customer.revision = customer.publication = 0;
    return journeys::pack(customer);
}

std::string text(Timestamp at) { return at == journeys::no_time ? "never" : journeys::to_text(at); }

std::string told(const journeys::Effect& effect) {
    struct Teller {
        std::string operator()(const journeys::TimelineEntry& line) const {
            return std::string{journeys::to_text(line.kind)} + ' ' + text(line.at) + ' ' +
                   line.journey + '/' + line.step + '/' + line.key + ' ' +
                   std::to_string(line.version) + ' ' + line.reason + ' ' +
                   journeys::to_text(line.intent) + ' ' + text(line.until) + ' ' + line.data;
        }
        std::string operator()(const journeys::IntentOpened& intent) const {
            return "opened " + journeys::to_text(intent.id) + ' ' + intent.step + ' ' +
                   text(intent.at) + ' ' + text(intent.expires_at);
        }
        std::string operator()(const journeys::IntentGranted& grant) const {
            return "granted " + journeys::to_text(grant.id) + ' ' + text(grant.at) + ' ' +
                   grant.payload;
        }
        std::string operator()(const journeys::IntentRecalled& recall) const {
            return "recalled " + journeys::to_text(recall.id) + ' ' + recall.reason;
        }
        std::string operator()(const journeys::IntentSettled& settled) const {
            return "settled " + journeys::to_text(settled.id) + ' ' +
                   std::to_string(static_cast<int>(settled.state)) + ' ' + text(settled.at);
        }
        std::string operator()(const journeys::TransferOut& out) const {
            return "transfer " + journeys::to_text(out.to) + ' ' + std::to_string(out.transfer.id) +
                   ' ' + essence(journeys::unpack(out.transfer.state).value());
        }
        std::string operator()(const journeys::ForwardOut& out) const {
            return "forward " + journeys::to_text(out.to) + ' ' + std::to_string(out.id);
        }
        std::string operator()(const journeys::CouponTaken& taken) const {
            return "coupon " + taken.pool + ' ' + taken.code + ' ' + journeys::to_text(taken.run);
        }
        std::string operator()(const journeys::Erased& erased) const {
            return "erased " + journeys::to_text(erased.customer);
        }
    };
    return std::visit(Teller{}, effect);
}

/// One customer, all alone.
class Alone {
public:
    Alone(World& world, const CustomerId& id, const std::vector<Transition>& transitions)
        : world_(world), rules_(rules_with(world.mutant)), transitions_(transitions),
          catalog_(world.disk.publications.at(1)) {
        customer.id = id;
    }

    void publish(const Record& record) {
        const auto& publish = std::get<journeys::Publish>(record.body);
        let_happen(record.accepted_at);
        const bool is_somebody = customer.revision != 0;
        if (is_somebody) fire(record.accepted_at - one_instant);
        catalog_ = world_.disk.publications.at(publish.publication);
        if (is_somebody) fire(record.accepted_at - one_instant); // Meets it where it stands.
    }

    void take(const Record& record) {
        let_happen(record.accepted_at);
        const auto* event = record.event();
        const bool is_repeated = event && !seen_.insert(event->message_hash).second;
        if (is_repeated && record.forwarded_from == 0 &&
            rules_.may_be_older_duplicate(customer, *event)) {
            fire(record.accepted_at - one_instant);
            customer.applied = record.offset;
            customer.accepted_at = record.accepted_at;
        } else {
            rules_.apply(customer, record, *catalog_, effects);
        }
    }

    void end(Timestamp closed) {
        let_happen(journeys::no_time);
        fire(closed);
        if (next_ != transitions_.size())
            world_.violate("I3: what happened to " + journeys::to_text(customer.id) + " at " +
                           text(transitions_[next_].at) + " under publication " +
                           std::to_string(transitions_[next_].publication) +
                           " has no place in the log");
    }

    Customer customer;
    Effects effects;

private:
    void fire(Timestamp closed) {
        while (rules_.fire(customer, closed, *catalog_, effects, 64)) {
        }
    }

    /// What live did between the last record and the next, which was accepted at `until`.
    void let_happen(Timestamp until) {
        for (; next_ < transitions_.size(); ++next_) {
            const auto& transition = transitions_[next_];
            if (transition.applied != customer.applied ||
                transition.publication != catalog_->publication())
                return;
            if (transition.kind == Transition::Kind::fire) {
                closed_ = std::max(closed_, transition.at);
                if (closed_ >= until)
                    world_.violate("I5: a timer of " + journeys::to_text(customer.id) +
                                   " fired as of " + text(closed_) +
                                   ", before a record accepted at " + text(until));
                fire(transition.at);
            } else {
                rules_.hand_over(customer, transition.intent, transition.at, *catalog_, effects);
            }
        }
    }

    World& world_;
    actors::Rules rules_;
    const std::vector<Transition>& transitions_;
    std::size_t next_ = 0;
    CatalogPtr catalog_;
    Timestamp closed_ = journeys::timestamp_min;
    std::unordered_set<std::uint64_t> seen_;
};

/// What differs first, for the one who has to find out why.
std::string difference(const Effects& expected, const Effects& found) {
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        const auto should = i < expected.size() ? told(expected[i]) : "nothing";
        const auto is = i < found.size() ? told(found[i]) : "nothing";
        if (should != is)
            return "effect " + std::to_string(i) + " should be [" + should + "] and is [" + is +
                   "]";
    }
    return {};
}

std::string difference(const Customer& expected, const Customer& found) {
    std::string text;
    const auto compare = [&](const char* what, const auto& should, const auto& is) {
        if (!(should == is)) text += std::string{" "} + what;
    };
    compare("applied", expected.applied, found.applied);
    compare("forward", expected.forward_to, found.forward_to);
    compare("orders", expected.order_count, found.order_count);
    compare("dedup", expected.dedup, found.dedup);
    compare("traits", expected.traits, found.traits);
    compare("runs", expected.runs.size(), found.runs.size());
    compare("ended", expected.ended.size(), found.ended.size());
    compare("sends", expected.sends.size(), found.sends.size());
    compare("session", expected.session.end_announced, found.session.end_announced);
    for (std::size_t i = 0; i < std::min(expected.runs.size(), found.runs.size()); ++i)
        text += " run " + expected.runs[i].journey + ": step " +
                std::to_string(expected.runs[i].step) + "/" + std::to_string(found.runs[i].step) +
                " due " + ::simulation::text(expected.runs[i].due) + "/" +
                ::simulation::text(found.runs[i].due);
    return text;
}

void compare(World& world, const Alone& expected, const Disk::Partition& partition) {
    const auto& id = expected.customer.id;
    const auto name = journeys::to_text(id);
    static const Effects none;
    const auto history = world.disk.history.find(id);
    const auto& found = history == world.disk.history.end() ? none : history->second;
    // Some lines are kept in the state alone.
    auto effects = expected.effects;
    std::erase_if(effects, [](const journeys::Effect& effect) {
        const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
        return line && journeys::is_in_state(line->kind);
    });
    if (const auto text = difference(effects, found); !text.empty())
        return world.violate("I3: of what happened to " + name + ' ' + text);
    const auto row = partition.customers.find(id);
    if (row == partition.customers.end() || !row->second.block)
        return world.violate("I1: " + name + " has no state");
    const auto stored = journeys::unpack(*row->second.block).value();
    if (essence(stored) != essence(expected.customer))
        world.violate("I1, I2: the state of " + name +
                      " is not what the log makes of it:" + difference(expected.customer, stored));
}

} // namespace

void compare_with_reference(World& world, const History& history,
                            const std::vector<Timestamp>& closed) {
    for (std::size_t i = 0; i < world.disk.partitions.size(); ++i) {
        const auto& partition = world.disk.partitions[i];
        std::map<CustomerId, Alone> customers;
        std::vector<RecordPtr> published;
        for (const auto& record : partition.log) {
            if (record->kind() == journeys::RecordKind::publish) {
                published.push_back(record);
                for (auto& [id, alone] : customers) alone.publish(*record);
                continue;
            }
            const auto [at, is_new] = customers.try_emplace(
                record->customer, world, record->customer, history.of(record->customer));
            if (is_new)
                for (const auto& earlier : published) at->second.publish(*earlier);
            at->second.take(*record);
        }
        for (auto& [id, alone] : customers) {
            alone.end(closed[i]);
            compare(world, alone, partition);
        }
        for (const auto& [id, row] : partition.customers)
            if (!customers.contains(id))
                world.violate("I1: " + journeys::to_text(id) + " came of nothing");
    }
}

} // namespace simulation
