#include "journeys/offers.hpp"

#include <algorithm>

namespace journeys {

void learn(Offers& offers, const models::LearnedRewards& learned) {
    offers.learned = learned.version;
    offers.posteriors.clear();
    for (const auto& [key, evidence] : learned.evidence) {
        const auto offered = std::ranges::find_if(
            offers.actions, [&](const auto& each) { return each.action.id == key.action; });
        if (offered == offers.actions.end()) continue;
        offers.posteriors.emplace(key, models::RewardPosterior{offered->action.prior, evidence});
    }
}

const models::RewardPosterior* posterior_of(const Offers& offers, std::string_view action,
                                            std::string_view event) {
    if (offers.posteriors.empty()) return nullptr;
    const auto found = offers.posteriors.find({std::string{action}, std::string{event}});
    return found == offers.posteriors.end() ? nullptr : &found->second;
}

} // namespace journeys
