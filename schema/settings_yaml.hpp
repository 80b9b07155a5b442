/// `config/sojourn.yaml`: what an operator decides. Every key has a default, so an empty file runs.
#pragma once

#include "journeys/identity.hpp"
#include "journeys/settings.hpp"
#include "schema/mistakes.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// A text that is not for logs: it has no way into a stream or a message but by name.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    const std::string& reveal() const { return value_; }
    bool is_empty() const { return value_.empty(); }
    bool operator==(const Secret&) const = default;

private:
    std::string value_;
};

enum class KeyScope : std::uint8_t { ingest = 1, decide = 2, admin = 4 };

struct ApiKey {
    std::string name;
    Secret key;
    std::uint8_t scopes = 0; ///< Of `KeyScope`.
    bool may(KeyScope scope) const { return (scopes & static_cast<std::uint8_t>(scope)) != 0; }
    bool operator==(const ApiKey&) const = default;
};

/// A shop whose webhooks come in at `/v1/sources/{name}`.
struct SourceConfig {
    std::string name;
    std::string type;            ///< `shopify`
    std::vector<Secret> secrets; ///< Any of them may have signed.
    std::vector<std::string> shops;
    bool operator==(const SourceConfig&) const = default;
};

struct ChannelConfig {
    std::string name;
    std::string type; ///< One of `channel_types`.
    /// What only the type has, `url` too; some of them hold secrets, so none is for logs.
    std::map<std::string, Secret> options;
    std::string from;
    journeys::Duration timeout = std::chrono::seconds{15};
    double rate = 0;       ///< Messages a second; 0: as many as `concurrency` allows.
    double per_minute = 0; ///< … and a minute; 0: no limit.
    double burst = 0;      ///< How many may go at once after a pause; 0: a second's worth.
    int concurrency = 8;
    int batch = 1;     ///< Messages in one request, where the provider's API has that.
    int attempts = 20; ///< Of a call that was certainly not accepted.
    bool operator==(const ChannelConfig&) const = default;

    std::string option(const std::string& key) const {
        const auto found = options.find(key);
        return found == options.end() ? std::string{} : found->second.reveal();
    }
};

/// All of it, as plain data. Paths are as written: relative to the file.
struct Config {
    struct Listen {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;
        bool operator==(const Listen&) const = default;
    } listen;
    struct Storage {
        std::string data_dir =
            ".data"; ///< Of the private PostgreSQL; not used where there is a `url`.
        Secret url;
        journeys::Duration retention = std::chrono::hours{24 * 7};
        std::int64_t retention_bytes = 20'000'000'000;
        journeys::Duration checkpoint = std::chrono::seconds{5};
        bool operator==(const Storage&) const = default;
    } storage;
    struct Limits {
        std::int64_t frame_bytes = 500 * 1024;  ///< The same of a batch.
        std::int64_t message_bytes = 32 * 1024; ///< As Segment counts: its clients send up to it.
        std::int64_t body_bytes = 4'000'000;
        std::int64_t connections = 10'000;
        std::int64_t connections_per_address = 2'000;
        std::int64_t bytes_per_address = 64'000'000;        ///< Read and not yet durable.
        journeys::Duration idle = std::chrono::seconds{75}; ///< Of a connection between requests.
        std::int64_t rejects = 100'000; ///< Kept of messages that were refused, the newest,
        journeys::Duration rejects_for = std::chrono::hours{24 * 7}; ///< and for how long.
        std::int64_t active_customers = 200'000;
        journeys::Duration passivate_after = std::chrono::minutes{5};
        journeys::Duration shutdown_timeout = std::chrono::seconds{30};
        bool operator==(const Limits&) const = default;
    } limits;
    std::vector<std::string> journeys{"journeys"};
    std::string templates = "templates";
    std::string events = "events.yaml";
    std::string actions = "actions.yaml"; ///< What decisions choose among.
    std::string audiences = "audiences.yaml";
    std::string coupons = "coupons.yaml"; ///< The pools of codes.
    std::string vars = "vars.yaml";
    std::string tables = "tables"; ///< A folder of CSV files.
    /// Under which the world reaches this service: links in messages, callbacks of providers.
    /// Empty: the address that it listens on.
    std::string public_url;
    /// How long each kind of row is kept.
    struct Retention {
        journeys::Duration timeline = std::chrono::hours{24 * 400};
        journeys::Duration outbox = std::chrono::hours{24 * 400};
        journeys::Duration sandbox = std::chrono::hours{24 * 30};
        /// Publications that only learning has made, and at least as long as the log is kept.
        journeys::Duration learned = std::chrono::hours{24 * 8};
        bool operator==(const Retention&) const = default;
    } retention;
    std::string models = "models.json"; ///< Written by `sojourn fit --out`.
    journeys::Duration fit_every{};     ///< The service fits them itself; zero: never.
    /// How often the service learns from the rewards of its decisions; zero: never.
    journeys::Duration learn_every = std::chrono::hours{1};
    std::vector<ApiKey> keys;
    std::vector<SourceConfig> sources;
    std::vector<ChannelConfig> channels;
    journeys::IdentityRules identity; ///< What the door reads of ids.
    journeys::Settings settings;      ///< What the rules read.
};

/// Where `${NAME}` and `${file:PATH}` come from; nothing: there is none. The caller does the
/// reading.
struct Outside {
    std::function<std::optional<std::string>(const std::string& name)> variable;
    std::function<std::optional<std::string>(const std::string& path)> file;
};

struct ConfigResult {
    std::optional<Config> config; ///< Absent where `mistakes` holds more than warnings.
    std::vector<Mistake> mistakes;
};

ConfigResult load_settings(const std::string& file, std::string_view text, const Outside& outside);

/// The key that an empty file has; for trying out on one's own machine.
inline constexpr std::string_view demo_key = "demo";

/// What must not be reachable from outside: the demo key on an address that is not loopback.
std::vector<Mistake> check_exposure(const Config& config, const std::string& file);

/// The sections in which `now` differs from what a process has `begun` with, and of which it takes
/// notice at its start only; in the order of the file. Not the keys, nor what rules read.
std::vector<std::string> sections_of_restart(const Config& begun, const Config& now);

/// Every section of the file, for the reference and for tests.
const std::vector<struct Section>& settings_sections();

} // namespace schema
