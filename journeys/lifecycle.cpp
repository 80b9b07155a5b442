#include "journeys/lifecycle.hpp"

#include <algorithm>
#include <cmath>

namespace journeys {
namespace {

using models::ModelSet;
using models::Purchases;

constexpr double day = models::weeks_per_day;

/// `weeks` after the first day, not before the earliest instant that counts; rounded up, so that
/// then the threshold has been reached.
std::optional<Timestamp> instant(const Purchases& purchases, std::optional<double> weeks,
                                 double t_x) {
    if (!weeks) return std::nullopt;
    const double millis = std::ceil(std::max(*weeks, t_x + day) * 604'800'000.0);
    if (millis > 8e13) return std::nullopt; // Beyond year 4500: never.
    return purchases.first_day() + Duration{static_cast<std::int64_t>(millis)};
}

Timestamp or_never(std::optional<Timestamp> at) { return at.value_or(no_time); }

Timestamp overdue_at(const ModelSet& models, const Purchases& purchases, double level) {
    const auto h = purchases.history(purchases.first_day());
    const auto [r, alpha] = std::visit(
        [](const auto& each) {
            return std::pair{each.r, each.alpha};
        },
        models.purchases.purchases);
    if (level >= 1) return no_time;
    return or_never(
        instant(purchases, h.t_x + models::overdue_gap(r, alpha, h.x, h.t_x, level), h.t_x));
}

Timestamp at_risk_at(const ModelSet& models, const Purchases& purchases, const StagePolicy& policy,
                     double margin = 0) {
    return std::min(or_never(rises_at(models, purchases, policy.at_risk - margin)),
                    overdue_at(models, purchases, policy.overdue - margin));
}

} // namespace

std::string_view to_text(Stage stage) {
    switch (stage) {
    case Stage::prospect: return "prospect";
    case Stage::fresh: return "new";
    case Stage::active: return "active";
    case Stage::at_risk: return "at_risk";
    case Stage::lapsed: return "lapsed";
    case Stage::reactivated: return "reactivated";
    }
    return "prospect";
}

std::optional<Timestamp> rises_at(const ModelSet& models, const Purchases& purchases, double risk) {
    if (purchases.empty()) return std::nullopt;
    const auto h = purchases.history(purchases.first_day());
    return instant(purchases, models.purchases.rises_to(risk, h.x, h.t_x), h.t_x);
}

Stage stage_at(const ModelSet& models, const Purchases& purchases, const StagePolicy& policy,
               Timestamp now, Stage before, bool purchased) {
    if (purchases.empty()) return Stage::prospect;
    const bool was_lost = before == Stage::at_risk || before == Stage::lapsed;
    // Without a purchase, and against what was found before, a stage has to get better by a margin.
    const double of_lapsed = !purchased && before == Stage::lapsed ? policy.hysteresis : 0;
    const double of_risk = !purchased && was_lost ? policy.hysteresis : 0;
    if (now >= or_never(rises_at(models, purchases, policy.lapsed - of_lapsed)))
        return Stage::lapsed;
    if (now >= at_risk_at(models, purchases, policy, of_risk)) return Stage::at_risk;
    if (purchased && was_lost) return Stage::reactivated;
    if (!purchased && before == Stage::reactivated) return Stage::reactivated;
    return purchases.history(now).x > 0 ? Stage::active : Stage::fresh;
}

Timestamp next_stage_at(const ModelSet& models, const Purchases& purchases,
                        const StagePolicy& policy, Timestamp now) {
    if (purchases.empty()) return no_time;
    Timestamp next = no_time;
    for (const auto at : {at_risk_at(models, purchases, policy),
                          or_never(rises_at(models, purchases, policy.lapsed))})
        if (at > now) next = std::min(next, at);
    return next;
}

bool is_valued(const ModelSet& models, std::string_view workspace, std::string_view own) {
    return is_same_currency(workspace, own) && is_same_currency(models.currency, own);
}

bool is_vip(const ModelSet& models, const Purchases& purchases, Timestamp now, bool before) {
    if (!models.cuts.vip_clv || purchases.empty()) return false;
    const auto value = models.clv(purchases.history(now));
    return value && *value >= *models.cuts.vip_clv * (before ? 0.9 : 1.0);
}

std::optional<std::array<char, 3>> rfm(const ModelSet& models, const Purchases& purchases,
                                       Timestamp now) {
    if (!models.cuts.has_rfm || purchases.empty()) return std::nullopt;
    const auto h = purchases.history(now);
    Money spend = purchases.folded_spend;
    for (const auto& each : purchases.days) spend += each.spend;
    const auto digit = [](int value) { return static_cast<char>('0' + value); };
    return std::array{digit(6 - models::class_of((h.T - h.t_x) * 7, models.cuts.recency_days)),
                      digit(models::class_of(h.x + 1, models.cuts.orders)),
                      digit(models::class_of(spend.to_double(), models.cuts.spend))};
}

} // namespace journeys
