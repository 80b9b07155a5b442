#include "schema/log_json.hpp"
#include "schema/message_json.hpp"
#include "schema/packed_json.hpp"
#include "schema/record_codec.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace journeys;
using namespace schema;

namespace {

const Timestamp receipt = *parse_producer_time("2026-11-23T13:00:05Z");
const RecordHeader header{7, receipt + std::chrono::milliseconds{3}, {IdNamespace::user, "u-1"}};

Event full_event() {
    Event event;
    event.type = EventType::alias;
    event.name = "Journey Ended";
    event.ids = {{IdNamespace::user, "u-1"}, {IdNamespace::anonymous, "a\"1"}};
    event.previous = CustomerId{IdNamespace::email, "ada@example.com"};
    event.message_id = "made-1";
    event.message_hash = 0xfedcba9876543210;
    event.deduplicate = false;
    event.time = receipt;
    event.written = timestamp_min;
    event.properties = *packed_from_json(R"({"journey":"cart","n":[1,2.5,null,true]})");
    event.traits = *packed_from_json(R"({"a":"b"})");
    return event;
}

Record record_with(decltype(Record::body) body, std::uint64_t forwarded_from = 0) {
    Record record;
    record.offset = header.offset;
    record.accepted_at = header.accepted_at;
    record.customer = header.customer;
    record.body = std::move(body);
    record.forwarded_from = forwarded_from;
    return record;
}

/// One of each kind, and their forwards.
std::vector<Record> all_kinds() {
    const std::vector<decltype(Record::body)> bodies{
        full_event(),
        Event{.name = "x", .ids = {{}}, .message_hash = 1},
        Publish{~std::uint64_t{0}, {{"cart", 12}, {"win-back", ~std::uint64_t{0}}}},
        Link{{IdNamespace::user, "winner"}, true},
        Transfer{99, {IdNamespace::anonymous, "loser"}, std::string("\0\xff\n state", 9)},
        Settled{{1, ~std::uint64_t{0}}, IntentState::rejected, "400 bad address"},
        Erasure{}};
    std::vector<Record> records;
    for (const auto& body : bodies) {
        records.push_back(record_with(body));
        records.push_back(record_with(body, 4711));
    }
    return records;
}

void check_same(const Event& a, const Event& b) {
    CHECK(a.type == b.type);
    CHECK(a.name == b.name);
    CHECK(a.ids == b.ids);
    CHECK(a.previous == b.previous);
    CHECK(a.message_id == b.message_id);
    CHECK(a.message_hash == b.message_hash);
    CHECK(a.deduplicate == b.deduplicate);
    CHECK(a.time == b.time);
    CHECK(a.written == b.written);
    CHECK(a.properties == b.properties);
    CHECK(a.traits == b.traits);
    CHECK(a.context == b.context);
}

void check_same(const Record& a, const Record& b) {
    CHECK(a.offset == b.offset);
    CHECK(a.accepted_at == b.accepted_at);
    CHECK(a.customer == b.customer);
    CHECK(a.forwarded_from == b.forwarded_from);
    REQUIRE(a.body.index() == b.body.index());
    if (const auto* event = std::get_if<Event>(&a.body))
        check_same(*event, std::get<Event>(b.body));
    // The bytes say all there is of a body.
    CHECK(encode(a) == encode(b));
}

/// A batch whose items hang on all that a source can hold.
const std::string batch =
    R"({"sentAt":"2026-11-23T12:00:02Z","context":{"timezone":"Europe/Paris","consent":{"categoryPreferences":{"message":true}}},"batch":[
 {"type":"track","userId":"u-1","event":"Viewed Product","originalTimestamp":"2026-11-23T12:00:01Z","properties":{"price":1.10,"price":2}},
 {"type":"identify","userId":"u-1","messageId":"m-2","traits":{"a":null},"context":{"traits":{"b":1}}}]})";

} // namespace

TEST_CASE("a record that cannot be read keeps its kind and its bytes", "[schema]") {
    MessageDecoder decoder;
    for (const auto& record : all_kinds()) {
        const auto kind = kind_of(record);
        INFO(to_text(kind));
        const auto newer = "\x7f" + encode(record).substr(1); // Of a version to come.
        const auto refused = decode(kind, newer, header, decoder);
        REQUIRE(!refused);
        const auto kept = record_with(Unreadable{kind, newer, refused.error().detail});
        CHECK(kind_of(kept) == kind);
        CHECK(kept.kind() == kind);
        CHECK(encode(kept) == newer);
        CHECK(message_hash(kept) == 0);
    }
}

TEST_CASE("every kind of record comes back from its bytes", "[schema]") {
    MessageDecoder decoder;
    for (const auto& record : all_kinds()) {
        const auto kind = kind_of(record);
        INFO(to_text(kind));
        const auto bytes = encode(record);
        const auto again = decode(kind, bytes, header, decoder);
        if (!again) FAIL(again.error().detail);
        check_same(record, *again);

        const auto line = to_log_line({header, kind, bytes});
        CHECK(line.find('\n') == line.npos);
        const auto stored = from_log_line(line);
        if (!stored) FAIL(stored.error().detail);
        CHECK(stored->body == bytes);
        CHECK(stored->kind == kind);
        CHECK(stored->header.offset == header.offset);
        CHECK(stored->header.accepted_at == header.accepted_at);
        CHECK(stored->header.customer == header.customer);
    }
}

TEST_CASE("a producer's event is kept in its own bytes and decoded to the same again", "[schema]") {
    MessageDecoder decoder, other;
    for (const bool recorded : {false, true}) {
        Envelope envelope{
            .received_at = receipt, .write_key_hash = 0xabc, .expected = {}, .limits = {}};
        envelope.recorded = recorded;
        const auto frame = decoder.decode(batch, envelope);
        REQUIRE(frame.has_value());
        REQUIRE(frame->items.size() == 2);
        for (const auto& item : frame->items) {
            REQUIRE(item.event.has_value());
            const auto bytes = encode(item.source);
            CHECK(bytes.find(item.source.raw) != bytes.npos);
            const auto record = decode(RecordKind::event, bytes, header, other);
            REQUIRE(record.has_value());
            check_same(std::get<Event>(record->body), *item.event);
            CHECK(message_hash(*record) == item.event->message_hash);
            CHECK(PackedView{item.event->context}.string_at("timezone") == "Europe/Paris");

            const auto line = to_log_line({header, RecordKind::event, bytes});
            CHECK(line.ends_with(std::string{"\"message\":"}.append(item.source.raw).append("}")));
            const auto stored = from_log_line(line);
            if (!stored) FAIL(stored.error().detail);
            CHECK(stored->body == bytes);
        }
    }
    SECTION("the path's type is part of it, and lines in the text do not break the log's") {
        Envelope envelope{.received_at = receipt, .expected = EventType::page, .limits = {}};
        const auto frame = decoder.decode("{\n\"anonymousId\":\"a\"}", envelope);
        const auto bytes = encode(frame->items.at(0).source);
        const auto record = decode(RecordKind::event, bytes, header, other);
        CHECK(std::get<Event>(record->body).name == "Page Viewed");
        const auto line = to_log_line({header, RecordKind::event, bytes});
        CHECK(line.find('\n') == line.npos);
        CHECK(from_log_line(line)->body == bytes);
    }
}

TEST_CASE("no event of the log is later than its acceptance", "[schema]") {
    MessageDecoder decoder;
    auto event = full_event();
    event.time = header.accepted_at + std::chrono::hours{1};
    const auto record = decode(RecordKind::event, encode(record_with(event)), header, decoder);
    CHECK(std::get<Event>(record->body).time == header.accepted_at);
}

TEST_CASE("corrupt bodies are told apart and never crash", "[schema]") {
    MessageDecoder decoder;
    std::mt19937 random{11};
    auto records = all_kinds();
    std::vector<std::pair<RecordKind, std::string>> bodies;
    for (const auto& record : records) bodies.emplace_back(kind_of(record), encode(record));
    const auto frame =
        decoder.decode(batch, {.received_at = receipt, .expected = {}, .limits = {}});
    for (const auto& item : frame->items)
        bodies.emplace_back(RecordKind::event, encode(item.source));

    for (const auto& [kind, bytes] : bodies) {
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_FALSE(decode(kind, bytes.substr(0, size), header, decoder).has_value());
        if (kind != RecordKind::event)
            CHECK_FALSE(decode(kind, bytes + '\0', header, decoder).has_value());
        for (int i = 0; i < 300; ++i) {
            auto broken = bytes;
            broken[random() % broken.size()] ^= static_cast<char>(1u << (random() % 8));
            const auto again = decode(kind, broken, header, decoder);
            if (again) (void)encode(*again);
            (void)source_of(kind, broken);
            const auto line = to_log_line({header, kind, broken});
            (void)from_log_line(line);
        }
    }
    auto future = bodies[0].second;
    future[0] = 2;
    CHECK(decode(RecordKind::event, future, header, decoder).error().detail ==
          "a stored record has version 2, this program reads 1");
    const auto empty = encode(record_with(Erasure{}));
    for (const int number : {0, 8, 9, 77})
        CHECK_FALSE(decode(static_cast<RecordKind>(number), empty, header, decoder).has_value());
    for (const auto* bad :
         {"", "{}", "[]", "{\"offset\":1}", "nonsense",
          R"({"offset":-1,"accepted_at":"2026-11-23","kind":"event","message":{}})",
          R"({"offset":1,"accepted_at":"2026-11-23","kind":"odd","body":"AQ=="})",
          R"({"offset":1,"accepted_at":"2026-11-23","kind":"link","body":"A"})"})
        CHECK_FALSE(from_log_line(bad).has_value());
}
