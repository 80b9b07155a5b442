#include "runtime/simulation.hpp"

#include "journeys/copies.hpp"
#include "journeys/interest_index.hpp"
#include "journeys/reference.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace runtime {
namespace {

using journeys::CopiedEvent;
using journeys::CustomerId;
using journeys::Reference;
using journeys::Timestamp;

constexpr journeys::Duration one_instant{1};

/// What the walks of a service do, under a virtual clock: copies events to those whom they concern.
class Copies {
public:
    Copies(const journeys::Catalog& catalog, Reference& run, const SimulationOptions& options)
        : catalog_(catalog), run_(run),
          shelf_(options.shelf ? options.shelf : std::make_shared<ProductShelf>()) {}

    void begin(Timestamp first) {
        for (const auto* journey : catalog_.entered_by_audience())
            if (const auto next = next_entry(*journey->enter.audience, first - one_instant))
                entries_.emplace(*next, journey);
    }
    void see(const journeys::Record& record) {
        const auto* event = record.event();
        if (event && catalog_.tracked().interests.contains(event->name))
            interests_.note(record.customer, journeys::product_id_of(*event), event->time);
    }
    /// Takes what is to be copied at or before `until`.
    void advance(Timestamp until) {
        while (!entries_.empty() || !due_.empty()) {
            const auto entry = entries_.empty() ? journeys::no_time : entries_.begin()->first;
            const auto copy = due_.empty() ? journeys::no_time : due_.begin()->first;
            if (std::min(entry, copy) > until) return;
            if (entry <= copy)
                let_in();
            else
                take_one();
        }
    }
    void change(const RecordedProduct& said) {
        advance(said.at - one_instant);
        run_.close(said.at - one_instant); // What was due before saw the product as it was.
        const auto known = shelf_->find(said.change.id);
        const auto before = known ? *known : std::string{};
        auto after = schema::changed_product(before, said.change.fields);
        const auto events = journeys::product_events(before, after, said.at);
        shelf_->put(said.change.id, std::move(after));
        for (const auto& event : events)
            for (const auto& customer : interests_.interested_in(said.change.id))
                take(customer, event, said.at);
    }

private:
    void let_in() {
        const auto [at, journey] = *entries_.begin();
        entries_.erase(entries_.begin());
        const auto& entry = *journey->enter.audience;
        if (const auto next = next_entry(entry, at)) entries_.emplace(*next, journey);
        run_.close(at - one_instant);
        std::vector<CustomerId> inside;
        for (const auto& [id, customer] : run_.customers())
            if (!customer.forward_to && is_in_audience(customer, entry.audience, at, catalog_))
                inside.push_back(id);
        std::ranges::sort(inside);
        const auto event = std::make_shared<const CopiedEvent>(
            journeys::audience_event(*journey, entry.audience, at));
        for (std::size_t i = 0; i < inside.size(); ++i) {
            const std::chrono::duration<double> behind{static_cast<double>(i) / entry.pace};
            due_.emplace(at + std::chrono::floor<journeys::Duration>(behind),
                         std::pair{std::move(inside[i]), event});
        }
    }
    void take_one() {
        const auto at = due_.begin()->first;
        const auto [customer, event] = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        take(customer, *event, at);
    }
    void take(const CustomerId& customer, const CopiedEvent& event, Timestamp at) {
        journeys::Record record;
        record.accepted_at = at;
        record.customer = customer;
        record.body = journeys::copy_for(event, customer, at);
        run_.take(std::move(record));
    }

    const journeys::Catalog& catalog_;
    Reference& run_;
    std::shared_ptr<ProductShelf> shelf_;
    journeys::InterestIndex interests_;
    std::multimap<Timestamp, const journeys::Journey*> entries_; ///< The next of each.
    std::multimap<Timestamp, std::pair<CustomerId, std::shared_ptr<const CopiedEvent>>> due_;
};

} // namespace

std::size_t simulate(journeys::CatalogPtr catalog, const std::vector<journeys::Record>& records,
                     const SimulationOptions& options, const TimelineSink& sink) {
    Reference run{catalog,
                  [&](const journeys::Customer& customer, const journeys::Effect& effect) {
                      if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect))
                          sink(customer.id, *entry);
                  },
                  options.from_log ? Reference::Transfers::recorded
                                   : Reference::Transfers::made_here};
    Copies copies{*catalog, run, options};
    Timestamp last{};
    if (!records.empty() && !options.from_log) copies.begin(records.front().accepted_at);
    auto product = options.products.begin();
    const auto say_products_until = [&](Timestamp until) {
        for (; product != options.products.end() && product->at <= until; ++product) {
            last = std::max(last, product->at);
            copies.change(*product);
        }
    };
    for (const auto& record : records) {
        if (options.until && record.accepted_at > *options.until) break;
        say_products_until(record.accepted_at - one_instant);
        copies.advance(record.accepted_at - one_instant);
        last = record.accepted_at;
        copies.see(record);
        run.take(record);
    }
    say_products_until(options.until.value_or(journeys::timestamp_max));
    const auto end = options.until.value_or(last - one_instant);
    copies.advance(end);
    run.close(end);
    // Who turned out to be somebody else counts as the one they are.
    return static_cast<std::size_t>(std::ranges::count_if(
        run.customers(), [](const auto& one) { return !one.second.forward_to; }));
}

} // namespace runtime
