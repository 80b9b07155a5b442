#include "schema/record_codec.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace schema {
namespace {

using namespace journeys;

/// What follows the version byte. The numbers are stored.
enum class Form : std::uint8_t { producer = 1, full = 2 };

constexpr std::uint8_t has_expected = 1, has_sent_at = 2, has_context = 4, is_recorded = 8,
                       is_imported = 16;

class Writer {
public:
    explicit Writer(std::size_t bytes_expected = 0) {
        out_.reserve(bytes_expected);
        byte(record_version);
    }
    void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }
    void fixed(std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
    }
    void time(Timestamp at) {
        const auto millis = to_millis(at);
        number((static_cast<std::uint64_t>(millis) << 1) ^
               static_cast<std::uint64_t>(millis >> 63));
    }
    void text(std::string_view value) {
        number(value.size());
        out_.append(value);
    }
    void id(const CustomerId& value) {
        byte(static_cast<std::uint8_t>(value.space));
        text(value.value);
    }
    void rest(std::string_view value) { out_.append(value); }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// Reads bytes that may be anything. After the first mistake everything reads as nothing.
class Reader {
public:
    explicit Reader(std::string_view in) : in_(in) {}
    std::uint8_t byte() {
        if (in_.empty()) {
            failed_ = true;
            return 0;
        }
        const auto value = static_cast<std::uint8_t>(in_.front());
        in_.remove_prefix(1);
        return value;
    }
    /// A byte of an enum whose last value is `last`.
    template <class Enum> Enum choice(Enum last) {
        const auto value = byte();
        if (value > static_cast<std::uint8_t>(last)) failed_ = true;
        return failed_ ? Enum{} : static_cast<Enum>(value);
    }
    bool flag() { return choice(Flag::yes) == Flag::yes; }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto next = byte();
            if (shift == 63 && next > 1) failed_ = true;
            value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if (next < 0x80) return failed_ ? 0 : value;
        }
        failed_ = true;
        return 0;
    }
    std::uint64_t fixed() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 8) value |= std::uint64_t{byte()} << shift;
        return value;
    }
    Timestamp time() {
        const auto raw = number();
        const auto millis =
            static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
        if (millis < to_millis(timestamp_min) || millis > to_millis(timestamp_max)) {
            failed_ = true;
            return {};
        }
        return from_millis(millis);
    }
    std::string_view text() {
        const auto size = number();
        if (size > in_.size()) {
            failed_ = true;
            return {};
        }
        const auto value = in_.substr(0, size);
        in_.remove_prefix(size);
        return value;
    }
    CustomerId id() {
        const auto space = choice(IdNamespace::token);
        return {space, std::string{text()}};
    }
    /// A packed map, or nothing.
    std::string_view map() {
        const auto value = text();
        if (!value.empty() && (static_cast<PackedKind>(value.front()) != PackedKind::map ||
                               !PackedView::validate(value, packed_depth_max))) {
            failed_ = true;
            return {};
        }
        return value;
    }
    std::string_view rest() { return std::exchange(in_, {}); }
    std::size_t left() const { return in_.size(); }
    bool is_done() const { return !failed_ && in_.empty(); }
    bool failed() const { return failed_; }
    void fail() { failed_ = true; }

private:
    enum class Flag : std::uint8_t { no, yes };
    static constexpr int packed_depth_max = 256;
    std::string_view in_;
    bool failed_ = false;
};

void write(Writer& out, const Event& event) {
    out.byte(static_cast<std::uint8_t>(Form::full));
    out.byte(static_cast<std::uint8_t>(event.type));
    out.byte(event.deduplicate ? 1 : 0);
    out.text(event.name);
    out.number(event.ids.size());
    for (const auto& id : event.ids) out.id(id);
    out.byte(event.previous ? 1 : 0);
    if (event.previous) out.id(*event.previous);
    out.text(event.message_id);
    out.fixed(event.message_hash);
    out.time(event.time);
    out.time(event.written);
    out.text(event.properties);
    out.text(event.traits);
    out.text(event.context);
}

Event read_event(Reader& in) {
    Event event;
    event.type = in.choice(EventType::alias);
    event.deduplicate = in.flag();
    event.name = in.text();
    const auto ids = in.number();
    for (std::uint64_t i = 0; i < ids && !in.failed(); ++i) event.ids.push_back(in.id());
    if (in.flag()) event.previous = in.id();
    event.message_id = in.text();
    event.message_hash = in.fixed();
    event.time = in.time();
    event.written = in.time();
    event.properties = in.map();
    event.traits = in.map();
    event.context = in.map();
    return event;
}

void write(Writer& out, const Publish& publish) {
    out.fixed(publish.publication);
    out.number(publish.journeys.size());
    for (const auto& version : publish.journeys) {
        out.text(version.journey);
        out.fixed(version.version);
    }
}

Publish read_publish(Reader& in) {
    Publish publish;
    publish.publication = in.fixed();
    const auto count = in.number();
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
        auto journey = std::string{in.text()};
        publish.journeys.push_back({std::move(journey), in.fixed()});
    }
    return publish;
}

void write(Writer& out, const Link& link) {
    out.id(link.winner);
    out.byte(link.by_alias ? 1 : 0);
}

void write(Writer& out, const Transfer& transfer) {
    out.fixed(transfer.id);
    out.id(transfer.loser);
    out.text(transfer.state);
}

void write(Writer& out, const Settled& settled) {
    out.fixed(settled.intent.high);
    out.fixed(settled.intent.low);
    out.byte(static_cast<std::uint8_t>(settled.state));
    out.text(settled.detail);
}

void write(Writer&, const Erasure&) {}

void write(Writer&, const Unreadable&) {} // It is its own bytes, see `encode`.

RecordKind kind_of_body(const Record& record) {
    if (const auto* unreadable = std::get_if<Unreadable>(&record.body)) return unreadable->kind;
    // In the order of the variant.
    constexpr RecordKind kinds[]{RecordKind::event,    RecordKind::publish, RecordKind::link,
                                 RecordKind::transfer, RecordKind::settled, RecordKind::erasure};
    static_assert(std::size(kinds) + 1 == std::variant_size_v<decltype(Record::body)>);
    return kinds[record.body.index()];
}

void write_source(Writer& out, const Source& source) {
    std::uint8_t flags = 0;
    if (source.expected) flags |= has_expected;
    if (source.batch_sent_at) flags |= has_sent_at;
    if (!source.batch_context.empty()) flags |= has_context;
    if (source.recorded) flags |= is_recorded;
    if (source.imported) flags |= is_imported;
    out.byte(static_cast<std::uint8_t>(Form::producer));
    out.byte(flags);
    out.time(source.received_at);
    out.fixed(source.write_key_hash);
    out.number(source.index);
    if (source.expected) out.byte(static_cast<std::uint8_t>(*source.expected));
    if (source.batch_sent_at) out.time(*source.batch_sent_at);
    if (!source.batch_context.empty()) out.text(source.batch_context);
    out.rest(source.raw);
}

/// After version and form. Views into what `in` reads.
Source read_source(Reader& in) {
    Source source;
    const auto flags = in.byte();
    if (flags >= 32) in.fail();
    source.received_at = in.time();
    source.write_key_hash = in.fixed();
    const auto index = in.number();
    if (index > std::numeric_limits<std::uint32_t>::max()) in.fail();
    source.index = static_cast<std::uint32_t>(index);
    if (flags & has_expected) source.expected = in.choice(EventType::alias);
    if (flags & has_sent_at) source.batch_sent_at = in.time();
    if (flags & has_context) source.batch_context = in.map();
    source.recorded = (flags & is_recorded) != 0;
    source.imported = (flags & is_imported) != 0;
    source.raw = in.rest();
    return source;
}

Error corrupt(RecordKind kind) {
    return {ErrorCode::invalid_state, "the stored body of a record of kind " +
                                          std::to_string(static_cast<int>(kind)) +
                                          " cannot be read"};
}

/// The body behind its version, into `record`. One forward does not hold another.
Result<void> read_body(RecordKind kind, Reader& in, Record& record, MessageDecoder& decoder,
                       bool may_forward) {
    switch (kind) {
    case RecordKind::event: {
        const auto form = in.byte();
        if (form == static_cast<std::uint8_t>(Form::producer)) {
            const auto source = read_source(in);
            if (in.failed()) break;
            auto event = decoder.decode_again(source);
            if (!event) {
                return Error{ErrorCode::invalid_state,
                             "a stored event cannot be read: " + event.error().detail};
            }
            record.body = *std::move(event);
        } else if (form == static_cast<std::uint8_t>(Form::full)) {
            record.body = read_event(in);
        } else {
            in.fail();
        }
        break;
    }
    case RecordKind::publish: record.body = read_publish(in); break;
    case RecordKind::link: {
        Link link;
        link.winner = in.id();
        link.by_alias = in.flag();
        record.body = std::move(link);
        break;
    }
    case RecordKind::transfer: {
        Transfer transfer;
        transfer.id = in.fixed();
        transfer.loser = in.id();
        transfer.state = in.text();
        record.body = std::move(transfer);
        break;
    }
    case RecordKind::settled: {
        Settled settled;
        settled.intent.high = in.fixed();
        settled.intent.low = in.fixed();
        settled.state = in.choice(IntentState::recalled);
        settled.detail = in.text();
        record.body = std::move(settled);
        break;
    }
    case RecordKind::forward: {
        record.forwarded_from = in.fixed();
        const auto inner = static_cast<RecordKind>(in.byte());
        if (!may_forward || record.forwarded_from == 0 || inner == RecordKind::forward) {
            in.fail();
            break;
        }
        return read_body(inner, in, record, decoder, false);
    }
    case RecordKind::erasure: record.body = Erasure{}; break;
    default: in.fail();
    }
    if (!in.is_done()) return corrupt(kind);
    return {};
}

} // namespace

RecordKind kind_of(const Record& record) {
    return record.forwarded_from != 0 ? RecordKind::forward : kind_of_body(record);
}

std::string encode(const Source& source) {
    Writer out{source.raw.size() + source.batch_context.size() + 64};
    write_source(out, source);
    return out.take();
}

std::string encode(const Record& record) {
    if (const auto* unreadable = std::get_if<Unreadable>(&record.body)) return unreadable->body;
    Writer out;
    if (record.forwarded_from != 0) {
        out.fixed(record.forwarded_from);
        out.byte(static_cast<std::uint8_t>(kind_of_body(record)));
    }
    std::visit([&](const auto& body) { write(out, body); }, record.body);
    return out.take();
}

std::uint64_t message_hash(const Record& record) {
    if (record.forwarded_from != 0) return record.forwarded_from;
    if (const auto* event = std::get_if<Event>(&record.body)) return event->message_hash;
    if (const auto* transfer = std::get_if<Transfer>(&record.body)) return transfer->id;
    return 0;
}

Result<Record> decode(RecordKind kind, std::string_view body, const RecordHeader& header,
                      MessageDecoder& decoder) {
    Reader in{body};
    if (const auto version = in.byte(); in.failed() || version != record_version) {
        return Error{ErrorCode::invalid_state,
                     "a stored record has version " + std::to_string(version) +
                         ", this program reads " + std::to_string(record_version)};
    }
    Record record;
    record.offset = header.offset;
    record.accepted_at = header.accepted_at;
    record.customer = header.customer;
    if (auto read = read_body(kind, in, record, decoder, true); !read)
        return std::move(read).error();
    cap_time(record);
    return record;
}

void cap_time(Record& record) {
    if (auto* event = std::get_if<Event>(&record.body)) {
        event->time = std::min(event->time, record.accepted_at);
    }
}

std::optional<Source> source_of(RecordKind kind, std::string_view body) {
    Reader in{body};
    if (kind != RecordKind::event || in.byte() != record_version ||
        in.byte() != static_cast<std::uint8_t>(Form::producer))
        return std::nullopt;
    const auto source = read_source(in);
    if (in.failed()) return std::nullopt;
    return source;
}

} // namespace schema
