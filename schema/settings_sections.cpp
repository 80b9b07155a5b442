/// Which keys each section of `config/sojourn.yaml` may have: `settings_sections`.
#include "schema/channel_types.hpp"
#include "schema/settings_yaml.hpp"
#include "schema/yaml_values.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace schema {
namespace {

/// Those of every type, and those of each.
std::vector<std::string> channel_keys() {
    std::vector<std::string> keys{"type",      "address", "opt_in",      "double_opt_in",
                                  "from",      "timeout", "rate",        "per_minute",
                                  "burst",     "batch",   "concurrency", "attempts",
                                  "templates", "renders", "deduplicates"};
    for (const auto& type : channel_types())
        for (const auto& key : type.keys)
            if (std::ranges::find(keys, key.name) == keys.end()) keys.emplace_back(key.name);
    return keys;
}

} // namespace

const std::vector<Section>& settings_sections() {
    static const std::vector<Section> sections{
        {"file",
         "the settings",
         {"workspace", "timezone",   "currency",  "listen",      "tls",      "storage",   "log",
          "journeys",  "templates",  "events",    "keys",        "identity", "sources",   "topics",
          "channels",  "consent",    "caps",      "quiet_hours", "sessions", "holdout",   "testers",
          "limits",    "public_url", "best_hour", "retention",   "models",   "audiences", "actions",
          "vars",      "tables",     "coupons"}},
        {"listen", "listen", {"address", "port"}},
        {"storage", "storage", {"data_dir", "url", "retention", "retention_size", "checkpoint"}},
        {"key", "a key", {"name", "key", "scopes"}},
        {"channel", "a channel", channel_keys()},
        {"source", "a source", {"type", "secret", "shops"}},
        {"consent", "consent", {"opt_in", "double_opt_in", "countries"}},
        {"country", "a rule of countries", {"in", "channels", "opt_in", "double_opt_in"}},
        {"best_hour", "best_hour", {"prior", "weight"}},
        {"retention", "retention", {"timeline", "outbox", "sandbox", "learned"}},
        {"cap", "a cap", {"channel", "topic", "messages", "per", "above"}},
        {"quiet_hours", "quiet_hours", {"channels", "from", "to", "jitter"}},
        {"sessions", "sessions", {"idle"}},
        {"identity", "identity", {"junk", "never_link", "links_per_id"}},
        {"models", "models", {"file", "fit_every", "learn_every", "stages"}},
        {"stages", "stages", {"at_risk", "lapsed", "overdue", "hysteresis"}},
        {"limits",
         "limits",
         {"frame", "message", "body", "connections", "connections_per_address", "bytes_per_address",
          "idle", "rejects", "rejects_for", "active_customers", "passivate_after",
          "shutdown_timeout", "max_lateness", "dedup_window"}},
    };
    return sections;
}

} // namespace schema
