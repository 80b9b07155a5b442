/// Where a customer stands with the shop: from the purchase models, in stages that are total and
/// exclusive.
#pragma once

#include "journeys/models/model_set.hpp"
#include "journeys/models/purchases.hpp"
#include "journeys/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace journeys {

/// prospect: no order. new: one purchase day, not at risk. active: more, not at risk. at_risk,
/// lapsed: by the thresholds of `StagePolicy`. reactivated: the last purchase came when at risk or
/// lapsed; the next one makes it active.
enum class Stage : std::uint8_t { prospect, fresh, active, at_risk, lapsed, reactivated };

/// `prospect`, `new`, `active`, `at_risk`, `lapsed`, `reactivated`.
std::string_view to_text(Stage stage);

/// From which risk on somebody counts as what; the operator's, part of a publication.
struct StagePolicy {
    double at_risk = 0.5;
    double lapsed = 0.8;
    double overdue = 0.75; ///< So far overdue is at risk too.
    double hysteresis =
        0.05; ///< Without a purchase a stage gets better only this far below its threshold.
};

/// What is kept of it.
struct Lifecycle {
    Stage stage = Stage::prospect;
    bool vip = false;
    Timestamp since{};         ///< When the stage began; zero: no models were loaded yet.
    Timestamp due = no_time;   ///< When time next changes the stage, or opens a journey by risk.
    std::int32_t last_day = 0; ///< The newest purchase day that was looked at; 0: none.
    /// Hashes of (journey, `last_day`): what each silence has opened. Oldest first, bounded.
    std::vector<std::uint64_t> entered_by_risk;
};

/// The instant at which the risk of somebody with these purchases passes `risk`, if they stay
/// silent. Not earlier than a day after the last purchase day: who is above it as soon as they
/// order is not said to have risen above it then. Nothing where it never does.
std::optional<Timestamp> rises_at(const models::ModelSet& models,
                                  const models::Purchases& purchases, double risk);

/// The stage at `now`. `before`: the one so far; `purchased`: there is a newer purchase than when
/// it was found.
Stage stage_at(const models::ModelSet& models, const models::Purchases& purchases,
               const StagePolicy& policy, Timestamp now, Stage before, bool purchased);

/// When time next changes the stage, after `now`; `no_time` where it never does.
Timestamp next_stage_at(const models::ModelSet& models, const models::Purchases& purchases,
                        const StagePolicy& policy, Timestamp now);

/// Whether somebody who buys in `own` can be valued: it is the currency of the workspace, and that
/// of the models. One that is not known counts as the others.
bool is_valued(const models::ModelSet& models, std::string_view workspace, std::string_view own);

/// Whether the value makes a VIP; one loses it only a tenth below the cut.
bool is_vip(const models::ModelSet& models, const models::Purchases& purchases, Timestamp now,
            bool before);

/// Recency, frequency and spend as three digits from 1 to 5, e.g. `555`; nothing without purchases
/// or cut points.
std::optional<std::array<char, 3>> rfm(const models::ModelSet& models,
                                       const models::Purchases& purchases, Timestamp now);

} // namespace journeys
