#include "schema/log_json.hpp"

#include "schema/json_walk.hpp"
#include "schema/packed_json.hpp"
#include "schema/timestamp_text.hpp"

#include <array>
#include <charconv>

namespace schema {
namespace {

using namespace journeys;

constexpr std::string_view digits64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group <<= 8;
            if (i + j < bytes.size()) group |= static_cast<unsigned char>(bytes[i + j]);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            out.push_back(i + j > bytes.size() ? '=' : digits64[(group >> (18 - 6 * j)) & 63]);
        }
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = digits64.find(c);
        if (digit == digits64.npos) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count));
        }
    }
    return out;
}

std::string hex(std::uint64_t value) { return to_hex(0, value).substr(16); }

std::optional<std::uint64_t> from_hex(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

constexpr std::array<std::string_view, 6> type_names{"track",  "identify", "page",
                                                     "screen", "group",    "alias"};
constexpr std::array<RecordKind, 7> kinds{
    RecordKind::event,   RecordKind::publish, RecordKind::link,   RecordKind::transfer,
    RecordKind::settled, RecordKind::forward, RecordKind::erasure};

Error not_ours(std::string_view what) {
    return {ErrorCode::invalid_argument, "not a line of a log: " + std::string{what}};
}

/// The bytes of `"message":…` at the top level, which `to_log_line` always writes last.
std::optional<std::string_view> message_of(std::string_view line) {
    constexpr std::string_view member = ",\"message\":";
    if (!line.ends_with('}')) return std::nullopt;
    line.remove_suffix(1);
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (in_text) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_text = false;
        } else if (depth == 1 && line.substr(i).starts_with(member)) {
            return line.substr(i + member.size());
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return std::nullopt;
}

} // namespace

std::string_view to_text(RecordKind kind) {
    switch (kind) {
    case RecordKind::event: return "event";
    case RecordKind::publish: return "publish";
    case RecordKind::link: return "link";
    case RecordKind::transfer: return "transfer";
    case RecordKind::settled: return "settled";
    case RecordKind::forward: return "forward";
    case RecordKind::erasure: return "erasure";
    }
    return "";
}

std::string to_log_line(const StoredRecord& record) {
    std::string out = "{\"offset\":" + std::to_string(record.header.offset) +
                      ",\"accepted_at\":\"" + timestamp_text(record.header.accepted_at) + '"';
    const auto text = [&](std::string_view key, std::string_view value) {
        out.append(",\"").append(key).append("\":");
        append_json_string(out, value);
    };
    const auto& customer = record.header.customer;
    if (!customer.value.empty()) text("customer", journeys::to_text(customer));
    text("kind", to_text(record.kind));
    const auto source = source_of(record.kind, record.body);
    // A message over several lines would break the line; its bytes matter, so it goes as base64.
    if (!source || source->raw.find('\n') != source->raw.npos ||
        source->raw.find('\r') != source->raw.npos) {
        text("body", to_base64(record.body));
        out += '}';
        return out;
    }
    text("received_at", timestamp_text(source->received_at));
    text("key", hex(source->write_key_hash));
    if (source->index != 0) out += ",\"index\":" + std::to_string(source->index);
    if (source->expected) text("type", type_names[static_cast<std::size_t>(*source->expected)]);
    if (source->batch_sent_at) text("sent_at", timestamp_text(*source->batch_sent_at));
    if (!source->batch_context.empty())
        out += ",\"context\":" + to_json(PackedView{source->batch_context});
    if (source->recorded) out += ",\"recorded\":true";
    if (source->imported) out += ",\"imported\":true";
    out.append(",\"message\":").append(source->raw).append("}");
    return out;
}

Result<StoredRecord> from_log_line(std::string_view line) {
    line = trim_json_space(line);
    const auto message = message_of(line);
    std::string head{message
                         ? line.substr(0, static_cast<std::size_t>(message->data() - line.data()) -
                                              std::string_view{",\"message\":"}.size())
                         : line};
    if (message) head += '}';
    const auto packed = packed_from_json(head, {.bytes_max = 64 * 1024 * 1024});
    if (!packed) return not_ours(packed.error().detail);
    const PackedView view{*packed};
    if (!view.is_map()) return not_ours("no object");

    StoredRecord record;
    const auto offset = view.find("offset");
    const auto accepted_at = parse_producer_time(view.string_at("accepted_at"));
    if (offset.kind() != PackedKind::integer || offset.as_int() < 0) return not_ours("no offset");
    if (!accepted_at) return not_ours("no accepted_at");
    record.header.offset = static_cast<std::uint64_t>(offset.as_int());
    record.header.accepted_at = *accepted_at;
    if (const auto customer = view.find("customer")) {
        const auto id =
            customer.is_string() ? parse_customer_id(customer.as_string()) : std::nullopt;
        if (!id) return not_ours("a bad customer");
        record.header.customer = *id;
    }
    bool is_known = false;
    for (const auto kind : kinds) {
        if (view.string_at("kind") != to_text(kind)) continue;
        record.kind = kind;
        is_known = true;
    }
    if (!is_known) return not_ours("an unknown kind");
    if (!message) {
        auto body = from_base64(view.string_at("body"));
        if (!body) return not_ours("a bad body");
        record.body = *std::move(body);
        return record;
    }

    if (record.kind != RecordKind::event) return not_ours("a message of no event");
    Source source;
    const auto received_at = parse_producer_time(view.string_at("received_at"));
    const auto key = from_hex(view.string_at("key"));
    if (!received_at || !key) return not_ours("no received_at or key");
    source.raw = *message;
    source.received_at = *received_at;
    source.write_key_hash = *key;
    if (const auto index = view.find("index"); index.kind() == PackedKind::integer) {
        if (index.as_int() < 0 || index.as_int() > 0xffffffff) return not_ours("a bad index");
        source.index = static_cast<std::uint32_t>(index.as_int());
    }
    if (const auto type = view.string_at("type"); !type.empty()) {
        for (std::size_t i = 0; i < type_names.size(); ++i) {
            if (type_names[i] == type) source.expected = static_cast<EventType>(i);
        }
    }
    if (const auto sent_at = view.string_at("sent_at"); !sent_at.empty())
        source.batch_sent_at = parse_producer_time(sent_at);
    if (const auto context = view.find("context"); context.is_map())
        source.batch_context = context.bytes();
    source.recorded = view.find("recorded").kind() == PackedKind::boolean_true;
    source.imported = view.find("imported").kind() == PackedKind::boolean_true;
    record.body = encode(source);
    return record;
}

} // namespace schema
