#include "journeys/best_hour.hpp"

#include "journeys/local_time.hpp"
#include "journeys/policy.hpp"

#include <array>
#include <numeric>

namespace journeys {
namespace {

using namespace std::chrono_literals;

constexpr int own_reports_min = 3;
constexpr Duration margin = 1h;
constexpr auto spread_max = std::chrono::duration_cast<Duration>(30min);

/// The weight of each hour; nothing where nothing is known.
std::optional<std::array<double, 24>> weights(const Customer& customer, const Settings& settings) {
    std::array<double, 24> shares{};
    const bool has_prior = settings.active_hours.size() == shares.size();
    int reports = 0;
    for (std::size_t hour = 0; hour < customer.active_hours.size() && hour < shares.size();
         ++hour) {
        shares[hour] += customer.active_hours[hour];
        reports += customer.active_hours[hour];
    }
    if (!has_prior) {
        if (reports < own_reports_min) return std::nullopt;
        return shares;
    }
    const auto sum =
        std::accumulate(settings.active_hours.begin(), settings.active_hours.end(), 0.0);
    if (sum <= 0) return std::nullopt;
    for (std::size_t hour = 0; hour < shares.size(); ++hour)
        shares[hour] += settings.active_hours_weight * settings.active_hours[hour] / sum;
    return shares;
}

} // namespace

std::optional<Timestamp> best_hour(const Customer& customer, const Send& send, IntentId intent,
                                   Timestamp from, Timestamp expires_at, const Settings& settings) {
    const auto shares = weights(customer, settings);
    if (!shares) return std::nullopt;
    const auto zone = zone_of(customer, settings);
    const auto local = to_local(zone, from);
    const auto hour_began =
        at_local(zone, local.day, std::chrono::minutes{local.minutes.count() / 60 * 60});
    std::optional<Timestamp> best;
    double best_share = -1;
    for (int hours = 0; hours < 24; ++hours) {
        const auto at = hours == 0 ? from : hour_began + hours * 1h;
        if (hours > 0 && (at < from || at + margin > expires_at)) break;
        if (send.quiet_hours != OnQuietHours::ignore &&
            quiet_until(customer, send.channel, at, settings, intent))
            continue;
        const auto share =
            (*shares)[static_cast<std::size_t>(to_local(zone, at).minutes.count() / 60 % 24)];
        if (share <= best_share) continue;
        best_share = share;
        best = at;
    }
    if (!best || *best == from) return std::nullopt;
    const auto draw = hash(to_text(intent), hash(customer.id) + 1);
    return *best + Duration{static_cast<std::int64_t>(
                       draw % static_cast<std::uint64_t>(spread_max.count()))};
}

} // namespace journeys
