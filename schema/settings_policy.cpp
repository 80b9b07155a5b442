#include "schema/settings_policy.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace schema {

using namespace journeys;

void read_topics(SettingsValues& values, const YamlNode& node, Settings& settings) {
    for (auto& [topic, at] : values.texts(node, "the names of topics")) {
        auto& topics = settings.topics;
        if (std::find(topics.begin(), topics.end(), topic) != topics.end())
            values.mistakes().add(at, "the topic " + values.shown(topic) + " is named twice");
        topics.push_back(topic);
    }
}

void read_caps(SettingsValues& values, const YamlNode& node, const ChannelSettings& channels,
               Settings& settings) {
    if (!node.is_list()) {
        values.mistakes().add(node.at, "caps is a list of { channel, topic, messages, per }");
        return;
    }
    for (const auto& item : node.items) {
        const auto reader = values.section(item, "cap");
        if (!reader.is_map()) continue;
        Cap cap;
        if (const auto* channel = reader.find("channel")) {
            cap.channel = values.text(*channel, "a channel").value_or("");
            if (!cap.channel.empty()) channels.check(cap.channel, channel->at);
        }
        if (const auto* topic = reader.find("topic")) {
            cap.topic = values.text(*topic, "a topic").value_or("");
            const auto& known = settings.topics;
            if (!cap.topic.empty() &&
                std::find(known.begin(), known.end(), cap.topic) == known.end())
                values.mistakes().add(topic->at, "no topic " + values.shown(cap.topic) + '.' +
                                                     did_you_mean(cap.topic, known) +
                                                     " Configured: " + listed(known));
        }
        if (const auto* messages = reader.require("messages", "how many"))
            cap.messages = values.integer(*messages, 0, 100).value_or(0);
        if (const auto* per = reader.require("per", "the window: 7d"))
            cap.per = values.duration(*per).value_or(Duration{});
        if (const auto* above = reader.find("above"))
            if (const auto priority = values.integer(*above, 0, 100))
                cap.above = static_cast<int>(*priority);
        settings.caps.push_back(std::move(cap));
    }
}

void read_quiet_hours(SettingsValues& values, const YamlNode& node, const ChannelSettings& channels,
                      Settings& settings) {
    const auto read_one = [&](const YamlNode& item) {
        const auto reader = values.section(item, "quiet_hours");
        if (!reader.is_map()) return;
        QuietHours quiet;
        const auto* from = reader.require("from", "when they begin: \"21:00\"");
        const auto* to = reader.require("to", "when they end: \"08:00\"");
        if (from != nullptr)
            quiet.from = values.time_of_day(*from).value_or(std::chrono::minutes{});
        if (to != nullptr) quiet.to = values.time_of_day(*to).value_or(std::chrono::minutes{});
        if (from != nullptr && to != nullptr && quiet.from == quiet.to)
            values.mistakes().add(
                to->at, "from and to are the same: nothing could ever be sent, or always");
        if (const auto* only = reader.find("channels"))
            for (const auto& [name, at] : values.texts(*only, "the names of channels")) {
                channels.check(name, at);
                quiet.channels.push_back(name);
            }
        if (const auto* jitter = reader.find("jitter")) {
            quiet.jitter = values.duration(*jitter).value_or(quiet.jitter);
            if (quiet.jitter > journeys::quiet_jitter_max)
                values.mistakes().add(jitter->at, "jitter is at most 2h; 0s: all at once");
        }
        settings.quiet_hours.push_back(std::move(quiet));
    };
    if (node.is_list())
        for (const auto& item : node.items) read_one(item);
    else
        read_one(node);
}

void read_best_hour(SettingsValues& values, const YamlNode& node, Settings& settings) {
    const auto reader = values.section(node, "best_hour");
    if (const auto* hours = reader.require("prior", "24 shares, from midnight on")) {
        for (const auto& item : hours->items)
            settings.active_hours.push_back(values.number(item, 0, 1e9).value_or(0));
        double sum = 0;
        for (const auto share : settings.active_hours) sum += share;
        if (settings.active_hours.size() != 24 || sum <= 0)
            values.mistakes().add(hours->at,
                                  "prior is a list of 24 shares, from midnight on, of which "
                                  "one at least is not 0");
    }
    if (const auto* weight = reader.find("weight"))
        settings.active_hours_weight = values.number(*weight, 0.1, 10'000).value_or(12);
}

} // namespace schema
