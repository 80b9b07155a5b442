#include "journeys/packed.hpp"
#include "schema/event_names.hpp"
#include "schema/message_json.hpp"
#include "schema/packed_json.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <fstream>
#include <random>

using namespace journeys;
using namespace schema;
using namespace std::chrono_literals;

namespace {

const Timestamp receipt = *parse_producer_time("2026-11-23T13:00:05Z");

std::vector<std::string> lines_of(const std::string& file) {
    std::ifstream in{std::string{SOJOURN_SOURCE_DIR "/tests/data/events/"} + file};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    REQUIRE_FALSE(lines.empty());
    return lines;
}

Envelope envelope_at(Timestamp at = receipt) {
    return {.received_at = at, .write_key_hash = 77, .expected = {}, .limits = {}};
}

/// The one item of a text that is one message.
DecodedItem one(std::string_view text, const Envelope& envelope = envelope_at()) {
    MessageDecoder decoder;
    auto frame = decoder.decode(text, envelope);
    REQUIRE(frame.has_value());
    REQUIRE(frame->items.size() == 1);
    auto item = std::move(frame->items.front());
    item.source = {};
    return item;
}

Event event_of(std::string_view text, const Envelope& envelope = envelope_at()) {
    auto item = one(text, envelope);
    INFO(text);
    if (!item.event) FAIL(item.event.error().detail);
    return *std::move(item.event);
}

std::string refusal(std::string_view text, const Envelope& envelope = envelope_at()) {
    MessageDecoder decoder;
    auto frame = decoder.decode(text, envelope);
    if (!frame) return std::string{"frame "}.append(to_text(frame.error().reason));
    if (frame->items.size() != 1) return "items: " + std::to_string(frame->items.size());
    const auto& item = frame->items.front();
    return item.event ? "none" : std::string{to_text(item.event.error().reason)};
}

std::string track_with(std::string_view members) {
    return std::string{R"({"type":"track","event":"x",)"}.append(members).append("}");
}

std::string at_time(std::string_view time) {
    return std::string{R"({"type":"track","event":"x","userId":"u","timestamp":)"}
        .append(time)
        .append("}");
}

std::string base64(const std::string& text) {
    static const std::string digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=') break;
        bits = bits << 6 | static_cast<unsigned>(digits.find(c));
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count));
        }
    }
    return out;
}

std::string body_of(const nlohmann::json& line) {
    if (line.contains("raw")) return line["raw"];
    if (line.contains("raw_b64")) return base64(line["raw_b64"]);
    const auto& build = line["build"];
    std::string body = build["prefix"];
    for (int i = 0; i < build["times"]; ++i) body += build["repeat"].get<std::string>();
    body += build["middle"].get<std::string>();
    const std::string close = build["close"];
    if (!close.empty()) {
        for (int i = 0; i < build["times"]; ++i) body += close;
    }
    return body + build["suffix"].get<std::string>();
}

} // namespace

TEST_CASE("every sample message of a producer is taken", "[schema]") {
    const auto file =
        GENERATE("01_purchase_session.jsonl", "02_after_order.jsonl", "03_messaging_feedback.jsonl",
                 "04_identity_and_consent.jsonl", "05_time_and_duplicates.jsonl");
    MessageDecoder decoder;
    for (const auto& line : lines_of(file)) {
        INFO(line);
        auto frame = decoder.decode(line, envelope_at());
        REQUIRE(frame.has_value());
        REQUIRE(frame->items.size() == 1);
        const auto& item = frame->items[0];
        if (!item.event) FAIL(item.event.error().detail);
        const auto& event = *item.event;
        const auto text = nlohmann::json::parse(line);
        CHECK(item.source.raw == line);
        CHECK(event.message_id == text.value("messageId", ""));
        CHECK(event.message_hash != 0);
        if (event.type == EventType::track) CHECK(event.name == text["event"]);
        if (!event.properties.empty() && event.type == EventType::track) {
            CHECK(PackedView::validate(event.properties));
            CHECK(nlohmann::json::parse(to_json(PackedView{event.properties})) ==
                  text["properties"]);
        }
        if (!event.traits.empty()) {
            CHECK(nlohmann::json::parse(to_json(PackedView{event.traits})) == text["traits"]);
        }
        // What is kept of it gives the same event again.
        MessageDecoder other;
        const auto again = other.decode_again(item.source);
        REQUIRE(again.has_value());
        CHECK(again->properties == event.properties);
        CHECK(again->context == event.context);
        CHECK(again->time == event.time);
        CHECK(again->message_hash == event.message_hash);
    }
}

TEST_CASE("a page keeps where it is and what the core reads of its context", "[schema]") {
    const auto event = event_of(lines_of("01_purchase_session.jsonl")[0]);
    CHECK(event.name == "Page Viewed");
    CHECK(event.ids == std::vector<CustomerId>{
                           {IdNamespace::anonymous, "7f0c0a5e-6a55-4b0e-9a41-3f1f5d8a1c01"}});
    CHECK(event.property("name").as_string() == "Home");
    CHECK(event.property("category").as_string() == "Shop");
    CHECK(event.property("path").as_string() == "/");
    CHECK(
        to_json(PackedView{event.context}) ==
        R"({"timezone":"Europe/Berlin","locale":"de-DE","campaign":{"source":"newsletter","medium":"email","name":"autumn"}})");
}

TEST_CASE("identities: users before devices, and what an alias replaces", "[schema]") {
    const auto lines = lines_of("04_identity_and_consent.jsonl");
    const auto identify = event_of(lines[2]);
    CHECK(identify.name == "Identify");
    REQUIRE(identify.ids.size() == 3);
    CHECK(identify.ids[0] == CustomerId{IdNamespace::user, "user-1001"});
    CHECK(identify.ids[1] == CustomerId{IdNamespace::email, "ada@example.com"});
    CHECK(identify.ids[2].space == IdNamespace::anonymous);
    const auto alias = event_of(lines[3]);
    CHECK(alias.name == "Alias");
    CHECK(alias.previous == CustomerId{IdNamespace::anonymous, "legacy-crm-77"});
    const auto group = event_of(lines[4]);
    CHECK(group.property("groupId").as_string() == "loyalty-gold");
    const auto nulls = event_of(lines[6]);
    CHECK(PackedView{nulls.traits}.find("phone").is_null());
    CHECK(PackedView{nulls.traits}.find("phone"));
    CHECK(event_of(R"({"type":"alias","userId":"u","previousId":"user:old"})").previous ==
          CustomerId{IdNamespace::user, "old"});
    CHECK(refusal(R"({"type":"alias","userId":"u"})") == "no_identity");
    CHECK(refusal(R"({"type":"alias","anonymousId":"a","previousId":"b"})") == "no_identity");
}

TEST_CASE("ids beside userId and anonymousId", "[schema]") {
    const auto ids_of = [](const std::string& members) {
        std::string text;
        for (const auto& id : event_of("{" + members + "}").ids)
            text += (text.empty() ? "" : " ") + journeys::to_text(id);
        return text;
    };
    const std::string seen = R"("type":"track","event":"Product Viewed")";
    CHECK(ids_of(seen + R"(,"anonymousId":"a","context":{"externalIds":[
                 {"type":"token","id":"t2"},{"type":"shopify","id":7,"collection":"users"},
                 {"type":"phone","id":"+49 (170) 1234-567"},{"type":"email","id":" Ada@Example.com"},
                 {"type":"email","id":"second@example.com"},{"type":"token","id":"t1"},
                 {"type":"ga_client_id","id":"x"},{"type":"email"},7,null]})") ==
          "shopify:7 email:ada@example.com phone:+491701234567 anonymous:a token:t2 token:t1");
    // One of them is enough, and must be one that can be used.
    CHECK(ids_of(seen + R"(,"context":{"externalIds":[{"type":"email","id":"a@b.c"}]})") ==
          "email:a@b.c");
    for (const std::string members :
         {R"("context":{"externalIds":[{"type":"email","id":"nobody"}]})",
          R"("context":{"externalIds":{"type":"email","id":"a@b.c"}})",
          R"("context":{"externalIds":[{"type":"phone","id":"0170 1234567"}]})",
          R"("context":{"traits":{"email":"a@b.c"}})"}) {
        INFO(members);
        CHECK(refusal("{" + seen + "," + members + "}") == "no_identity");
    }

    // Addresses of the person: said by the person, and where a guest says it.
    CHECK(ids_of(R"("type":"identify","anonymousId":"a","traits":{"email":"A@b.c"})") ==
          "email:a@b.c anonymous:a");
    CHECK(ids_of(seen + R"(,"anonymousId":"a","context":{"traits":{"email":"a@b.c"}})") ==
          "email:a@b.c anonymous:a");
    CHECK(ids_of(R"("type":"track","event":"Order Completed","anonymousId":"a",
                    "properties":{"email":"a@b.c"})") == "email:a@b.c anonymous:a");
    CHECK(ids_of(R"("type":"track","event":"Started Checkout","anonymousId":"a",
                    "properties":{"email":"a@b.c"})") == "email:a@b.c anonymous:a");
    CHECK(ids_of(seen + R"(,"anonymousId":"a","properties":{"email":"friend@b.c"})") ==
          "anonymous:a");
    CHECK(ids_of(R"("type":"group","anonymousId":"a","traits":{"email":"team@b.c"})") ==
          "anonymous:a");
    CHECK(ids_of(R"("type":"identify","anonymousId":"a","traits":{"email":"none"})") ==
          "anonymous:a");
    CHECK(ids_of(seen + R"(,"userId":"Ada@b.c")") == "user:Ada@b.c email:ada@b.c");
}

TEST_CASE("traits of the context lie under those of an identify; nulls stay", "[schema]") {
    const auto event = event_of(
        R"({"type":"identify","userId":"u","traits":{"a":null,"b":1},"context":{"traits":{"a":2,"c":3,"address":{"country":"DE"}}}})");
    CHECK(to_json(PackedView{event.traits}) ==
          R"({"a":null,"c":3,"address":{"country":"DE"},"b":1})");
    CHECK(PackedView{event.context}.string_at("country") == "DE");
    CHECK(event_of(R"({"type":"track","event":"x","userId":"u","context":{"traits":{"a":2}}})")
              .traits == "");
    const auto consent = event_of(
        R"({"type":"track","event":"x","userId":"u","context":{"consent":{"categoryPreferences":{"ads":false,"mail":true,"odd":1}}}})");
    CHECK(to_json(PackedView{consent.context}) == R"({"consent":{"ads":false,"mail":true}})");
}

TEST_CASE("times of a producer", "[schema]") {
    const auto lines = lines_of("05_time_and_duplicates.jsonl");
    const auto at = [](std::string_view text) { return *parse_producer_time(text); };
    const auto time = [&](std::size_t line) {
        const auto item = one(lines[line - 1]);
        return std::pair{item.event->time, item.clock};
    };
    CHECK(time(1) == std::pair{at("2026-11-23T10:03:00Z"), Clock::written});
    CHECK(time(2) == std::pair{at("2026-11-23T10:01:00Z"), Clock::written});
    CHECK(time(6) == std::pair{at("2026-11-23T10:05:00.250Z"), Clock::written});
    CHECK(time(8) == std::pair{at("2026-11-20T10:00:00Z"), Clock::written});
    CHECK(time(9) == std::pair{receipt, Clock::nonsense});
    CHECK(event_of(lines[8]).written == at("2027-01-01T00:00:00Z"));
    CHECK(time(10) == std::pair{receipt - 2s, Clock::corrected});
    CHECK(event_of(lines[9]).written == at("2026-11-23T10:06:00Z"));
    CHECK(time(11) == std::pair{at("2026-11-23T10:07:00.123Z"), Clock::written});
    CHECK(time(12) == std::pair{receipt, Clock::absent});
    CHECK(time(14) == std::pair{at("2026-03-29T01:30:00Z"), Clock::written});

    SECTION("equal messageIds are one message, whatever they say; others are not") {
        const auto hash = [&](std::size_t line) { return event_of(lines[line - 1]).message_hash; };
        CHECK(hash(3) == hash(4));
        CHECK(hash(3) == hash(5));
        CHECK(hash(3) != hash(6));
        auto other_key = envelope_at();
        other_key.write_key_hash = 78;
        CHECK(event_of(lines[2], other_key).message_hash != hash(3));
    }
    SECTION("without a messageId nothing is promised") {
        const auto event = event_of(lines[12]);
        CHECK_FALSE(event.deduplicate);
        CHECK(event.message_id.empty());
        CHECK(event.message_hash != event_of(lines[12], envelope_at(receipt + 1ms)).message_hash);
    }
    SECTION("a day ahead is the limit, and the year 2000") {
        CHECK(one(at_time("\"2026-11-24T13:00:05Z\"")).clock == Clock::written);
        CHECK(one(at_time("\"2026-11-24T13:00:05.001Z\"")).clock == Clock::nonsense);
        CHECK(one(at_time("\"2000-01-01T00:00:00Z\"")).clock == Clock::written);
        CHECK(one(at_time("\"1999-12-31T23:59:59.999Z\"")).clock == Clock::nonsense);
        CHECK(one(at_time("\"9999-12-31T23:59:59Z\"")).clock == Clock::nonsense);
        CHECK(one(at_time("\"0000-01-01T00:00:00Z\"")).clock == Clock::unreadable);
        CHECK(one(at_time("99999999999999999999")).clock == Clock::unreadable);
        CHECK(one(at_time("{}")).clock == Clock::unreadable);
        CHECK(one(at_time("null")).clock == Clock::absent);
    }
    SECTION("a recorded file keeps its own times") {
        auto recorded = envelope_at();
        recorded.recorded = true;
        CHECK(event_of(at_time("\"1997-01-01\""), recorded).time == at("1997-01-01T00:00:00Z"));
        CHECK(event_of(lines[8], recorded).time == at("2027-01-01T00:00:00Z"));
        CHECK(event_of(lines[9], recorded).time == at("2026-11-23T10:06:00Z"));
    }
    SECTION("what is read as a time") {
        CHECK(at("2026-11-23T13:00:00") == at("2026-11-23 13:00Z"));
        CHECK(at("2026-11-23T13:00:00+0100") == at("2026-11-23T12:00:00Z"));
        CHECK(at("2026-11-23T13:00:00-05") == at("2026-11-23T18:00:00Z"));
        CHECK(at("2024-02-29") == at("2024-02-29T00:00:00Z"));
        for (const auto* bad : {"", "yesterday", "2026-02-29", "2026-13-01", "2026-11-23T24:00:00Z",
                                "2026-11-23T13:00:00.Z", "2026-11-23T13:00:00ZZ", "2026-11-23T13",
                                "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00",
                                "9999-12-31T23:59:59-01:00", "2026-11-23T13:00:00+1"}) {
            INFO(bad);
            CHECK_FALSE(parse_producer_time(bad));
        }
        CHECK(timestamp_text(at("2026-11-23T13:00:00.007Z")) == "2026-11-23T13:00:00.007Z");
        CHECK(timestamp_text(timestamp_max) == "9999-12-31T23:59:59.999Z");
        CHECK(timestamp_text(timestamp_min) == "0001-01-01T00:00:00.000Z");
    }
}

TEST_CASE("bodies of batches", "[schema]") {
    const auto lines = lines_of("06_batch_bodies.jsonl");
    auto envelope = envelope_at();
    envelope.shape = Envelope::Shape::batch;
    MessageDecoder decoder;

    auto plain = decoder.decode(lines[0], envelope);
    REQUIRE(plain.has_value());
    REQUIRE(plain->items.size() == 2);
    CHECK(plain->items[0].event->message_id == "msg-0063");
    CHECK(plain->items[1].event->name == "Identify");
    CHECK(nlohmann::json::parse(plain->items[1].source.raw)["messageId"] == "msg-0064");
    const auto any = [](std::string_view) { return true; };
    CHECK(decoder.find_write_key(lines[0], any) == "wk_example");
    CHECK(decoder.find_write_key(lines[0], [](auto key) { return key != "wk_example"; }).empty());

    auto shared = decoder.decode(lines[1], envelope);
    REQUIRE(shared->items.size() == 1);
    CHECK(shared->items[0].event->name == "Song Played");

    auto rudder = decoder.decode(lines[2], envelope);
    CHECK(rudder->items[0].clock == Clock::corrected);
    CHECK(rudder->items[0].event->time == receipt - 1s);
    CHECK(decoder.find_write_key(lines[2], any).empty());

    CHECK(decoder.decode(lines[3], envelope)->items.empty());

    auto mixed = decoder.decode(lines[4], envelope);
    REQUIRE(mixed->items.size() == 4);
    CHECK(mixed->items[0].event.has_value());
    CHECK(mixed->items[1].event.error().detail == "userId or anonymousId is required");
    CHECK(mixed->items[2].event.error().reason == RejectReason::bad_type);
    CHECK(mixed->items[3].event->message_id == "msg-0067");

    SECTION("the batch's context stands in, before or behind the messages, and is kept") {
        const auto text = GENERATE(
            as<std::string>{},
            R"({"context":{"timezone":"Europe/Paris","locale":"fr"},"sentAt":"2026-11-23T12:00:02Z","batch":[{"type":"track","event":"x","userId":"u","originalTimestamp":"2026-11-23T12:00:01Z","context":{"locale":"de"}}]})",
            R"({"batch":[ {"type":"track","event":"x","userId":"u","originalTimestamp":"2026-11-23T12:00:01Z","context":{"locale":"de"}} ],"context":{"timezone":"Europe/Paris","locale":"fr"},"sentAt":"2026-11-23T12:00:02Z"})");
        auto frame = decoder.decode(text, envelope);
        REQUIRE(frame.has_value());
        const auto& item = frame->items.at(0);
        CHECK(to_json(PackedView{item.event->context}) ==
              R"({"timezone":"Europe/Paris","locale":"de"})");
        CHECK(item.event->time == receipt - 1s);
        CHECK(item.source.raw.front() == '{');
        CHECK(item.source.raw.back() == '}');
        MessageDecoder other;
        const auto again = other.decode_again(item.source);
        CHECK(again->context == item.event->context);
        CHECK(again->time == item.event->time);
    }
    SECTION("an array is a batch on WebSocket; its neighbours' mistakes cost nobody") {
        auto frame = decoder.decode(
            R"([{"type":"track","event":"x","userId":"u"}, 5 ,"a",[1],null,{"type":"page","anonymousId":"a"}])",
            envelope_at());
        REQUIRE(frame.has_value());
        REQUIRE(frame->items.size() == 6);
        CHECK(frame->items[0].event.has_value());
        for (const auto i : {1u, 2u, 3u, 4u})
            CHECK(frame->items[i].event.error().detail == "a message must be an object");
        CHECK(frame->items[1].source.raw == "5");
        CHECK(frame->items[3].source.raw == "[1]");
        CHECK(frame->items[5].event.has_value());
    }
    SECTION("2500 messages, and no more") {
        std::string text = "[";
        for (int i = 0; i < 2500; ++i) text += R"({"type":"page","userId":"u"},)";
        text.back() = ']';
        CHECK(decoder.decode(text, envelope_at())->items.size() == 2500);
        text.back() = ',';
        text += R"({"type":"page","userId":"u"}])";
        CHECK(decoder.decode(text, envelope_at()).error().reason == RejectReason::too_many);
    }
}

TEST_CASE("hostile and broken bodies", "[schema]") {
    MessageDecoder decoder; // One for all: a bad text must not spoil the next.
    const auto good = track_with(R"("userId":"u")");
    for (const auto& text : lines_of("07_malformed.jsonl")) {
        const auto line = nlohmann::json::parse(text);
        const std::string name = line["name"], path = line["path"], kind = line["kind"];
        INFO(name);
        auto envelope = envelope_at();
        if (path == "/v1/batch")
            envelope.shape = Envelope::Shape::batch;
        else {
            envelope.shape = Envelope::Shape::message;
            envelope.expected = EventType::track;
        }
        auto frame = decoder.decode(body_of(line), envelope);
        bool taken = frame.has_value();
        if (frame) {
            for (const auto& item : frame->items) taken = taken && item.event.has_value();
        }
        if (kind == "refuse") CHECK_FALSE(taken);
        if (kind == "accept") CHECK(taken);
        if (kind == "decide") {
            // The decisions, as message_json.hpp states them.
            const bool refused = name == "lone-surrogate" || name == "long-fraction";
            CHECK(taken == !refused);
            if (refused) continue;
            const auto& item = frame->items.at(0);
            if (name == "identity-number")
                CHECK(item.event->ids[0].value == "12345");
            else if (name == "bad-timestamp")
                CHECK(item.clock == Clock::unreadable);
            else if (name == "timestamp-number")
                CHECK(item.event->time == from_millis(1795352400000));
            else if (name == "timestamp-no-zone")
                CHECK(item.event->time == *parse_producer_time("2026-11-23T13:00:00Z"));
            else if (name == "duplicate-keys")
                CHECK(item.event->ids[0].value == "user-9999");
            else
                CHECK(name == "bom");
        }
        CHECK(decoder.decode(good, envelope_at())->items.at(0).event.has_value());
    }
}

TEST_CASE("both sides of every limit of a message", "[schema]") {
    const auto id = [](std::size_t size) {
        return track_with(R"("userId":")" + std::string(size, 'i') + '"');
    };
    CHECK(refusal(id(512)) == "none");
    CHECK(refusal(id(513)) == "bad_identity");
    CHECK(refusal(id(10'000)) == "bad_identity");
    CHECK(refusal(track_with(R"("userId":"u","anonymousId":"a\u0000")")) == "bad_identity");
    CHECK(refusal(track_with(R"("userId":1.5)")) == "bad_identity");
    CHECK(refusal(track_with(R"("userId":true)")) == "bad_identity");
    CHECK(event_of(track_with(R"("userId":-7)")).ids[0].value == "-7");

    const auto message_id = [](const std::string& text) {
        return track_with(R"("userId":"u","messageId":")" + text + '"');
    };
    std::string wide;
    for (int i = 0; i < 100; ++i) wide += "é";
    CHECK(refusal(message_id(std::string(100, 'm'))) == "none");
    CHECK(refusal(message_id(wide)) == "none");
    CHECK(refusal(message_id(wide + "e")) == "bad_message_id");
    CHECK(event_of(track_with(R"("userId":"u","messageId":17)")).message_id == "17");

    const auto event = [](std::size_t size) {
        return R"({"type":"track","userId":"u","event":")" + std::string(size, 'e') + "\"}";
    };
    CHECK(refusal(event(200)) == "none");
    CHECK(refusal(event(201)) == "bad_event");
    CHECK(refusal(event(0)) == "no_event");
    CHECK(refusal(R"({"type":"Track","userId":"u","event":"x"})") == "bad_type");
    CHECK(refusal(R"({"userId":"u","event":"x"})") == "bad_type");
    CHECK(refusal(track_with(R"("userId":"u","context":[])")) == "bad_shape");
    CHECK(refusal(R"({"type":"identify","userId":"u","traits":7})") == "bad_shape");

    const auto sized = [](std::size_t size) {
        auto text = track_with(R"("userId":"u","properties":{"a":""})");
        return text.insert(text.find("\"\"") + 1, std::string(size - text.size(), 'x'));
    };
    CHECK(refusal(sized(32 * 1024)) == "none");
    CHECK(refusal(sized(32 * 1024 + 1)) == "too_large");
    CHECK(refusal(sized(500 * 1024)) == "too_large");
    CHECK(refusal(sized(500 * 1024 + 1)) == "frame too_large");

    const auto nested = [](std::size_t levels, std::string_view where) {
        return track_with(std::string{R"("userId":"u",")"} + std::string{where} + R"(":{"a":)" +
                          std::string(levels, '[') + std::string(levels, ']') + "}");
    };
    for (const auto* where : {"properties", "unknown", "context", "traits"}) {
        CHECK(refusal(nested(62, where)) == "none");
        CHECK(refusal(nested(63, where)) == "frame too_deep");
        CHECK(refusal(nested(100'000, where)) == "frame too_deep");
    }
    CHECK(refusal(std::string(100'000, '[')) == "frame malformed_json");
}

TEST_CASE("JSON is strict, also where nobody looks", "[schema]") {
    for (const auto* bad :
         {R"("v":01)",   R"("v":1.)",       R"("v":.5)",       R"("v":+1)",       R"("v":1e)",
          R"("v":-)",    R"("v":nul)",      R"("v":truex)",    R"("v":NaN)",      R"("v":Infinity)",
          R"("v":"\x")", R"("v":"\u12g4")", R"("v":"\ud83d")", R"("v":"\udc00")", R"("v":[1,])",
          R"("v":[,1])", R"("v":[1 2])",    R"("v":{"a":1,})", R"("v":{"a" 1})",  R"("v":{1:2})",
          R"("v":[1})",  R"("v":{"a":1])",  R"("v":)",         R"("v")",          "\"v\":\"\n\"",
          R"("v":'a')",  R"("v":0x10)",     R"("v":1 "w":2)",  R"("\ud800":1)",   R"("v":"a"b)"}) {
        for (const auto* where :
             {R"("userId":"u",%)", R"("userId":"u","properties":{%})",
              R"("userId":"u","context":{%})", R"("userId":"u","x":{"y":[{%}]})"}) {
            std::string members{where};
            members.replace(members.find('%'), 1, bad);
            INFO(members);
            CHECK(refusal(track_with(members)) == "frame malformed_json");
        }
    }
    const auto good = track_with(R"("userId":"u")");
    for (const auto* tail : {"}", "x", ",", "{}", " 1", "\"", "]", "null"}) {
        CHECK(refusal(good + tail) == "frame malformed_json");
        CHECK(refusal("[" + good + "]" + tail) == "frame malformed_json");
    }
    CHECK(refusal(" \r\n\t" + good + " \n") == "none");
    CHECK(refusal("") == "frame malformed_json");
    CHECK(refusal("   ") == "frame malformed_json");
    CHECK(refusal("\xEF\xBB\xBF") == "frame malformed_json");
    CHECK(refusal("\xEF\xBB\xBF\xEF\xBB\xBF" + good) == "frame malformed_json");
}

TEST_CASE("of a key given twice the last one counts, everywhere", "[schema]") {
    const auto event = event_of(
        R"({"type":"page","type":"track","userId":{"id":1},"userId":"u","event":"x","event":"Viewed Product","properties":3,"properties":{"a":1,"b":{"c":1,"c":2},"a":[{"d":1,"d":null}]},"context":[],"context":{"locale":"de","locale":"fr","campaign":{"name":"a"},"campaign":{"source":"b"}}})");
    CHECK(event.name == "Product Viewed");
    CHECK(to_json(PackedView{event.properties}) == R"({"a":[{"d":null}],"b":{"c":2}})");
    CHECK(to_json(PackedView{event.context}) == R"({"locale":"fr","campaign":{"source":"b"}})");
}

TEST_CASE("names of events", "[schema]") {
    CHECK(canonical_event_name("Viewed Product") == "Product Viewed");
    CHECK(canonical_event_name("Completed Order") == "Order Completed");
    CHECK(canonical_event_name("Order Created") == "Order Completed");
    CHECK(canonical_event_name("Cart Update") == "Cart Updated");
    CHECK(canonical_event_name("Song Played") == "Song Played");
    CHECK(known_elsewhere("Placed Order")->ours == "Order Completed");
    CHECK(known_elsewhere("Placed Order")->system == "Klaviyo");
    CHECK(known_elsewhere("product_viewed")->ours == "Product Viewed");
    CHECK(known_elsewhere("completed order")->ours == "Order Completed");
    CHECK_FALSE(known_elsewhere("Product Viewed"));
    CHECK_FALSE(known_elsewhere("Song Played"));
    for (const auto name : standard_events()) CHECK(canonical_event_name(name) == name);
}

namespace {

nlohmann::json random_json(std::mt19937& random, int depth) {
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const auto text = [&] {
        static const std::array<std::string, 8> bits{"a",  "é",  "走", "👩",
                                                     "\"", "\\", "\n", std::string(1, '\0')};
        std::string out;
        for (auto n = below(12); n > 0; --n) out += bits[below(8)];
        return out;
    };
    switch (below(depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return below(2) == 1;
    case 2: return static_cast<std::int64_t>((std::uint64_t{random()} << 32) | random());
    case 3: return static_cast<std::int64_t>(below(1000)) - 500;
    case 4:
        return std::ldexp(static_cast<double>(random()) + 0.5, static_cast<int>(below(200)) - 100);
    case 5: return text();
    case 6: {
        auto list = nlohmann::json::array();
        for (auto n = below(6); n > 0; --n) list.push_back(random_json(random, depth - 1));
        return list;
    }
    default: {
        auto map = nlohmann::json::object();
        for (auto n = below(20); n > 0; --n) map[text()] = random_json(random, depth - 1);
        return map;
    }
    }
}

} // namespace

TEST_CASE("any JSON comes back as it was", "[schema]") {
    const unsigned seed = 20261120;
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int i = 0; i < 1000; ++i) {
        const auto value = random_json(random, 5);
        const auto packed = packed_from_json(value.dump(i % 2 == 0 ? -1 : 1));
        REQUIRE(packed.has_value());
        REQUIRE(PackedView::validate(*packed));
        REQUIRE(nlohmann::json::parse(to_json(PackedView{*packed})) == value);
    }
    CHECK(to_json(PackedView{*packed_from_json("123456789012345678901234567890")}) ==
          "1.2345678901234568e+29");
    CHECK(PackedView{*packed_from_json("9007199254740993")}.as_int() == 9007199254740993);
    CHECK(PackedView{*packed_from_json("1e-400")}.as_double() == 0);
    CHECK(PackedView{*packed_from_json("\"a\\u0000b\"")}.as_string().size() == 3);
    for (const auto* bad : {"", "1,2", "1]", "1] [2", "1e400", "[", "]", "{", "1 2", "tru"})
        CHECK_FALSE(packed_from_json(bad).has_value());
    const auto deep = std::string(65, '[') + std::string(65, ']');
    CHECK(packed_from_json(deep).error().code == ErrorCode::limit_exceeded);
    CHECK(packed_from_json(deep.substr(1, 128)).has_value());
}

TEST_CASE("cut and broken texts neither crash nor pass for the whole", "[schema]") {
    MessageDecoder decoder;
    std::mt19937 random{7};
    for (const auto& line : lines_of("06_batch_bodies.jsonl")) {
        for (std::size_t size = 0; size < line.size(); size += 1 + random() % 5)
            CHECK_FALSE(
                decoder.decode(std::string_view{line}.substr(0, size), envelope_at()).has_value());
        for (int i = 0; i < 500; ++i) {
            auto broken = line;
            for (auto n = 1 + random() % 3; n > 0; --n)
                broken[random() % broken.size()] ^= static_cast<char>(1u << (random() % 8));
            (void)decoder.decode(broken, envelope_at());
            (void)decoder.find_write_key(broken, [](std::string_view) { return false; });
        }
    }
}

TEST_CASE("what only the service finds out no producer may send") {
    schema::MessageDecoder decoder;
    const auto sent = [&](const std::string& name, const schema::Envelope& envelope) {
        const auto frame = decoder.decode(
            R"({"type":"track","userId":"u","event":")" + name + R"(","properties":{}})", envelope);
        REQUIRE(frame.has_value());
        return frame->items.at(0).event.has_value();
    };
    for (const auto* name :
         {"Action Decided", "Audience Reached", "Consent Changed", "Journey Ended",
          "Journey Entered", "Message Sent", "Message Suppressed", "Product Back In Stock",
          "Product Price Dropped", "Profile Changed", "Session Ended", "Stage Changed"}) {
        CAPTURE(name);
        CHECK_FALSE(sent(name, {}));
        CHECK_FALSE(sent(name, {.imported = true}));
        CHECK(sent(name, {.recorded = true}));
        CHECK(sent(std::string{name} + " Here", {}));
    }
    // A producer's own acts, and what providers report, whoever passes it on.
    for (const auto* name : {"Page Viewed", "Screen Viewed", "Email Opened", "Email Sent",
                             "Unsubscribed", "Product Back In Stock Requested", "Journey"}) {
        CAPTURE(name);
        CHECK(sent(name, {}));
    }
    const auto page = decoder.decode(R"({"type":"page","userId":"u","name":"Home"})", {});
    REQUIRE(page.has_value());
    CHECK(page->items.at(0).event.has_value());
}

TEST_CASE("a decision is made here and by nobody else, but a recorded one may be read") {
    schema::MessageDecoder decoder;
    const std::string text =
        R"([{"type":"track","userId":"u","event":"Action Decided","properties":{"action":"gift"}},
            {"type":"track","userId":"u","event":"action decided"}])";
    const auto frame = decoder.decode(text, {});
    REQUIRE(frame.has_value());
    REQUIRE(frame->items.size() == 2);
    REQUIRE_FALSE(frame->items[0].event.has_value());
    CHECK(frame->items[0].event.error().reason == schema::RejectReason::bad_event);
    CHECK(frame->items[0].event.error().detail ==
          "the event Action Decided is made here and by nobody else");
    CHECK(frame->items[0].ids.size() == 1); // So that the refusal is found by its customer.
    CHECK(frame->items[1].event.has_value());
    const auto recorded = decoder.decode(text, {.recorded = true});
    REQUIRE(recorded.has_value());
    CHECK(recorded->items[0].event.has_value());
    // What an older version has let in stays in its log.
    CHECK(decoder.decode_again({.raw = R"({"type":"track","userId":"u","event":"Action Decided"})"})
              .has_value());
}
