#include "schema/settings_yaml.hpp"

#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "schema/yaml_values.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <set>

namespace schema {

using namespace journeys;

namespace {

constexpr bool later = false;
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
        if (const auto* node = part(file, "keys")) read_keys(*node);
        if (const auto* node = part(file, "topics")) read_topics(*node);
        if (const auto* node = part(file, "channels")) read_channels(*node);
        if (const auto* node = part(file, "consent")) {
            const auto consent = section(*node, "consent");
            if (const auto* opt_in = consent.find("opt_in"))
                if (const auto needed = values_.boolean(*opt_in); needed && !*needed)
                    for (auto& channel : settings.channels)
                        if (!own_opt_in_.contains(channel.name)) channel.needs_opt_in = false;
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
        if (const auto* node = part(file, "limits")) read_limits(*node);
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
        if (const auto* type = reader.require("type", "sandbox or webhook")) {
            static const std::vector<std::string> built{"sandbox", "webhook"};
            static const std::vector<std::string> not_yet{"sendgrid", "twilio",  "klaviyo",
                                                          "braze",    "mailgun", "postmark"};
            channel.type = values_.text(*type, "sandbox or webhook").value_or("");
            if (std::find(not_yet.begin(), not_yet.end(), channel.type) != not_yet.end())
                mistakes_.add(type->at,
                              "the channel type " + quoted(channel.type) + " is not built yet");
            else if (!channel.type.empty() &&
                     std::find(built.begin(), built.end(), channel.type) == built.end())
                values_.not_among(*type, built);
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
        const bool is_webhook = channel.type == "webhook";
        for (const auto* key : {"url", "secret"})
            if (reader.has(key) && channel.type == "sandbox")
                mistakes_.add(reader.find(key)->at,
                              quoted(key) + " has no meaning for a sandbox, which sends nothing");
        if (is_webhook) {
            if (const auto* url = reader.require("url", "where to call: https://…")) {
                channel.url = secret(*url, "where to call");
                const auto& value = channel.url.reveal();
                if (!value.empty() && !value.starts_with("https://") &&
                    !value.starts_with("http://"))
                    mistakes_.add(url->at, "url begins with https:// or http://");
            }
            if (const auto* key = reader.require(
                    "secret", "whsec_ and base64, by which the receiver checks the signature")) {
                channel.secret = secret(*key, "whsec_…");
                if (!channel.secret.is_empty() && !channel.secret.reveal().starts_with("whsec_"))
                    mistakes_.add(
                        key->at,
                        "a secret of Standard Webhooks is whsec_ and the base64 of 24 to 64 bytes");
            }
        }
        rules.deduplicates = channel.type == "sandbox";
        rules.renders = channel.type == "sandbox";
        if (const auto* node = reader.find("deduplicates"))
            rules.deduplicates = values_.boolean(*node).value_or(rules.deduplicates);
        if (const auto* node = reader.find("renders"))
            rules.renders = values_.boolean(*node).value_or(rules.renders);
        if (const auto* node = reader.find("opt_in")) {
            rules.needs_opt_in = values_.boolean(*node).value_or(true);
            own_opt_in_.insert(rules.name);
        }
        if (const auto* node = reader.find("from"))
            channel.from = values_.text(*node, "a sender").value_or("");
        read_duration(reader, "timeout", channel.timeout, std::chrono::seconds{1});
        if (const auto* node = reader.find("rate"))
            channel.rate = values_.number(*node, 0, 1'000'000).value_or(0);
        if (const auto* node = reader.find("concurrency"))
            channel.concurrency = static_cast<int>(values_.integer(*node, 1, 1'000).value_or(8));
        if (const auto* node = reader.find("attempts"))
            channel.attempts = static_cast<int>(values_.integer(*node, 1, 100).value_or(10));
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

    void check_channel(const std::string& name, Place at) {
        std::vector<std::string> known;
        for (const auto& channel : config_.settings.channels) known.push_back(channel.name);
        if (!has_channels_) known = {"email", "sms", "push"};
        if (std::find(known.begin(), known.end(), name) == known.end())
            mistakes_.add(at, "no channel " + shown(name) + '.' + did_you_mean(name, known) +
                                  " Configured: " + listed(known));
    }

    void read_models(const YamlNode& node) {
        const auto reader = section(node, "models");
        if (const auto* file = reader.find("file"))
            config_.models = values_.text(*file, "a file").value_or(config_.models);
        read_duration(reader, "fit_every", config_.fit_every, std::chrono::minutes{1});
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
    std::set<std::string> own_opt_in_;
    bool has_keys_ = false, has_channels_ = false;
};

} // namespace

const std::vector<Section>& settings_sections() {
    static const std::vector<Section> sections{
        {"file",
         "the settings",
         {{"workspace"},        {"timezone"},      {"listen"},      {"tls"},
          {"storage"},          {"log"},           {"journeys"},    {"templates"},
          {"events"},           {"keys"},          {"topics"},      {"channels"},
          {"consent"},          {"caps"},          {"quiet_hours"}, {"sessions"},
          {"holdout"},          {"testers"},       {"limits"},      {"models"},
          {"audiences", later}, {"actions", later}}},
        {"listen", "listen", {{"address"}, {"port"}}},
        {"storage",
         "storage",
         {{"data_dir"}, {"url"}, {"retention"}, {"retention_size"}, {"checkpoint"}}},
        {"key", "a key", {{"name"}, {"key"}, {"scopes"}}},
        {"channel",
         "a channel",
         {{"type"},
          {"url"},
          {"secret"},
          {"address"},
          {"opt_in"},
          {"from"},
          {"timeout"},
          {"rate"},
          {"concurrency"},
          {"attempts"},
          {"templates"},
          {"renders"},
          {"deduplicates"}}},
        {"consent", "consent", {{"opt_in"}}},
        {"cap", "a cap", {{"channel"}, {"topic"}, {"messages"}, {"per"}}},
        {"quiet_hours", "quiet_hours", {{"channels"}, {"from"}, {"to"}}},
        {"sessions", "sessions", {{"idle"}}},
        {"models", "models", {{"file"}, {"fit_every"}, {"stages"}}},
        {"stages", "stages", {{"at_risk"}, {"lapsed"}, {"overdue"}, {"hysteresis"}}},
        {"limits",
         "limits",
         {{"frame"},
          {"message"},
          {"body"},
          {"connections"},
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
