#include "schema/settings_storage.hpp"

#include <chrono>

namespace schema {

void read_storage(SettingsValues& values, const YamlNode& node, Config::Storage& into) {
    const auto storage = values.section(node, "storage");
    if (const auto* dir = storage.find("data_dir"))
        into.data_dir = values.text(*dir, "a folder").value_or("");
    if (const auto* url = storage.find("url")) {
        into.url = values.secret(*url, "postgresql://…");
        const auto& value = into.url.reveal();
        if (!value.empty() && !value.starts_with("postgresql://") &&
            !value.starts_with("postgres://"))
            values.mistakes().add(url->at,
                                  "url is that of a PostgreSQL: postgresql://user@host/name");
        if (storage.has("data_dir"))
            values.mistakes().add(url->at,
                                  "give either url, a PostgreSQL of yours, or data_dir, the "
                                  "folder of a private one");
    }
    values.read_duration(storage, "retention", into.retention, std::chrono::hours{1});
    values.read_duration(storage, "checkpoint", into.checkpoint, std::chrono::seconds{1});
    if (const auto* size = storage.find("retention_size"))
        into.retention_bytes = values.bytes(*size).value_or(into.retention_bytes);
}

void read_retention(SettingsValues& values, const YamlNode& node, Config::Retention& kept) {
    const auto reader = values.section(node, "retention");
    constexpr auto least = std::chrono::hours{24};
    values.read_duration(reader, "timeline", kept.timeline, least);
    values.read_duration(reader, "outbox", kept.outbox, least);
    values.read_duration(reader, "sandbox", kept.sandbox, least);
    values.read_duration(reader, "learned", kept.learned, least);
}

} // namespace schema
