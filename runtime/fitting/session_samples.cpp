#include "runtime/fitting/session_samples.hpp"

#include "journeys/intent.hpp"
#include "journeys/reference.hpp"

#include <string>
#include <unordered_map>

namespace runtime::fitting {
namespace {

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& feature : journeys::intent_features()) all.push_back(feature.name);
    return all;
}

/// The session of a customer, while it goes on.
struct Open {
    std::string id;
    std::size_t number = 0;
    std::vector<std::size_t> waiting; ///< Observations after which no order has come yet.
    bool has_order = false;
};

} // namespace

SessionSamples session_samples(const std::vector<journeys::Record>& records) {
    SessionSamples samples;
    journeys::Reference run{std::make_shared<const journeys::Catalog>(
                                0, journeys::Settings{}, std::vector<journeys::JourneyPtr>{}),
                            nullptr};
    std::unordered_map<journeys::CustomerId, Open> open;
    for (const auto& record : records) {
        const auto* event = record.event();
        run.take(record);
        if (!event) continue;
        const auto* customer = run.find(record.customer);
        if (!customer || customer->session.id.empty()) continue;
        auto& session = open[record.customer];
        if (session.id != customer->session.id) {
            session = {customer->session.id, samples.session_count++, {}, false};
        }
        if (event->name == "Order Completed") {
            for (const auto observation : session.waiting)
                samples.observations[observation].happened = true;
            session.waiting.clear();
            samples.with_order += session.has_order ? 0 : 1;
            session.has_order = true;
            continue;
        }
        session.waiting.push_back(samples.observations.size());
        samples.observations.push_back(
            {journeys::intent_features_of(*customer, customer->now), false});
        samples.sessions.push_back(session.number);
    }
    return samples;
}

IntentFit fit_intent(const SessionSamples& samples, double ridge) {
    constexpr std::size_t folds = 10;
    const auto count = samples.observations.size();
    std::vector<double> predictions(count);
    std::vector<bool> happened(count);
    for (std::size_t fold = 0; fold < folds; ++fold) {
        std::vector<Observation> others;
        for (std::size_t i = 0; i < count; ++i)
            if (samples.sessions[i] % folds != fold) others.push_back(samples.observations[i]);
        const auto model = fit_logistic(others, names(), ridge);
        for (std::size_t i = 0; i < count; ++i)
            if (samples.sessions[i] % folds == fold)
                predictions[i] = model.probability(samples.observations[i].features);
    }
    for (std::size_t i = 0; i < count; ++i) happened[i] = samples.observations[i].happened;
    return {fit_logistic(samples.observations, names(), ridge), judge(predictions, happened)};
}

} // namespace runtime::fitting
