#include "runtime/reward_learning.hpp"

#include "journeys/packed.hpp"
#include "runtime/decision_log.hpp"
#include "schema/reward_json.hpp"

namespace runtime {
namespace {

using journeys::PackedView;
namespace models = journeys::models;

/// Nothing where it was decided by other features than this program has.
std::optional<models::DecisionFeatures> features_in(PackedView data) {
    models::DecisionFeatures features{};
    for (std::size_t i = 0; i < features.size(); ++i) {
        const auto value = data.find(models::decision_feature_names[i]);
        if (!value.is_number()) return std::nullopt;
        features[i] = value.as_double();
    }
    return features;
}

} // namespace

journeys::Result<std::optional<Lesson>> learn_rewards(const std::string& conninfo,
                                                      const std::optional<std::string>& before,
                                                      journeys::Timestamp settled) {
    models::LearnedRewards learned;
    if (before) {
        auto known = schema::parse_rewards(*before);
        if (!known) return known.error();
        learned = std::move(*known);
    }
    if (settled <= learned.settled_until) return std::optional<Lesson>{};
    Lesson lesson;
    const auto read =
        read_decisions(conninfo, learned.settled_until, settled, [&](const LoggedDecision& one) {
            const PackedView data{one.data};
            const auto action = data.string_at("action");
            const auto features = features_in(data);
            if (one.held_out || one.is_forgotten || action.empty() || !features) return;
            const models::RewardKey key{std::string{action}, std::string{data.string_at("reward")}};
            if (learned.evidence.size() >= schema::learned_max && !learned.evidence.contains(key))
                return;
            learned.evidence[key].add(*features, one.rewarded_at ? 1 : 0);
            ++lesson.decisions;
            if (one.rewarded_at) ++lesson.rewards;
        });
    if (!read) return read.error();
    // An order that was undone since the lesson that counted it.
    const auto corrected =
        read_corrections(conninfo, learned.settled_until, settled, [&](const LoggedDecision& one) {
            const PackedView data{one.data};
            const auto features = features_in(data);
            const auto known = learned.evidence.find(
                {std::string{data.string_at("action")}, std::string{data.string_at("reward")}});
            if (one.held_out || !features || known == learned.evidence.end() ||
                one.was_rewarded == one.rewarded_at.has_value())
                return;
            known->second.correct(*features, one.rewarded_at ? 1 : -1);
            ++lesson.corrections;
        });
    if (!corrected) return corrected.error();
    if (lesson.decisions + lesson.corrections == 0) return std::optional<Lesson>{};
    learned.settled_until = settled;
    lesson.text = schema::to_json(learned);
    return std::optional{std::move(lesson)};
}

} // namespace runtime
