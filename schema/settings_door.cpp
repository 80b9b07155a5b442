#include "schema/settings_door.hpp"

#include "schema/shop_webhook.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace schema {

using namespace journeys;

void read_listen(SettingsValues& values, const YamlNode& node, Config::Listen& into) {
    const auto listen = values.section(node, "listen");
    if (const auto* address = listen.find("address"))
        into.address = values.text(*address, "an IP address").value_or(into.address);
    if (const auto* port = listen.find("port"))
        into.port = static_cast<std::uint16_t>(values.integer(*port, 0, 65535).value_or(8080));
}

std::vector<ApiKey> read_keys(SettingsValues& values, const YamlNode& node) {
    std::vector<ApiKey> keys;
    if (!node.is_list()) {
        values.mistakes().add(node.at, "keys is a list of { name, key, scopes }");
        return keys;
    }
    std::set<std::string> names;
    for (const auto& item : node.items) {
        const auto reader = values.section(item, "key");
        if (!reader.is_map()) continue;
        ApiKey key;
        if (const auto* name = reader.require("name", "a name for logs and metrics")) {
            key.name = values.text(*name, "a name").value_or("");
            if (!names.insert(key.name).second)
                values.mistakes().add(name->at,
                                      "a second key with the name " + values.shown(*name));
        }
        if (const auto* value = reader.require("key", "the secret that producers send"))
            key.key = values.secret(*value, "the key");
        if (const auto* scopes = reader.require("scopes", "any of ingest, decide, admin")) {
            const std::vector<std::string> known{"ingest", "decide", "admin"};
            for (const auto& [scope, at] : values.texts(*scopes, "any of ingest, decide, admin")) {
                const auto found = std::find(known.begin(), known.end(), scope);
                if (found == known.end())
                    values.mistakes().add(at, "no scope " + values.shown(scope) + '.' +
                                                  did_you_mean(scope, known) +
                                                  " Allowed: " + listed(known));
                else
                    key.scopes =
                        static_cast<std::uint8_t>(key.scopes | (1u << (found - known.begin())));
            }
        }
        keys.push_back(std::move(key));
    }
    return keys;
}

std::vector<SourceConfig> read_sources(SettingsValues& values, const YamlNode& node) {
    std::vector<SourceConfig> sources;
    if (!node.is_map()) {
        values.mistakes().add(node.at, "sources is a map from each source's name to what it is");
        return sources;
    }
    for (const auto& [name, body] : node.entries) {
        const auto reader = values.section(body, "source");
        if (!reader.is_map()) continue;
        SourceConfig source;
        source.name = source.type = name.text;
        const auto* type = reader.find("type");
        if (type) source.type = values.text(*type, "shopify").value_or("");
        if (!find_shop(source.type)) {
            if (type)
                values.not_among(*type, std::vector<std::string>{"shopify"});
            else
                values.mistakes().add(name.at, "a source with the name " + values.shown(name) +
                                                   " needs its type: shopify");
        }
        if (const auto* secret = reader.require("secret", "what signs the shop's webhooks")) {
            for (const auto& [text, at] : values.texts(*secret, "a secret, or two")) {
                if (text.empty())
                    values.mistakes().add(at, "an empty secret would sign for anybody");
                source.secrets.emplace_back(text);
            }
            if (source.secrets.empty())
                values.mistakes().add(secret->at, "secret is what signs the shop's webhooks");
        }
        if (const auto* shops = values.part(reader, "shops"))
            for (const auto& [shop, at] : values.texts(*shops, "domains of shops"))
                source.shops.push_back(shop);
        sources.push_back(std::move(source));
    }
    return sources;
}

void read_identity(SettingsValues& values, const YamlNode& node, IdentityRules& rules) {
    const auto reader = values.section(node, "identity");
    if (const auto* junk = values.part(reader, "junk"))
        for (auto& [id, at] : values.texts(*junk, "values that mean nobody"))
            rules.junk.push_back(id);
    if (const auto* spaces = values.part(reader, "never_link")) {
        const std::vector<std::pair<std::string, IdNamespace>> known{
            {"email", IdNamespace::email},
            {"phone", IdNamespace::phone},
            {"anonymous", IdNamespace::anonymous},
            {"token", IdNamespace::token}};
        for (const auto& [name, at] :
             values.texts(*spaces, "any of email, phone, anonymous, token")) {
            const auto found =
                std::ranges::find(known, name, &std::pair<std::string, IdNamespace>::first);
            if (found == known.end())
                values.mistakes().add(at, "no kind of id " + values.shown(name) +
                                              ". Allowed: email, phone, anonymous, token");
            else
                rules.never_link.push_back(found->second);
        }
    }
    if (const auto* links = reader.find("links_per_id"))
        rules.links_per_id =
            static_cast<std::size_t>(values.integer(*links, 0, 1'000'000)
                                         .value_or(static_cast<std::int64_t>(rules.links_per_id)));
}

void read_limits(SettingsValues& values, const YamlNode& node, Config& config) {
    const auto reader = values.section(node, "limits");
    auto& limits = config.limits;
    const auto size = [&](std::string_view key, std::int64_t& into, std::int64_t most) {
        const auto* found = reader.find(key);
        if (found == nullptr) return;
        const auto value = values.bytes(*found);
        if (value && (*value < 1'000 || *value > most))
            values.mistakes().add(found->at, std::string{key} + " is from 1 KB to " +
                                                 std::to_string(most / 1'000'000) + " MB");
        into = value.value_or(into);
    };
    size("frame", limits.frame_bytes, 64'000'000);
    size("message", limits.message_bytes, 1'000'000);
    size("body", limits.body_bytes, 256'000'000);
    if (const auto* found = reader.find("connections"))
        limits.connections = values.integer(*found, 1, 1'000'000).value_or(limits.connections);
    if (const auto* found = reader.find("connections_per_address"))
        limits.connections_per_address =
            values.integer(*found, 1, 1'000'000).value_or(limits.connections_per_address);
    size("bytes_per_address", limits.bytes_per_address, 64'000'000'000);
    values.read_duration(reader, "idle", limits.idle, std::chrono::seconds{1});
    if (const auto* found = reader.find("rejects"))
        limits.rejects = values.integer(*found, 0, 100'000'000).value_or(limits.rejects);
    values.read_duration(reader, "rejects_for", limits.rejects_for);
    if (const auto* found = reader.find("active_customers"))
        limits.active_customers =
            values.integer(*found, 1, 100'000'000).value_or(limits.active_customers);
    values.read_duration(reader, "passivate_after", limits.passivate_after,
                         std::chrono::seconds{1});
    values.read_duration(reader, "shutdown_timeout", limits.shutdown_timeout,
                         std::chrono::seconds{1});
    values.read_duration(reader, "max_lateness", config.settings.max_lateness);
    values.read_duration(reader, "dedup_window", config.settings.dedup_window);
}

} // namespace schema
