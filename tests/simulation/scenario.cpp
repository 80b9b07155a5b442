#include "tests/simulation/scenario.hpp"

#include "tests/simulation/catalogs.hpp"
#include "tests/simulation/checks.hpp"
#include "tests/simulation/shop.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace simulation {

using namespace std::chrono_literals;

namespace {

class Scenario {
public:
    Scenario(std::uint64_t seed, Mutant mutant, std::function<void(const std::string&)> teller)
        : world_(seed, 3, mutant), history_(world_), shop_(world_), rules_(History::rules()) {
        world_.teller = std::move(teller);
        const auto size = [&](int low, int high) {
            return static_cast<std::size_t>(world_.between(low, high));
        };
        settings_.partitions = 3;
        settings_.testing = true;
        settings_.rules = &rules_;
        settings_.partition.idle_after = std::chrono::seconds{world_.between(1, 600)};
        settings_.partition.active_customers_max = size(1, 12);
        settings_.partition.load_batch = size(1, 5);
        settings_.partition.wakes_per_tick = size(1, 20);
        settings_.partition.timer_batch = size(2, 20);
        settings_.flush.customers_max = size(1, 8);
        settings_.walks.page = size(1, 5);
        settings_.walks.batch_max = size(1, 3);
        settings_.channels.push_back({.name = "mail", .concurrency = size(1, 4)});
        settings_.channels.push_back(
            {.name = "crm", .deduplicates = true, .concurrency = size(1, 4)});
        for (auto& channel : settings_.channels)
            if (world_.between(0, 1) == 0) channel.queue_max = size(1, 6);
        auto& faults = world_.faults;
        // Some lives are calm, some are not.
        const double weight = world_.between(0, 3) * 0.05;
        faults.append_fails = faults.flush_lost = faults.flush_reply_lost = faults.load_fails =
            weight;
        faults.provider_refuses = 0.05;
        faults.provider_retries = faults.provider_times_out = weight;
        faults.provider_hangs = weight;
        // Where something is poison, nothing is published: what was parked is applied under the
        // publication of the day on which it is released.
        world_.is_poisoned = world_.between(0, 5) == 0;
    }

    Result live() {
        start();
        for (int acts = world_.between(40, 160); acts > 0; --acts) {
            act();
            run_some(world_.between(0, 40));
        }
        calm_down();
        if (world_.violation.empty()) {
            compare_with_reference(world_, history_, closed());
            check_the_truth(world_, *processes_.back());
            if (processes_.back()->system().credit().in_flight() != 0)
                world_.violate("I7: credit was not given back");
        }
        return account();
    }

private:
    void start() { processes_.push_back(std::make_unique<Process>(world_, history_, settings_)); }

    /// One thing that may happen next; false where nothing is left to happen at this instant.
    bool step() {
        std::size_t choices = 0;
        for (const auto& process : processes_)
            if (moves(*process)) choices += process->runnable();
        const auto is_possible = [&](const Pending& pending) {
            return pending.not_before <= world_.clock &&
                   (pending.is_outside || moves(*pending.owner));
        };
        choices += static_cast<std::size_t>(std::ranges::count_if(world_.later, is_possible));
        if (choices == 0) return false;
        ++world_.steps;
        auto choice = static_cast<std::size_t>(world_.chance() % choices);
        world_.trace(choice);
        for (const auto& process : processes_) {
            if (!moves(*process)) continue;
            if (choice < process->runnable()) {
                process->run(choice);
                return true;
            }
            choice -= process->runnable();
        }
        for (auto pending = world_.later.begin();; ++pending) {
            if (!is_possible(*pending) || choice-- > 0) continue;
            const auto what = std::move(pending->what);
            world_.later.erase(pending);
            what();
            return true;
        }
    }
    static bool moves(const Process& process) { return process.is_alive() && !process.is_frozen; }

    void run_some(int steps) {
        for (; steps > 0 && step(); --steps) {
        }
    }
    void settle() {
        while (step()) {
        }
    }
    void pass(journeys::Duration span) {
        world_.clock += span;
        for (const auto& process : processes_) process->tick();
    }

    /// The one that is meant to serve.
    Process& newest() { return *processes_.back(); }
    /// One that a producer may be connected to.
    Process& door() {
        for (const auto& process : processes_)
            if (moves(*process) && world_.between(0, 3) == 0) return *process;
        return newest();
    }

    void act() {
        const int dice = world_.between(0, 199);
        if (dice < 90) {
            shop_.act(door());
        } else if (dice < 100) {
            shop_.repeat(door());
        } else if (dice < 110) {
            shop_.send_unacked(newest());
        } else if (dice < 140) {
            pass(std::chrono::milliseconds{world_.between(1, 8000)});
        } else if (dice < 160) {
            for (int ticks = world_.between(1, 12); ticks > 0; --ticks) {
                pass(std::chrono::seconds{world_.between(1, 300)});
                run_some(world_.between(0, 60));
            }
        } else if (dice < 166) { // kill -9, and a new one at once or later.
            newest().kill();
            if (world_.between(0, 1) == 0) pass(std::chrono::seconds{world_.between(0, 5000)});
            ++result_.crashes;
            start();
        } else if (dice < 170) { // Another takes over, and this one lives on, or stands still.
            newest().is_frozen = world_.between(0, 1) == 0;
            ++result_.zombies;
            start();
        } else if (dice < 175) {
            for (const auto& process : processes_) {
                if (process.get() == &newest() || !process->is_alive()) continue;
                if (process->is_frozen)
                    process->is_frozen = false;
                else
                    process->kill();
            }
        } else if (dice < 181) {
            publish(static_cast<std::size_t>(world_.between(0, 5)));
        } else if (dice < 183) {
            begin_walk();
        } else if (dice < 186) {
            world_.down_until = world_.clock + std::chrono::seconds{world_.between(1, 90)};
        } else if (dice < 189) {
            // While nobody runs, the clock is set back: within a process it is steady.
            for (const auto& process : processes_) process->kill();
            world_.clock -= std::chrono::seconds{world_.between(1, 3600)};
            start();
        } else if (dice < 192) {
            stop_in_order();
            start();
        } else {
            settle();
        }
    }

    void publish(std::size_t which) {
        if (world_.is_poisoned) return;
        // Each has a number of its own, so that the account can tell one from its return.
        const auto& content = *catalogs().at(which);
        const std::uint64_t number = 100 + ++result_.publications;
        world_.disk.publications[number] = std::make_shared<const journeys::Catalog>(
            number, content.settings(),
            std::vector<journeys::JourneyPtr>{content.journeys().begin(), content.journeys().end()},
            std::vector<journeys::JourneyPtr>{content.known().begin(), content.known().end()},
            std::map<std::string, std::shared_ptr<const journeys::Template>>{}, content.model_set(),
            content.lookups());
        world_.is_visit_paused = content.journey("visit")->status == journeys::Status::paused;
        shop_.published(newest(), number);
    }

    /// An audience is let in, or a price drops.
    void begin_walk() {
        actors::Walk walk;
        walk.pace = world_.between(1, 40);
        if (world_.between(0, 1) == 0) {
            walk.audience = "everybody";
            const auto& visit = *catalogs().back()->journey("visit");
            walk.event = journeys::audience_event(visit, walk.audience, world_.clock);
        } else {
            walk.product = "p" + std::to_string(world_.between(1, 4));
            walk.event.name = std::string{journeys::price_dropped};
            walk.event.properties = price_drop(walk.product);
            walk.event.at = world_.clock;
            walk.event.message_hash = journeys::hash(walk.product, world_.chance()) | 1;
        }
        walk.id = walk.event.message_hash;
        world_.disk.walks.emplace(walk.id, Disk::StoredWalk{walk, {}, false});
        ++result_.walks;
    }
    static std::string price_drop(const std::string& product) {
        journeys::PackedWriter writer;
        const auto mark = writer.begin_map();
        writer.key("product_id");
        writer.string(product);
        writer.key("to");
        writer.integer(7);
        writer.end_map(mark, 2);
        return writer.take();
    }

    void stop_in_order() {
        bool drained = false, stopped = false;
        auto& process = newest();
        process.system().drain_channels([&] { drained = true; });
        for (int i = 0; i < 40 && !drained; ++i) {
            pass(50ms);
            run_some(200);
        }
        process.system().stop_partitions([&] { stopped = true; });
        for (int i = 0; i < 40 && !stopped; ++i) {
            pass(50ms);
            run_some(200);
        }
        process.kill(); // Where storage was down, it was not in order.
    }

    /// The faults end, and time goes on until all that is due has happened.
    void calm_down() {
        world_.faults.on = false;
        for (const auto& process : processes_) {
            if (process.get() == &newest()) continue;
            process->is_frozen = false;
            process->kill();
        }
        const auto repeat = [&](int times, journeys::Duration span) {
            for (; times > 0; --times) {
                pass(span);
                settle();
            }
        };
        repeat(100, 100ms);
        const auto start_where_fenced = [&] {
            if (newest().is_live()) return;
            // An older one has taken over behind it, and is gone too.
            newest().kill();
            start();
            repeat(100, 100ms);
        };
        start_where_fenced();
        if (world_.is_poisoned) release_all(repeat);
        publish(catalogs().size() - 1); // Whatever was paused goes on.
        repeat(60, 1s);
        const auto until = world_.clock + 9h;
        for (int jumps = 0; world_.clock < until && jumps < 3000; ++jumps) {
            start_where_fenced(); // It learns of it at an append.
            if (shop_.has_unacked()) shop_.send_unacked(newest());
            settle();
            const auto wait = next_wake() - world_.clock;
            pass(std::clamp<journeys::Duration>(wait, 1s, 20min));
            settle();
            repeat(3, 1s);
        }
        repeat(120, 1s);
        if (!newest().is_live()) world_.violate("I8: the service is not up again");
        if (shop_.has_unacked()) world_.violate("I8: a message was never acknowledged");
    }

    /// The fault of the rules is mended, and an operator lets everybody out of quarantine.
    template <class Repeat> void release_all(Repeat repeat) {
        world_.is_poisoned = false;
        repeat(70, 1s); // A whole checkpoint: until then not every quarantine is on disk.
        release_those_on_disk(repeat);
    }

    template <class Repeat> void release_those_on_disk(Repeat repeat) {
        int asked = 0;
        const auto answered = std::make_shared<int>(0);
        for (actors::Partition i = 0; i < settings_.partitions; ++i) {
            std::set<CustomerId> parked;
            for (const auto& record : world_.disk.partitions[i].parked)
                parked.insert(record.customer);
            for (const auto& customer : parked) {
                ++asked;
                world_.tell([&] { return "release of " + journeys::to_text(customer); });
                newest().system().release(customer, [this, answered](const std::string& why_not) {
                    ++*answered;
                    world_.tell([&] { return "released: " + why_not; });
                    if (!why_not.empty()) world_.violate("still in quarantine: " + why_not);
                });
            }
        }
        // It begins when all that they have done is written, which may take a whole checkpoint.
        for (int i = 0; i < 100 && *answered < asked; ++i) repeat(1, 1s);
        if (asked != *answered) world_.violate("a release was not answered");
    }

    Timestamp next_wake() const {
        Timestamp next = world_.clock + 1h;
        for (const auto& partition : world_.disk.partitions)
            for (const auto& [id, row] : partition.customers)
                if (row.wake_at > world_.clock) next = std::min(next, row.wake_at);
        for (const auto& pending : world_.later)
            if (pending.not_before > world_.clock) next = std::min(next, pending.not_before);
        return next;
    }

    std::vector<Timestamp> closed() {
        std::vector<Timestamp> instants;
        for (actors::Partition i = 0; i < settings_.partitions; ++i)
            instants.push_back(newest().closed(i));
        return instants;
    }

    Result account() {
        result_.violation = world_.violation;
        result_.parked = world_.parked;
        for (const auto& partition : world_.disk.partitions) {
            result_.records += partition.log.size();
            for (const auto& record : partition.log) {
                world_.trace(journeys::hash(record->customer) + record->offset);
                if (std::holds_alternative<journeys::Transfer>(record->body)) ++result_.transfers;
            }
            for (const auto& [id, row] : partition.customers)
                if (row.block) world_.trace(journeys::hash(*row.block));
        }
        for (const auto& [customer, history] : world_.disk.history)
            for (const auto& effect : history)
                if (const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
                    line && line->kind == journeys::EntryKind::enter)
                    ++result_.entered[line->journey];
        result_.intents = world_.disk.outbox.size();
        result_.digest = world_.digest;
        result_.steps = world_.steps;
        for (const auto& process : processes_) process->kill();
        return result_;
    }

    World world_;
    History history_;
    Shop shop_;
    actors::Rules rules_;
    actors::SystemSettings settings_;
    std::vector<std::unique_ptr<Process>> processes_; ///< All there ever were.
    Result result_;
};

} // namespace

Result run(std::uint64_t seed, Mutant mutant, std::function<void(const std::string&)> teller) {
    return Scenario{seed, mutant, std::move(teller)}.live();
}

} // namespace simulation
