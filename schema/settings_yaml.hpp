/// `config/sojourn.yaml`: what an operator decides. Every key has a default, so an empty file runs.
#pragma once

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

private:
    std::string value_;
};

enum class KeyScope : std::uint8_t { ingest = 1, decide = 2, admin = 4 };

struct ApiKey {
    std::string name;
    Secret key;
    std::uint8_t scopes = 0; ///< Of `KeyScope`.
    bool may(KeyScope scope) const { return (scopes & static_cast<std::uint8_t>(scope)) != 0; }
};

struct ChannelConfig {
    std::string name;
    std::string type; ///< `sandbox`, `webhook`
    Secret url;       ///< A secret, since some hold a token.
    Secret secret;    ///< `whsec_…`
    std::string from;
    journeys::Duration timeout = std::chrono::seconds{15};
    double rate = 0; ///< Calls a second; 0: as many as `concurrency` allows.
    int concurrency = 8;
    int attempts = 10; ///< Of a call that was certainly not accepted.
};

/// All of it, as plain data. Paths are as written: relative to the file.
struct Config {
    struct Listen {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;
    } listen;
    struct Storage {
        std::string data_dir =
            ".data"; ///< Of the private PostgreSQL; not used where there is a `url`.
        Secret url;
        journeys::Duration retention = std::chrono::hours{24 * 7};
        std::int64_t retention_bytes = 20'000'000'000;
        journeys::Duration checkpoint = std::chrono::seconds{5};
    } storage;
    struct Limits {
        std::int64_t frame_bytes = 500'000;
        std::int64_t message_bytes = 32'000;
        std::int64_t body_bytes = 4'000'000;
        std::int64_t connections = 10'000;
        std::int64_t active_customers = 200'000;
        journeys::Duration passivate_after = std::chrono::minutes{5};
        journeys::Duration shutdown_timeout = std::chrono::seconds{30};
    } limits;
    std::vector<std::string> journeys{"journeys"};
    std::string templates = "templates";
    std::string events = "events.yaml";
    std::string models = "models.json"; ///< Written by `sojourn fit --out`.
    journeys::Duration fit_every{};     ///< The service fits them itself; zero: never.
    std::vector<ApiKey> keys;
    std::vector<ChannelConfig> channels;
    journeys::Settings settings; ///< What the rules read.
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

/// Every section of the file, for the reference and for tests.
const std::vector<struct Section>& settings_sections();

} // namespace schema
