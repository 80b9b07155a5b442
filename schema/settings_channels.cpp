#include "schema/settings_channels.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace schema {

using namespace journeys;

void ChannelSettings::read(const YamlNode& node) {
    is_read_ = true;
    if (!node.is_map()) {
        values_.mistakes().add(node.at, "channels is a map from each channel's name to what it is");
        return;
    }
    for (const auto& [name, body] : node.entries) read_channel(name, body);
}

void ChannelSettings::read_channel(const YamlNode& name, const YamlNode& body) {
    const auto reader = values_.section(body, "channel");
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
                : values_.text(*address, "the trait that holds the address, or none").value_or("");
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
        values_.mistakes().add(body.at, quoted(name.text) + " needs from: who the message is from");
    values_.read_duration(reader, "timeout", channel.timeout, std::chrono::seconds{1});
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
            values_.mistakes().add(node->at,
                                   "templates is a map from our names to the provider's ids");
        for (const auto& [ours, theirs] : node->entries)
            if (const auto id = values_.text(theirs, "the provider's id of the template"))
                rules.templates[ours.text] = *id;
    }
    config_.channels.push_back(std::move(channel));
    config_.settings.channels.push_back(std::move(rules));
}

void ChannelSettings::read_type_keys(const MapReader& reader, const ChannelType& type,
                                     ChannelConfig& into) {
    for (const auto& each : channel_types())
        for (const auto& key : each.keys) {
            const auto* node = reader.find(key.name);
            const bool is_ours = std::ranges::any_of(
                type.keys, [&](const ChannelKey& own) { return own.name == key.name; });
            if (node == nullptr || is_ours || !said_.insert(node).second) continue;
            values_.mistakes().add(node->at, quoted(key.name) + " has no meaning for " +
                                                 (type.name == "sandbox"
                                                      ? "a sandbox, which sends nothing"
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
        case ChannelKey::Form::secret: value = values_.secret(*node, key.what); break;
        case ChannelKey::Form::url:
            value = values_.secret(*node, key.what);
            values_.check_url(value.reveal(), type.name == "smtp", node->at);
            break;
        case ChannelKey::Form::flag:
            value = Secret{values_.boolean(*node).value_or(false) ? "true" : "false"};
            break;
        case ChannelKey::Form::whole_number:
            value = Secret{std::to_string(values_.integer(*node, 0, 2'000'000'000).value_or(0))};
            break;
        }
        into.options[std::string{key.name}] = std::move(value);
    }
    const auto given = into.option("secret");
    if (type.name == "webhook" && !given.empty() && !given.starts_with("whsec_"))
        values_.mistakes().add(reader.find("secret")->at,
                               "a secret of Standard Webhooks is whsec_ and the base64 of 24 to 64 "
                               "bytes");
}

void ChannelSettings::read_consent(const YamlNode& node) {
    const auto consent = values_.section(node, "consent");
    if (const auto* opt_in = consent.find("opt_in"))
        if (const auto needed = values_.boolean(*opt_in); needed && !*needed)
            for (auto& channel : config_.settings.channels)
                if (!own_opt_in_.contains(channel.name)) channel.needs_opt_in = false;
    if (const auto* confirmed = consent.find("double_opt_in"))
        if (values_.boolean(*confirmed).value_or(false))
            for (auto& channel : config_.settings.channels)
                if (!own_confirmation_.contains(channel.name)) channel.needs_confirmation = true;
    if (const auto* countries = values_.part(consent, "countries")) read_countries(*countries);
}

void ChannelSettings::read_countries(const YamlNode& node) {
    if (!node.is_list()) {
        values_.mistakes().add(node.at,
                               "countries is a list of { in, channels, opt_in, double_opt_in }");
        return;
    }
    for (const auto& item : node.items) {
        const auto reader = values_.section(item, "country");
        if (!reader.is_map()) continue;
        ConsentOfCountries law;
        if (const auto* in = reader.require("in", "the countries: [DE, AT]"))
            for (auto& [country, at] : values_.texts(*in, "countries, as DE"))
                law.countries.push_back(country);
        if (const auto* opt_in = reader.find("opt_in")) law.needs_opt_in = values_.boolean(*opt_in);
        if (const auto* confirmed = reader.find("double_opt_in"))
            law.needs_confirmation = values_.boolean(*confirmed);
        std::set<std::string> named;
        if (const auto* channels = reader.find("channels"))
            for (const auto& [name, at] : values_.texts(*channels, "the names of channels")) {
                check(name, at);
                named.insert(name);
            }
        for (auto& channel : config_.settings.channels)
            if (named.empty() || named.contains(channel.name)) channel.by_country.push_back(law);
    }
}

void ChannelSettings::check(const std::string& name, Place at) const {
    std::vector<std::string> known;
    for (const auto& channel : config_.settings.channels) known.push_back(channel.name);
    if (!is_read_) known = {"email", "sms", "push"};
    if (std::find(known.begin(), known.end(), name) == known.end())
        values_.mistakes().add(at, "no channel " + values_.shown(name) + '.' +
                                       did_you_mean(name, known) + " Configured: " + listed(known));
}

void ChannelSettings::add_sandboxes_unless_read() {
    if (is_read_) return;
    add_sandbox("email", "email");
    add_sandbox("sms", "phone");
    add_sandbox("push", "push_token");
}

void ChannelSettings::add_sandbox(const std::string& name, const std::string& address) {
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

} // namespace schema
