#include "schema/settings_models.hpp"

#include <algorithm>
#include <chrono>

namespace schema {

using namespace journeys;

namespace {

void read_stages(SettingsValues& values, const YamlNode& node, StagePolicy& into) {
    const auto policy = values.section(node, "stages");
    const auto read = [&](std::string_view key, double low, double& value) {
        if (const auto* found = policy.find(key))
            value = values.number(*found, low, 0.999).value_or(value);
    };
    read("at_risk", 0.001, into.at_risk);
    read("lapsed", 0.001, into.lapsed);
    read("overdue", 0.001, into.overdue);
    read("hysteresis", 0, into.hysteresis);
    if (into.lapsed <= into.at_risk)
        values.mistakes().add(
            node.at, "lapsed must be above at_risk: both are risks of having lost the customer");
    if (into.hysteresis >= std::min(into.at_risk, into.overdue))
        values.mistakes().add(node.at, "hysteresis must be below at_risk and overdue");
}

} // namespace

void read_models(SettingsValues& values, const YamlNode& node, Config& config) {
    const auto reader = values.section(node, "models");
    if (const auto* file = reader.find("file"))
        config.models = values.text(*file, "a file").value_or(config.models);
    values.read_duration(reader, "fit_every", config.fit_every, std::chrono::minutes{1});
    const auto* learn = reader.find("learn_every");
    if (learn && learn->is_text() && learn->text == "never")
        config.learn_every = journeys::Duration::zero();
    else
        values.read_duration(reader, "learn_every", config.learn_every, std::chrono::minutes{1});
    if (const auto* stages = reader.find("stages"))
        read_stages(values, *stages, config.settings.stages);
}

} // namespace schema
