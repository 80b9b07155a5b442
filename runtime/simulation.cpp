#include "runtime/simulation.hpp"

#include "journeys/reference.hpp"

namespace runtime {

std::size_t simulate(journeys::CatalogPtr catalog, const std::vector<journeys::Record>& records,
                     const SimulationOptions& options, const TimelineSink& sink) {
    using journeys::Reference;
    Reference run{std::move(catalog),
                  [&](const journeys::Customer& customer, const journeys::Effect& effect) {
                      if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect))
                          sink(customer.id, *entry);
                  },
                  options.from_log ? Reference::Transfers::recorded
                                   : Reference::Transfers::made_here};
    journeys::Timestamp last{};
    for (const auto& record : records) {
        if (options.until && record.accepted_at > *options.until) break;
        last = record.accepted_at;
        run.take(record);
    }
    run.close(options.until.value_or(last - journeys::Duration{1}));
    return run.customers().size();
}

} // namespace runtime
