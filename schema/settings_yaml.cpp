#include "schema/settings_yaml.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "schema/channel_types.hpp"
#include "schema/shop_webhook.hpp"
#include "schema/yaml_values.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <set>

namespace schema {

using namespace journeys;

namespace {

constexpr std::size_t secret_bytes_max = 16 * 1024;

/// Replaces `${NAME}`, `${NAME:-default}` and `${file:PATH}` in every value; `$${` stands for `${`.
class Expansion {
public:
    Expansion(const Outside& outside, Mistakes& mistakes)
        : outside_(outside), mistakes_(mistakes) {}

    void expand(YamlNode& node) {
        for (auto& item : node.items) expand(item);
        for (auto& [key, value] : node.entries) expand(value);
        if (!node.is_text() || node.text.find("${") == std::string::npos) return;
        std::string made;
        std::string_view rest = node.text;
        while (!rest.empty()) {
            const auto start = rest.find("${");
            if (start == std::string_view::npos) break;
            if (start > 0 && rest[start - 1] == '$') {
                made += rest.substr(0, start - 1);
                made += "${";
                rest.remove_prefix(start + 2);
                continue;
            }
            const auto end = rest.find('}', start);
            if (end == std::string_view::npos) {
                mistakes_.add(node.at, "${ without }");
                return;
            }
            made += rest.substr(0, start);
            made += value_of(std::string{rest.substr(start + 2, end - start - 2)}, node.at);
            rest.remove_prefix(end + 1);
        }
        made += rest;
        node.text = std::move(made);
        node.is_expanded = true;
        values_.insert(node.text);
    }
    /// All that came out; no message may show any of it.
    const std::set<std::string>& values() const { return values_; }

private:
    std::string value_of(const std::string& what, Place at) {
        std::optional<std::string> value;
        if (what.starts_with("file:")) {
            const auto path = what.substr(5);
            if (outside_.file) value = outside_.file(path);
            if (!value)
                mistakes_.add(at,
                              "the file " + quoted(path) + " of ${" + what + "} cannot be read");
            while (value && (value->ends_with('\n') || value->ends_with('\r'))) value->pop_back();
        } else {
            const auto split = what.find(":-");
            const auto name = what.substr(0, split);
            if (outside_.variable) value = outside_.variable(name);
            if ((!value || value->empty()) && split != std::string::npos)
                value = what.substr(split + 2);
            if (!value)
                mistakes_.add(at, "the environment has no " + name +
                                      ". Set it, or give a default: ${" + name + ":-…}");
        }
        if (value && value->size() > secret_bytes_max) {
            mistakes_.add(at, "${" + what + "} gives more than 16 KiB");
            value.reset();
        }
        return value.value_or("");
    }

    const Outside& outside_;
    Mistakes& mistakes_;
    std::set<std::string> values_;
};

bool is_loopback(std::string_view address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

class SettingsReader {
public:
    SettingsReader(Mistakes& mistakes, const std::set<std::string>& expanded)
        : mistakes_(mistakes), values_(mistakes), expanded_(expanded) {}

    Config read(const YamlNode& root) {
        if (!root.is_empty()) read_file(root);
        if (config_.keys.empty() && !has_keys_) {
            constexpr std::uint8_t all = 7;
            config_.keys.push_back({"demo", Secret{std::string{demo_key}}, all});
        }
        if (!has_channels_) {
            add_sandbox("email", "email");
            add_sandbox("sms", "phone");
            add_sandbox("push", "push_token");
        }
        return std::move(config_);
    }

private:
    MapReader section(const YamlNode& node, std::string_view name) {
        const auto& all = settings_sections();
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Section& one) { return one.name == name; });
        assert(found != all.end());
        return {node, *found, mistakes_};
    }

    void add_sandbox(const std::string& name, const std::string& address) {
        ChannelConfig channel;
        channel.name = name;
        channel.type = "sandbox";
        config_.channels.push_back(channel);
        ChannelRules rules;
        rules.name = name;
        rules.type = "sandbox";
        rules.address = address;
        rules.deduplicates = true;
        rules.renders = true;
        config_.settings.channels.push_back(rules);
    }

    void read_file(const YamlNode& root) {
        const auto file = section(root, "file");
        if (!file.is_map()) return;
        auto& settings = config_.settings;
        if (const auto* node = file.find("workspace"); node != nullptr && !node->is_empty())
            if (const auto name = values_.text(*node, "the workspace's name"))
                settings.seed = hash(*name);
        if (const auto* node = file.find("timezone"))
            if (const auto zone = values_.text(*node, "an IANA zone such as Europe/Berlin")) {
                if (!is_known_zone(*zone))
                    mistakes_.add(node->at, "no time zone " + shown(*node) +
                                                ". Write an IANA name such as Europe/Berlin");
                settings.timezone = *zone;
            }
        if (const auto* node = part(file, "listen")) read_listen(*node);
        if (const auto* node = part(file, "tls"))
            mistakes_.add(node->at,
                          "tls is not built yet: let a proxy in front of sojourn speak it");
        if (const auto* node = part(file, "storage")) read_storage(*node);
        if (const auto* node = part(file, "log"))
            if (values_.one_of<bool>(*node, {{"postgres", true}, {"kafka", false}}) == false)
                mistakes_.add(node->at, "log: kafka is not built yet");
        if (const auto* node = part(file, "journeys")) {
            config_.journeys.clear();
            for (auto& [path, at] : values_.texts(*node, "a folder or files"))
                config_.journeys.push_back(path);
        }
        if (const auto* node = part(file, "templates"))
            config_.templates = values_.text(*node, "a folder").value_or(config_.templates);
        if (const auto* node = part(file, "events"))
            config_.events = values_.text(*node, "a file").value_or(config_.events);
        if (const auto* node = part(file, "actions"))
            config_.actions = values_.text(*node, "a file").value_or(config_.actions);
        if (const auto* node = part(file, "audiences"))
            config_.audiences = values_.text(*node, "a file").value_or(config_.audiences);
        if (const auto* node = part(file, "coupons"))
            config_.coupons = values_.text(*node, "a file").value_or(config_.coupons);
        if (const auto* node = part(file, "vars"))
            config_.vars = values_.text(*node, "a file").value_or(config_.vars);
        if (const auto* node = part(file, "tables"))
            config_.tables = values_.text(*node, "a folder").value_or(config_.tables);
        if (const auto* node = part(file, "keys")) read_keys(*node);
        if (const auto* node = part(file, "sources")) read_sources(*node);
        if (const auto* node = part(file, "topics")) read_topics(*node);
        if (const auto* node = part(file, "channels")) read_channels(*node);
        if (const auto* node = part(file, "consent")) {
            const auto consent = section(*node, "consent");
            if (const auto* opt_in = consent.find("opt_in"))
                if (const auto needed = values_.boolean(*opt_in); needed && !*needed)
                    for (auto& channel : settings.channels)
                        if (!own_opt_in_.contains(channel.name)) channel.needs_opt_in = false;
            if (const auto* confirmed = consent.find("double_opt_in"))
                if (values_.boolean(*confirmed).value_or(false))
                    for (auto& channel : settings.channels)
                        if (!own_confirmation_.contains(channel.name))
                            channel.needs_confirmation = true;
            if (const auto* countries = part(consent, "countries")) read_countries(*countries);
        }
        if (const auto* node = part(file, "models")) read_models(*node);
        if (const auto* node = part(file, "caps")) read_caps(*node);
        if (const auto* node = part(file, "quiet_hours")) read_quiet_hours(*node);
        if (const auto* node = part(file, "sessions")) {
            const auto sessions = section(*node, "sessions");
            read_duration(sessions, "idle", settings.session_idle, std::chrono::seconds{1});
        }
        if (const auto* node = file.find("holdout"))
            settings.holdout = values_.share(*node).value_or(0);
        if (const auto* node = part(file, "testers"))
            for (auto& [id, at] : values_.texts(*node, "ids of customers"))
                settings.testers.push_back(id);
        if (const auto* node = part(file, "identity")) read_identity(*node);
        if (const auto* node = part(file, "limits")) read_limits(*node);
        if (const auto* node = part(file, "best_hour")) read_best_hour(*node);
        if (const auto* node = part(file, "retention")) read_retention(*node);
        if (const auto* node = part(file, "public_url")) {
            config_.public_url = values_.text(*node, "https://…").value_or("");
            check_url(config_.public_url, false, node->at);
            while (config_.public_url.ends_with('/')) config_.public_url.pop_back();
        }
    }

    void read_identity(const YamlNode& node) {
        const auto reader = section(node, "identity");
        auto& rules = config_.identity;
        if (const auto* junk = part(reader, "junk"))
            for (auto& [id, at] : values_.texts(*junk, "values that mean nobody"))
                rules.junk.push_back(id);
        if (const auto* spaces = part(reader, "never_link")) {
            const std::vector<std::pair<std::string, IdNamespace>> known{
                {"email", IdNamespace::email},
                {"phone", IdNamespace::phone},
                {"anonymous", IdNamespace::anonymous},
                {"token", IdNamespace::token}};
            for (const auto& [name, at] :
                 values_.texts(*spaces, "any of email, phone, anonymous, token")) {
                const auto found =
                    std::ranges::find(known, name, &std::pair<std::string, IdNamespace>::first);
                if (found == known.end())
                    mistakes_.add(at, "no kind of id " + shown(name) +
                                          ". Allowed: email, phone, anonymous, token");
                else
                    rules.never_link.push_back(found->second);
            }
        }
        if (const auto* links = reader.find("links_per_id"))
            rules.links_per_id = static_cast<std::size_t>(
                values_.integer(*links, 0, 1'000'000)
                    .value_or(static_cast<std::int64_t>(rules.links_per_id)));
    }

    static std::string shown(const YamlNode& node) {
        return node.is_expanded ? "as ${…} gave it" : quoted(node.text);
    }
    std::string shown(const std::string& text) const {
        return expanded_.contains(text) ? "as ${…} gave it" : quoted(text);
    }
    static const YamlNode* part(const MapReader& reader, std::string_view key) {
        const auto* node = reader.find(key);
        if (node == nullptr || node->is_empty() || (node->is_list() && node->items.empty()))
            return nullptr;
        return node;
    }
    void read_duration(const MapReader& reader, std::string_view key, Duration& into,
                       Duration least = {}) {
        const auto* node = reader.find(key);
        if (node == nullptr) return;
        const auto value = values_.duration(*node);
        if (value && *value < least) mistakes_.add(node->at, std::string{key} + " is too short");
        into = value.value_or(into);
    }

    void read_listen(const YamlNode& node) {
        const auto listen = section(node, "listen");
        if (const auto* address = listen.find("address"))
            config_.listen.address =
                values_.text(*address, "an IP address").value_or(config_.listen.address);
        if (const auto* port = listen.find("port"))
            config_.listen.port =
                static_cast<std::uint16_t>(values_.integer(*port, 0, 65535).value_or(8080));
    }

    void read_storage(const YamlNode& node) {
        const auto storage = section(node, "storage");
        auto& into = config_.storage;
        if (const auto* dir = storage.find("data_dir"))
            into.data_dir = values_.text(*dir, "a folder").value_or("");
        if (const auto* url = storage.find("url")) {
            into.url = secret(*url, "postgresql://…");
            const auto& value = into.url.reveal();
            if (!value.empty() && !value.starts_with("postgresql://") &&
                !value.starts_with("postgres://"))
                mistakes_.add(url->at, "url is that of a PostgreSQL: postgresql://user@host/name");
            if (storage.has("data_dir"))
                mistakes_.add(url->at, "give either url, a PostgreSQL of yours, or data_dir, the "
                                       "folder of a private one");
        }
        read_duration(storage, "retention", into.retention, std::chrono::hours{1});
        read_duration(storage, "checkpoint", into.checkpoint, std::chrono::seconds{1});
        if (const auto* size = storage.find("retention_size"))
            into.retention_bytes = values_.bytes(*size).value_or(into.retention_bytes);
    }

    /// A value that no message shows.
    Secret secret(const YamlNode& node, std::string_view what) {
        if (node.is_text() && !node.text.empty()) return Secret{node.text};
        // An unset variable has been said where it was expanded.
        if (!node.is_expanded) mistakes_.add(node.at, "a secret is missing: " + std::string{what});
        return {};
    }

    void read_keys(const YamlNode& node) {
        has_keys_ = true;
        if (!node.is_list()) {
            mistakes_.add(node.at, "keys is a list of { name, key, scopes }");
            return;
        }
        std::set<std::string> names;
        for (const auto& item : node.items) {
            const auto reader = section(item, "key");
            if (!reader.is_map()) continue;
            ApiKey key;
            if (const auto* name = reader.require("name", "a name for logs and metrics")) {
                key.name = values_.text(*name, "a name").value_or("");
                if (!names.insert(key.name).second)
                    mistakes_.add(name->at, "a second key with the name " + shown(*name));
            }
            if (const auto* value = reader.require("key", "the secret that producers send"))
                key.key = secret(*value, "the key");
            if (const auto* scopes = reader.require("scopes", "any of ingest, decide, admin")) {
                const std::vector<std::string> known{"ingest", "decide", "admin"};
                for (const auto& [scope, at] :
                     values_.texts(*scopes, "any of ingest, decide, admin")) {
                    const auto found = std::find(known.begin(), known.end(), scope);
                    if (found == known.end())
                        mistakes_.add(at, "no scope " + shown(scope) + '.' +
                                              did_you_mean(scope, known) +
                                              " Allowed: " + listed(known));
                    else
                        key.scopes =
                            static_cast<std::uint8_t>(key.scopes | (1u << (found - known.begin())));
                }
            }
            config_.keys.push_back(std::move(key));
        }
    }

    void read_sources(const YamlNode& node) {
        if (!node.is_map()) {
            mistakes_.add(node.at, "sources is a map from each source's name to what it is");
            return;
        }
        for (const auto& [name, body] : node.entries) {
            const auto reader = section(body, "source");
            if (!reader.is_map()) continue;
            SourceConfig source;
            source.name = source.type = name.text;
            const auto* type = reader.find("type");
            if (type) source.type = values_.text(*type, "shopify").value_or("");
            if (!find_shop(source.type)) {
                if (type)
                    values_.not_among(*type, std::vector<std::string>{"shopify"});
                else
                    mistakes_.add(name.at, "a source with the name " + shown(name) +
                                               " needs its type: shopify");
            }
            if (const auto* secret = reader.require("secret", "what signs the shop's webhooks")) {
                for (const auto& [text, at] : values_.texts(*secret, "a secret, or two")) {
                    if (text.empty()) mistakes_.add(at, "an empty secret would sign for anybody");
                    source.secrets.emplace_back(text);
                }
                if (source.secrets.empty())
                    mistakes_.add(secret->at, "secret is what signs the shop's webhooks");
            }
            if (const auto* shops = part(reader, "shops"))
                for (const auto& [shop, at] : values_.texts(*shops, "domains of shops"))
                    source.shops.push_back(shop);
            config_.sources.push_back(std::move(source));
        }
    }

    void read_topics(const YamlNode& node) {
        for (auto& [topic, at] : values_.texts(node, "the names of topics")) {
            auto& topics = config_.settings.topics;
            if (std::find(topics.begin(), topics.end(), topic) != topics.end())
                mistakes_.add(at, "the topic " + shown(topic) + " is named twice");
            topics.push_back(topic);
        }
    }

    void read_channels(const YamlNode& node) {
        has_channels_ = true;
        if (!node.is_map()) {
            mistakes_.add(node.at, "channels is a map from each channel's name to what it is");
            return;
        }
        for (const auto& [name, body] : node.entries) read_channel(name, body);
    }

    void read_channel(const YamlNode& name, const YamlNode& body) {
        const auto reader = section(body, "channel");
        if (!reader.is_map()) return;
        ChannelConfig channel;
        ChannelRules rules;
        rules.name = channel.name = name.text;
        const ChannelType* known = nullptr;
        if (const auto* type = reader.require("type", "sandbox, webhook, or a provider's name")) {
            channel.type = values_.text(*type, "a type of channel").value_or("");
            known = find_channel_type(channel.type);
            if (!known && !channel.type.empty()) {
                std::vector<std::string> built;
                for (const auto& each : channel_types()) built.emplace_back(each.name);
                values_.not_among(*type, built);
            }
        }
        rules.type = channel.type;
        // The usual names say where the address stands; any other says it itself.
        if (channel.name == "email") rules.address = "email";
        if (channel.name == "sms") rules.address = "phone";
        if (channel.name == "push") rules.address = "push_token";
        if (const auto* address = reader.find("address"))
            rules.address =
                address->is_empty() || address->text == "none"
                    ? std::string{}
                    : values_.text(*address, "the trait that holds the address, or none")
                          .value_or("");
        if (known) read_type_keys(reader, *known, channel);
        rules.deduplicates = known && known->deduplicates;
        rules.renders = known && known->renders;
        if (const auto* node = reader.find("deduplicates"))
            rules.deduplicates = values_.boolean(*node).value_or(rules.deduplicates);
        if (const auto* node = reader.find("renders"))
            rules.renders = values_.boolean(*node).value_or(rules.renders);
        if (const auto* node = reader.find("opt_in")) {
            rules.needs_opt_in = values_.boolean(*node).value_or(true);
            own_opt_in_.insert(rules.name);
        }
        if (const auto* node = reader.find("double_opt_in")) {
            rules.needs_confirmation = values_.boolean(*node).value_or(false);
            own_confirmation_.insert(rules.name);
        }
        if (const auto* node = reader.find("from"))
            channel.from = values_.text(*node, "a sender").value_or("");
        if (known && channel.from.empty() &&
            (known->needs_from ||
             (known->name == "twilio" && channel.option("messaging_service").empty())))
            mistakes_.add(body.at, quoted(name.text) + " needs from: who the message is from");
        read_duration(reader, "timeout", channel.timeout, std::chrono::seconds{1});
        if (const auto* node = reader.find("rate"))
            channel.rate = values_.number(*node, 0, 1'000'000).value_or(0);
        if (const auto* node = reader.find("per_minute"))
            channel.per_minute = values_.number(*node, 0, 60'000'000).value_or(0);
        if (const auto* node = reader.find("burst"))
            channel.burst = values_.number(*node, 1, 1'000'000).value_or(0);
        if (const auto* node = reader.find("batch"))
            channel.batch = static_cast<int>(values_.integer(*node, 1, 1'000).value_or(1));
        if (const auto* node = reader.find("concurrency"))
            channel.concurrency = static_cast<int>(values_.integer(*node, 1, 1'000).value_or(8));
        if (const auto* node = reader.find("attempts"))
            channel.attempts = static_cast<int>(values_.integer(*node, 1, 100).value_or(20));
        if (const auto* node = reader.find("templates"); node != nullptr && !node->is_empty()) {
            if (!node->is_map())
                mistakes_.add(node->at, "templates is a map from our names to the provider's ids");
            for (const auto& [ours, theirs] : node->entries)
                if (const auto id = values_.text(theirs, "the provider's id of the template"))
                    rules.templates[ours.text] = *id;
        }
        config_.channels.push_back(std::move(channel));
        config_.settings.channels.push_back(std::move(rules));
    }

    /// Every key that some type has and this one has not is a mistake, and so is a missing one.
    void read_type_keys(const MapReader& reader, const ChannelType& type, ChannelConfig& into) {
        for (const auto& each : channel_types())
            for (const auto& key : each.keys) {
                const auto* node = reader.find(key.name);
                const bool is_ours = std::ranges::any_of(
                    type.keys, [&](const ChannelKey& own) { return own.name == key.name; });
                if (node == nullptr || is_ours || !said_.insert(node).second) continue;
                mistakes_.add(node->at,
                              quoted(key.name) + " has no meaning for " +
                                  (type.name == "sandbox" ? "a sandbox, which sends nothing"
                                                          : "the type " + std::string{type.name}));
            }
        for (const auto& key : type.keys) {
            const auto* node =
                key.required ? reader.require(key.name, key.what) : reader.find(key.name);
            if (node == nullptr) continue;
            Secret value;
            switch (key.form) {
            case ChannelKey::Form::text:
                value = Secret{values_.text(*node, key.what).value_or("")};
                break;
            case ChannelKey::Form::secret: value = secret(*node, key.what); break;
            case ChannelKey::Form::url:
                value = secret(*node, key.what);
                check_url(value.reveal(), type.name == "smtp", node->at);
                break;
            case ChannelKey::Form::flag:
                value = Secret{values_.boolean(*node).value_or(false) ? "true" : "false"};
                break;
            case ChannelKey::Form::whole_number:
                value =
                    Secret{std::to_string(values_.integer(*node, 0, 2'000'000'000).value_or(0))};
                break;
            }
            into.options[std::string{key.name}] = std::move(value);
        }
        const auto given = into.option("secret");
        if (type.name == "webhook" && !given.empty() && !given.starts_with("whsec_"))
            mistakes_.add(reader.find("secret")->at,
                          "a secret of Standard Webhooks is whsec_ and the base64 of 24 to 64 "
                          "bytes");
    }

    void check_url(const std::string& value, bool is_mail, Place at) {
        if (value.empty()) return;
        const bool is_right = is_mail
                                  ? value.starts_with("smtp://") || value.starts_with("smtps://")
                                  : value.starts_with("https://") || value.starts_with("http://");
        if (!is_right)
            mistakes_.add(at, is_mail ? "url begins with smtps:// or smtp://"
                                      : "url begins with https:// or http://");
    }

    void check_channel(const std::string& name, Place at) {
        std::vector<std::string> known;
        for (const auto& channel : config_.settings.channels) known.push_back(channel.name);
        if (!has_channels_) known = {"email", "sms", "push"};
        if (std::find(known.begin(), known.end(), name) == known.end())
            mistakes_.add(at, "no channel " + shown(name) + '.' + did_you_mean(name, known) +
                                  " Configured: " + listed(known));
    }

    void read_countries(const YamlNode& node) {
        if (!node.is_list()) {
            mistakes_.add(node.at,
                          "countries is a list of { in, channels, opt_in, double_opt_in }");
            return;
        }
        for (const auto& item : node.items) {
            const auto reader = section(item, "country");
            if (!reader.is_map()) continue;
            ConsentOfCountries law;
            if (const auto* in = reader.require("in", "the countries: [DE, AT]"))
                for (auto& [country, at] : values_.texts(*in, "countries, as DE"))
                    law.countries.push_back(country);
            if (const auto* opt_in = reader.find("opt_in"))
                law.needs_opt_in = values_.boolean(*opt_in);
            if (const auto* confirmed = reader.find("double_opt_in"))
                law.needs_confirmation = values_.boolean(*confirmed);
            std::set<std::string> named;
            if (const auto* channels = reader.find("channels"))
                for (const auto& [name, at] : values_.texts(*channels, "the names of channels")) {
                    check_channel(name, at);
                    named.insert(name);
                }
            for (auto& channel : config_.settings.channels)
                if (named.empty() || named.contains(channel.name))
                    channel.by_country.push_back(law);
        }
    }

    void read_best_hour(const YamlNode& node) {
        const auto reader = section(node, "best_hour");
        auto& settings = config_.settings;
        if (const auto* hours = reader.require("prior", "24 shares, from midnight on")) {
            for (const auto& item : hours->items)
                settings.active_hours.push_back(values_.number(item, 0, 1e9).value_or(0));
            double sum = 0;
            for (const auto share : settings.active_hours) sum += share;
            if (settings.active_hours.size() != 24 || sum <= 0)
                mistakes_.add(hours->at, "prior is a list of 24 shares, from midnight on, of which "
                                         "one at least is not 0");
        }
        if (const auto* weight = reader.find("weight"))
            settings.active_hours_weight = values_.number(*weight, 0.1, 10'000).value_or(12);
    }

    void read_retention(const YamlNode& node) {
        const auto reader = section(node, "retention");
        auto& kept = config_.retention;
        constexpr auto least = std::chrono::hours{24};
        read_duration(reader, "timeline", kept.timeline, least);
        read_duration(reader, "outbox", kept.outbox, least);
        read_duration(reader, "sandbox", kept.sandbox, least);
        read_duration(reader, "learned", kept.learned, least);
    }

    void read_models(const YamlNode& node) {
        const auto reader = section(node, "models");
        if (const auto* file = reader.find("file"))
            config_.models = values_.text(*file, "a file").value_or(config_.models);
        read_duration(reader, "fit_every", config_.fit_every, std::chrono::minutes{1});
        const auto* learn = reader.find("learn_every");
        if (learn && learn->is_text() && learn->text == "never")
            config_.learn_every = journeys::Duration::zero();
        else
            read_duration(reader, "learn_every", config_.learn_every, std::chrono::minutes{1});
        const auto* stages = reader.find("stages");
        if (stages == nullptr) return;
        const auto policy = section(*stages, "stages");
        auto& into = config_.settings.stages;
        const auto read = [&](std::string_view key, double low, double& value) {
            if (const auto* found = policy.find(key))
                value = values_.number(*found, low, 0.999).value_or(value);
        };
        read("at_risk", 0.001, into.at_risk);
        read("lapsed", 0.001, into.lapsed);
        read("overdue", 0.001, into.overdue);
        read("hysteresis", 0, into.hysteresis);
        if (into.lapsed <= into.at_risk)
            mistakes_.add(
                stages->at,
                "lapsed must be above at_risk: both are risks of having lost the customer");
        if (into.hysteresis >= std::min(into.at_risk, into.overdue))
            mistakes_.add(stages->at, "hysteresis must be below at_risk and overdue");
    }

    void read_caps(const YamlNode& node) {
        if (!node.is_list()) {
            mistakes_.add(node.at, "caps is a list of { channel, topic, messages, per }");
            return;
        }
        for (const auto& item : node.items) {
            const auto reader = section(item, "cap");
            if (!reader.is_map()) continue;
            Cap cap;
            if (const auto* channel = reader.find("channel")) {
                cap.channel = values_.text(*channel, "a channel").value_or("");
                if (!cap.channel.empty()) check_channel(cap.channel, channel->at);
            }
            if (const auto* topic = reader.find("topic")) {
                cap.topic = values_.text(*topic, "a topic").value_or("");
                const auto& known = config_.settings.topics;
                if (!cap.topic.empty() &&
                    std::find(known.begin(), known.end(), cap.topic) == known.end())
                    mistakes_.add(topic->at, "no topic " + shown(cap.topic) + '.' +
                                                 did_you_mean(cap.topic, known) +
                                                 " Configured: " + listed(known));
            }
            if (const auto* messages = reader.require("messages", "how many"))
                cap.messages = values_.integer(*messages, 0, 100).value_or(0);
            if (const auto* per = reader.require("per", "the window: 7d"))
                cap.per = values_.duration(*per).value_or(Duration{});
            if (const auto* above = reader.find("above"))
                if (const auto priority = values_.integer(*above, 0, 100))
                    cap.above = static_cast<int>(*priority);
            config_.settings.caps.push_back(std::move(cap));
        }
    }

    void read_quiet_hours(const YamlNode& node) {
        const auto read_one = [&](const YamlNode& item) {
            const auto reader = section(item, "quiet_hours");
            if (!reader.is_map()) return;
            QuietHours quiet;
            const auto* from = reader.require("from", "when they begin: \"21:00\"");
            const auto* to = reader.require("to", "when they end: \"08:00\"");
            if (from != nullptr)
                quiet.from = values_.time_of_day(*from).value_or(std::chrono::minutes{});
            if (to != nullptr) quiet.to = values_.time_of_day(*to).value_or(std::chrono::minutes{});
            if (from != nullptr && to != nullptr && quiet.from == quiet.to)
                mistakes_.add(to->at,
                              "from and to are the same: nothing could ever be sent, or always");
            if (const auto* channels = reader.find("channels"))
                for (const auto& [name, at] : values_.texts(*channels, "the names of channels")) {
                    check_channel(name, at);
                    quiet.channels.push_back(name);
                }
            if (const auto* jitter = reader.find("jitter")) {
                quiet.jitter = values_.duration(*jitter).value_or(quiet.jitter);
                if (quiet.jitter > journeys::quiet_jitter_max)
                    mistakes_.add(jitter->at, "jitter is at most 2h; 0s: all at once");
            }
            config_.settings.quiet_hours.push_back(std::move(quiet));
        };
        if (node.is_list())
            for (const auto& item : node.items) read_one(item);
        else
            read_one(node);
    }

    void read_limits(const YamlNode& node) {
        const auto reader = section(node, "limits");
        auto& limits = config_.limits;
        const auto size = [&](std::string_view key, std::int64_t& into, std::int64_t most) {
            const auto* found = reader.find(key);
            if (found == nullptr) return;
            const auto value = values_.bytes(*found);
            if (value && (*value < 1'000 || *value > most))
                mistakes_.add(found->at, std::string{key} + " is from 1 KB to " +
                                             std::to_string(most / 1'000'000) + " MB");
            into = value.value_or(into);
        };
        size("frame", limits.frame_bytes, 64'000'000);
        size("message", limits.message_bytes, 1'000'000);
        size("body", limits.body_bytes, 256'000'000);
        if (const auto* found = reader.find("connections"))
            limits.connections = values_.integer(*found, 1, 1'000'000).value_or(limits.connections);
        if (const auto* found = reader.find("connections_per_address"))
            limits.connections_per_address =
                values_.integer(*found, 1, 1'000'000).value_or(limits.connections_per_address);
        size("bytes_per_address", limits.bytes_per_address, 64'000'000'000);
        read_duration(reader, "idle", limits.idle, std::chrono::seconds{1});
        if (const auto* found = reader.find("rejects"))
            limits.rejects = values_.integer(*found, 0, 100'000'000).value_or(limits.rejects);
        read_duration(reader, "rejects_for", limits.rejects_for);
        if (const auto* found = reader.find("active_customers"))
            limits.active_customers =
                values_.integer(*found, 1, 100'000'000).value_or(limits.active_customers);
        read_duration(reader, "passivate_after", limits.passivate_after, std::chrono::seconds{1});
        read_duration(reader, "shutdown_timeout", limits.shutdown_timeout, std::chrono::seconds{1});
        read_duration(reader, "max_lateness", config_.settings.max_lateness);
        read_duration(reader, "dedup_window", config_.settings.dedup_window);
    }

    Mistakes& mistakes_;
    ValueReader values_;
    const std::set<std::string>& expanded_;
    Config config_;
    std::set<std::string> own_opt_in_, own_confirmation_;
    std::set<const YamlNode*> said_; ///< Keys of other types that were complained about.
    bool has_keys_ = false, has_channels_ = false;
};

/// Those of every type, and those of each.
std::vector<Key> channel_keys() {
    std::vector<Key> keys{{"type"},      {"address"}, {"opt_in"},      {"double_opt_in"},
                          {"from"},      {"timeout"}, {"rate"},        {"per_minute"},
                          {"burst"},     {"batch"},   {"concurrency"}, {"attempts"},
                          {"templates"}, {"renders"}, {"deduplicates"}};
    for (const auto& type : channel_types())
        for (const auto& key : type.keys)
            if (std::ranges::none_of(keys,
                                     [&](const Key& known) { return known.name == key.name; }))
                keys.push_back({std::string{key.name}});
    return keys;
}

} // namespace

const std::vector<Section>& settings_sections() {
    static const std::vector<Section> sections{
        {"file",
         "the settings",
         {{"workspace"}, {"timezone"},  {"listen"},  {"tls"},        {"storage"},     {"log"},
          {"journeys"},  {"templates"}, {"events"},  {"keys"},       {"identity"},    {"sources"},
          {"topics"},    {"channels"},  {"consent"}, {"caps"},       {"quiet_hours"}, {"sessions"},
          {"holdout"},   {"testers"},   {"limits"},  {"public_url"}, {"best_hour"},   {"retention"},
          {"models"},    {"audiences"}, {"actions"}, {"vars"},       {"tables"},      {"coupons"}}},
        {"listen", "listen", {{"address"}, {"port"}}},
        {"storage",
         "storage",
         {{"data_dir"}, {"url"}, {"retention"}, {"retention_size"}, {"checkpoint"}}},
        {"key", "a key", {{"name"}, {"key"}, {"scopes"}}},
        {"channel", "a channel", channel_keys()},
        {"source", "a source", {{"type"}, {"secret"}, {"shops"}}},
        {"consent", "consent", {{"opt_in"}, {"double_opt_in"}, {"countries"}}},
        {"country", "a rule of countries", {{"in"}, {"channels"}, {"opt_in"}, {"double_opt_in"}}},
        {"best_hour", "best_hour", {{"prior"}, {"weight"}}},
        {"retention", "retention", {{"timeline"}, {"outbox"}, {"sandbox"}, {"learned"}}},
        {"cap", "a cap", {{"channel"}, {"topic"}, {"messages"}, {"per"}, {"above"}}},
        {"quiet_hours", "quiet_hours", {{"channels"}, {"from"}, {"to"}, {"jitter"}}},
        {"sessions", "sessions", {{"idle"}}},
        {"identity", "identity", {{"junk"}, {"never_link"}, {"links_per_id"}}},
        {"models", "models", {{"file"}, {"fit_every"}, {"learn_every"}, {"stages"}}},
        {"stages", "stages", {{"at_risk"}, {"lapsed"}, {"overdue"}, {"hysteresis"}}},
        {"limits",
         "limits",
         {{"frame"},
          {"message"},
          {"body"},
          {"connections"},
          {"connections_per_address"},
          {"bytes_per_address"},
          {"idle"},
          {"rejects"},
          {"rejects_for"},
          {"active_customers"},
          {"passivate_after"},
          {"shutdown_timeout"},
          {"max_lateness"},
          {"dedup_window"}}},
    };
    return sections;
}

ConfigResult load_settings(const std::string& file, std::string_view text, const Outside& outside) {
    Mistakes mistakes{file};
    auto document = YamlDocument::parse(text, mistakes);
    auto root = document.root();
    Expansion expansion{outside, mistakes};
    expansion.expand(root);
    auto config = SettingsReader{mistakes, expansion.values()}.read(root);
    ConfigResult result;
    if (!mistakes.has_errors()) result.config = std::move(config);
    result.mistakes = mistakes.take();
    return result;
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
