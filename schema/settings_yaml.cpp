#include "schema/settings_yaml.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "schema/settings_channels.hpp"
#include "schema/settings_door.hpp"
#include "schema/settings_expansion.hpp"
#include "schema/settings_models.hpp"
#include "schema/settings_policy.hpp"
#include "schema/settings_storage.hpp"
#include "schema/settings_values.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>

namespace schema {

using namespace journeys;

namespace {

bool is_loopback(std::string_view address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

bool is_currency(std::string_view text) {
    return text.size() == 3 &&
           std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// The top of the file, in the order of who names whom: topics and channels before caps.
void read_file(SettingsValues& values, const YamlNode& root, ChannelSettings& channels,
               Config& config) {
    const auto file = values.section(root, "file");
    if (!file.is_map()) return;
    auto& settings = config.settings;
    if (const auto* node = file.find("workspace"); node != nullptr && !node->is_empty())
        if (const auto name = values.text(*node, "the workspace's name"))
            settings.seed = hash(*name);
    if (const auto* node = file.find("timezone"))
        if (const auto zone = values.text(*node, "an IANA zone such as Europe/Berlin")) {
            if (!is_known_zone(*zone))
                values.mistakes().add(node->at, "no time zone " + values.shown(*node) +
                                                    ". Write an IANA name such as Europe/Berlin");
            settings.timezone = *zone;
        }
    if (const auto* node = values.part(file, "currency"))
        if (const auto currency = values.text(*node, "a currency such as EUR")) {
            if (!is_currency(*currency))
                values.mistakes().add(node->at, "no currency " + values.shown(*node) +
                                                    ". Write three capital letters such as EUR "
                                                    "(ISO 4217)");
            settings.currency = *currency;
        }
    if (const auto* node = values.part(file, "listen")) read_listen(values, *node, config.listen);
    if (const auto* node = values.part(file, "tls"))
        values.mistakes().add(node->at,
                              "tls is not built yet: let a proxy in front of sojourn speak it");
    if (const auto* node = values.part(file, "storage"))
        read_storage(values, *node, config.storage);
    if (const auto* node = values.part(file, "log"))
        if (values.one_of<bool>(*node, {{"postgres", true}, {"kafka", false}}) == false)
            values.mistakes().add(node->at, "log: kafka is not built yet");
    if (const auto* node = values.part(file, "journeys")) {
        config.journeys.clear();
        for (auto& [path, at] : values.texts(*node, "a folder or files"))
            config.journeys.push_back(path);
    }
    struct Beside { ///< What lies beside the configuration.
        const char *key, *what;
        std::string& path;
    };
    for (auto& [key, what, path] :
         {Beside{"templates", "a folder", config.templates},
          Beside{"events", "a file", config.events}, Beside{"actions", "a file", config.actions},
          Beside{"audiences", "a file", config.audiences},
          Beside{"coupons", "a file", config.coupons}, Beside{"vars", "a file", config.vars},
          Beside{"tables", "a folder", config.tables}})
        if (const auto* node = values.part(file, key))
            path = values.text(*node, what).value_or(path);
    if (const auto* node = values.part(file, "keys")) config.keys = read_keys(values, *node);
    if (const auto* node = values.part(file, "sources"))
        config.sources = read_sources(values, *node);
    if (const auto* node = values.part(file, "topics")) read_topics(values, *node, settings);
    if (const auto* node = values.part(file, "channels")) channels.read(*node);
    if (const auto* node = values.part(file, "consent")) channels.read_consent(*node);
    if (const auto* node = values.part(file, "models")) read_models(values, *node, config);
    if (const auto* node = values.part(file, "caps")) read_caps(values, *node, channels, settings);
    if (const auto* node = values.part(file, "quiet_hours"))
        read_quiet_hours(values, *node, channels, settings);
    if (const auto* node = values.part(file, "sessions")) {
        const auto sessions = values.section(*node, "sessions");
        values.read_duration(sessions, "idle", settings.session_idle, std::chrono::seconds{1});
    }
    if (const auto* node = file.find("holdout")) settings.holdout = values.share(*node).value_or(0);
    if (const auto* node = values.part(file, "testers"))
        for (auto& [id, at] : values.texts(*node, "ids of customers"))
            settings.testers.push_back(id);
    if (const auto* node = values.part(file, "identity"))
        read_identity(values, *node, config.identity);
    if (const auto* node = values.part(file, "limits")) read_limits(values, *node, config);
    if (const auto* node = values.part(file, "best_hour")) read_best_hour(values, *node, settings);
    if (const auto* node = values.part(file, "retention"))
        read_retention(values, *node, config.retention);
    if (const auto* node = values.part(file, "public_url")) {
        config.public_url = values.text(*node, "https://…").value_or("");
        values.check_url(config.public_url, false, node->at);
        while (config.public_url.ends_with('/')) config.public_url.pop_back();
    }
}

Config read_settings(const YamlNode& root, const std::set<std::string>& expanded,
                     Mistakes& mistakes) {
    constexpr std::uint8_t all = 7;
    Config config;
    config.keys.push_back({"demo", Secret{std::string{demo_key}}, all});
    SettingsValues values{mistakes, expanded};
    ChannelSettings channels{values, config};
    if (!root.is_empty()) read_file(values, root, channels, config);
    channels.add_sandboxes_unless_read();
    return config;
}

/// What a channel's adapter reads of its rules.
auto wired(const Config& config) {
    using Wire = std::tuple<std::string, std::string, bool, std::map<std::string, std::string>>;
    std::vector<Wire> all;
    for (const auto& rules : config.settings.channels)
        all.emplace_back(rules.name, rules.address, rules.deduplicates, rules.templates);
    return all;
}

} // namespace

ConfigResult load_settings(const std::string& file, std::string_view text, const Outside& outside) {
    Mistakes mistakes{file};
    auto document = YamlDocument::parse(text, mistakes);
    auto root = document.root();
    Expansion expansion{outside, mistakes};
    expansion.expand(root);
    auto config = read_settings(root, expansion.values(), mistakes);
    ConfigResult result;
    if (!mistakes.has_errors()) result.config = std::move(config);
    result.mistakes = mistakes.take();
    return result;
}

std::vector<std::string> sections_of_restart(const Config& begun, const Config& now) {
    std::vector<std::string> all;
    const auto look = [&](bool is_same, const char* section) {
        if (!is_same) all.emplace_back(section);
    };
    look(begun.listen == now.listen, "listen");
    look(begun.storage == now.storage, "storage");
    look(begun.identity == now.identity, "identity");
    look(begun.sources == now.sources, "sources");
    look(begun.channels == now.channels && wired(begun) == wired(now), "channels");
    look(begun.limits == now.limits, "limits");
    look(begun.public_url == now.public_url, "public_url");
    look(begun.retention == now.retention, "retention");
    look(begun.models == now.models && begun.fit_every == now.fit_every &&
             begun.learn_every == now.learn_every,
         "models");
    return all;
}

std::vector<Mistake> check_exposure(const Config& config, const std::string& file) {
    std::vector<Mistake> all;
    if (is_loopback(config.listen.address)) return all;
    for (const auto& key : config.keys)
        if (key.key.reveal() == demo_key)
            all.push_back({file, 0, 0,
                           "the key " + quoted(key.name) +
                               " is the demo key, which everybody knows; it works on "
                               "loopback only, and listen.address is " +
                               config.listen.address + ". Give it a secret of your own",
                           false});
    return all;
}

} // namespace schema
