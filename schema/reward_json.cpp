#include "schema/reward_json.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace schema {
namespace {

using namespace journeys::models;
using Json = nlohmann::ordered_json;

/// What is wrong; caught within this file.
struct Wrong : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <std::size_t size> std::array<double, size> numbers(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array() || found->size() != size)
        throw Wrong{std::string{key} + " must be " + std::to_string(size) + " numbers"};
    std::array<double, size> read{};
    for (std::size_t i = 0; i < size; ++i) {
        read[i] = (*found)[i].get<double>();
        if (!std::isfinite(read[i])) throw Wrong{std::string{key} + " must be finite"};
    }
    return read;
}

LearnedRewards read(const Json& json) {
    if (!json.is_object()) throw Wrong{"it is no object"};
    LearnedRewards learned;
    const auto until = journeys::parse_timestamp(json.at("settled_until").get<std::string>(), true);
    if (!until) throw Wrong{"settled_until is no time"};
    learned.settled_until = *until;
    // The order and meaning of features is part of every sum.
    const auto names = json.at("features").get<std::vector<std::string>>();
    if (!std::ranges::equal(names, decision_feature_names))
        throw Wrong{"it was learned of other features than this program has"};
    const auto& list = json.at("learned");
    if (!list.is_array() || list.size() > learned_max)
        throw Wrong{"learned is a list of at most " + std::to_string(learned_max)};
    for (const auto& one : list) {
        const auto decisions = one.at("decisions").get<std::uint64_t>();
        const auto rewards = one.at("rewards").get<double>();
        if (!(rewards >= 0 && rewards <= static_cast<double>(decisions)))
            throw Wrong{"there are more rewards than decisions"};
        learned
            .evidence[{one.at("action").get<std::string>(), one.at("event").get<std::string>()}] =
            RewardEvidence::of(decisions, rewards, numbers<RewardEvidence::pairs>(one, "squares"),
                               numbers<decision_features>(one, "weighted"));
    }
    return learned;
}

} // namespace

journeys::Result<LearnedRewards> parse_rewards(std::string_view text) {
    const auto refuse = [](std::string_view why) {
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "this is nothing that was learned: " + std::string{why}};
    };
    try { // The border: nlohmann throws, we return.
        auto learned = read(Json::parse(text));
        learned.version = journeys::hash(text) | 1;
        return learned;
    } catch (const nlohmann::json::exception& error) {
        return refuse(error.what());
    } catch (const Wrong& wrong) {
        return refuse(wrong.what());
    }
}

std::string to_json(const LearnedRewards& learned) {
    Json json;
    json["settled_until"] = journeys::to_text(learned.settled_until);
    json["features"] = decision_feature_names;
    json["learned"] = Json::array();
    for (const auto& [key, evidence] : learned.evidence)
        json["learned"].push_back({{"action", key.action},
                                   {"event", key.event},
                                   {"decisions", evidence.decisions()},
                                   {"rewards", evidence.rewards()},
                                   {"squares", evidence.squares()},
                                   {"weighted", evidence.weighted()}});
    return json.dump() + "\n";
}

} // namespace schema
