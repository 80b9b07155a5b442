#include "runtime/fitting/drift.hpp"

#include "schema/timestamp_text.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace runtime::fitting {
namespace {

using journeys::models::class_of;
using Counts = std::array<double, 5>;

struct Inputs {
    Counts recency{}, orders{}, spend{};
    std::size_t customers = 0;
};

Inputs inputs_of(const std::map<std::string, journeys::models::Purchases>& customers,
                 std::int32_t day, const journeys::models::Cuts& cuts) {
    Inputs inputs;
    for (const auto& [id, purchases] : customers) {
        const auto h = purchases.history(std::chrono::sys_days{std::chrono::days{day}});
        journeys::Money spend = purchases.folded_spend;
        for (const auto& each : purchases.days) spend += each.spend;
        const auto count = [](Counts& counts, int number) {
            counts[static_cast<std::size_t>(number - 1)] += 1;
        };
        count(inputs.recency, class_of((h.T - h.t_x) * 7, cuts.recency_days));
        count(inputs.orders, class_of(h.x + 1, cuts.orders));
        count(inputs.spend, class_of(spend.to_double(), cuts.spend));
        ++inputs.customers;
    }
    return inputs;
}

} // namespace

template <class Counts> double stability_index(const Counts& then, const Counts& now) {
    double then_sum = 0, now_sum = 0, index = 0;
    for (const double count : then)
        then_sum += count + .5; // So that an empty class is not infinitely far.
    for (const double count : now) now_sum += count + .5;
    for (std::size_t i = 0; i < then.size(); ++i) {
        const double before = (then[i] + .5) / then_sum, after = (now[i] + .5) / now_sum;
        index += (after - before) * std::log(after / before);
    }
    return index;
}

bool Drift::is_notable() const {
    return recency > .25 || orders > .25 || spend > .25 ||
           std::abs(realised - predicted) > std::max(predicted / 3, 3 * std::sqrt(predicted));
}

std::optional<Drift> drift_of(const journeys::models::ModelSet& models, const OrderTable& table,
                              std::int32_t today) {
    const auto fitted = schema::parse_producer_time(models.fitted_until);
    if (!models.has_purchases || !fitted) return std::nullopt;
    Drift drift;
    drift.from = journeys::models::day_of(*fitted);
    drift.until = today;
    if (drift.until <= drift.from) return std::nullopt;
    const auto then = purchases_of(table, drift.from), now = purchases_of(table, drift.until);
    if (then.empty()) return std::nullopt;
    const auto before = inputs_of(then, drift.from, models.cuts),
               after = inputs_of(now, drift.until, models.cuts);
    drift.recency = stability_index(before.recency, after.recency);
    drift.orders = stability_index(before.orders, after.orders);
    drift.spend = stability_index(before.spend, after.spend);
    drift.customers = then.size();
    const journeys::Timestamp from = std::chrono::sys_days{std::chrono::days{drift.from}};
    const journeys::Timestamp until = std::chrono::sys_days{std::chrono::days{drift.until}};
    for (const auto& [id, purchases] : then) {
        const auto history = purchases.history(from);
        drift.predicted +=
            models.purchases.expected_orders(history, (drift.until - drift.from) / 7.0);
        drift.realised += now.at(id).history(until).x - history.x;
    }
    return drift;
}

std::string to_text(const Drift& drift) {
    char text[320];
    std::snprintf(text, sizeof text,
                  "since the last fit, %d days: stability of recency %.3f, orders %.3f, spend "
                  "%.3f; orders of its %zu customers "
                  "foretold %.0f, come %.0f%s\n",
                  drift.until - drift.from, drift.recency, drift.orders, drift.spend,
                  drift.customers, drift.predicted, drift.realised,
                  drift.is_notable() ? "; this is a change" : "");
    return text;
}

template double stability_index(const Counts&, const Counts&);

} // namespace runtime::fitting
