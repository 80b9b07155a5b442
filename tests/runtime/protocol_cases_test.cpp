// RFC 6455, case by case, as the protocol's well-known suites have it: what a peer may send, whole,
// in fragments and byte by byte, and what must end the connection with which code.

#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <vector>

namespace {

constexpr unsigned continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10;
constexpr unsigned fin = 0x80;

/// A client's frame with any first byte at all.
std::string frame(unsigned first, std::string_view payload, bool is_masked = true) {
    std::string out;
    out += static_cast<char>(first);
    const unsigned mask = is_masked ? 0x80 : 0;
    if (payload.size() < 126) {
        out += static_cast<char>(mask | payload.size());
    } else if (payload.size() < 65536) {
        out += static_cast<char>(mask | 126);
        out += static_cast<char>(payload.size() >> 8);
        out += static_cast<char>(payload.size());
    } else {
        out += static_cast<char>(mask | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            out += static_cast<char>(payload.size() >> shift);
    }
    if (!is_masked) return out.append(payload);
    const std::string key{"\x37\xfa\x21\x3d"};
    out += key;
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
}

std::string close_payload(unsigned code, std::string_view reason = {}) {
    std::string payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code);
    return payload.append(reason);
}

class EchoFixture : public ListenerFixture {
public:
    EchoFixture() {
        echoes = true;
        config.limits.messages.frame_bytes_max = config.limits.bytes_in_flight_max =
            config.limits.unsent_bytes_max = 32 * 1024 * 1024;
    }

    /// What comes back for these bytes, sent at once or byte by byte, and then a close of ours:
    /// texts and binaries as `t:` and `b:`, pongs as `p:`, and the code of the close at the end.
    std::string answers(const std::string& bytes, bool byte_by_byte = false) {
        auto client = stream();
        if (byte_by_byte)
            for (const char c : bytes) client.send({&c, 1});
        else
            client.send(bytes);
        client.send(frame(fin | close, close_payload(1000)));
        std::string all;
        while (const auto answer = client.read_frame()) {
            switch (answer->opcode) {
            case text: all += "t:" + answer->payload + ' '; break;
            case binary: all += "b:" + answer->payload + ' '; break;
            case pong: all += "p:" + answer->payload + ' '; break;
            case close: return all + std::to_string(answer->code());
            default: return all + "?";
            }
        }
        return all + "0";
    }
};

std::string letters(std::size_t size) {
    std::string out(size, '*');
    for (std::size_t i = 0; i < size; i += 100) out[i] = static_cast<char>('a' + i / 100 % 26);
    return out;
}

} // namespace

TEST_CASE_METHOD(EchoFixture, "messages of every length come back as they were", "[listener]") {
    for (const std::size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20}) {
        const auto payload = letters(size);
        INFO(size);
        CHECK(answers(frame(fin | text, payload)) == "t:" + payload + " 1000");
        CHECK(answers(frame(fin | binary, payload)) == "b:" + payload + " 1000");
    }
    const auto large = letters(16 << 20);
    CHECK(answers(frame(fin | text, large)) == "t:" + large + " 1000");
    std::string in_pieces;
    for (std::size_t at = 0; at < large.size(); at += 64 * 1024)
        in_pieces +=
            frame((at == 0 ? binary : continuation) | (at + 64 * 1024 >= large.size() ? fin : 0),
                  std::string_view{large}.substr(at, 64 * 1024));
    CHECK(answers(in_pieces) == "b:" + large + " 1000");
}

TEST_CASE_METHOD(EchoFixture, "pings are answered with what they carry", "[listener]") {
    for (const std::size_t size : {0, 1, 7, 124, 125}) {
        const auto payload = letters(size);
        INFO(size);
        CHECK(answers(frame(fin | ping, payload)) == "p:" + payload + " 1000");
        CHECK(answers(frame(fin | ping, payload), true) == "p:" + payload + " 1000");
    }
    CHECK(answers(frame(fin | ping, std::string{"\0\xff\xfe\xfd", 4})) ==
          "p:" + std::string{"\0\xff\xfe\xfd", 4} + " 1000");
    CHECK(answers(frame(fin | ping, letters(126))) == "1002");
    CHECK(answers(frame(fin | pong, "nobody asked")) == "1000");
    // A flood of them; pongs may be fewer than pings, and the last one is answered.
    std::string flood;
    for (int i = 0; i < 2000; ++i) flood += frame(fin | ping, std::to_string(i));
    const auto all = answers(flood + frame(fin | text, "still here"));
    CHECK(all.find("t:still here") != std::string::npos);
    CHECK(all.ends_with("1000"));
}

TEST_CASE_METHOD(EchoFixture, "fragments are put together, and control frames go between",
                 "[listener]") {
    struct Case {
        std::string name, bytes, answer;
    };
    const std::vector<Case> cases{
        {"two", frame(text, "ab") + frame(fin | continuation, "cd"), "t:abcd 1000"},
        {"empty ones", frame(text, "") + frame(continuation, "") + frame(fin | continuation, ""),
         "t: 1000"},
        {"an empty one in the middle",
         frame(text, "a") + frame(continuation, "") + frame(fin | continuation, "b"), "t:ab 1000"},
        {"a ping between",
         frame(text, "ab") + frame(fin | ping, "p") + frame(fin | continuation, "c"),
         "p:p t:abc 1000"},
        {"binary ones", frame(binary, "\xff") + frame(fin | continuation, "\xfe"),
         "b:\xff\xfe 1000"},
        {"two messages",
         frame(text, "a") + frame(fin | continuation, "b") + frame(binary, "c") +
             frame(fin | continuation, "d"),
         "t:ab b:cd 1000"},
        {"a fragmented ping", frame(ping, "a") + frame(fin | continuation, "b"), "1002"},
        {"a fragmented pong", frame(pong, "a") + frame(fin | continuation, "b"), "1002"},
        {"a fragmented close", frame(close, close_payload(1000)), "1002"},
        {"a continuation of nothing", frame(fin | continuation, "a"), "1002"},
        {"an open continuation of nothing", frame(continuation, "a") + frame(fin | text, "b"),
         "1002"},
        {"a continuation behind the end",
         frame(text, "a") + frame(fin | continuation, "b") + frame(fin | continuation, "c"),
         "t:ab 1002"},
        {"a new message before the end", frame(text, "a") + frame(fin | text, "b"), "1002"},
        {"a new one of another kind", frame(text, "a") + frame(fin | binary, "b"), "1002"},
    };
    for (const auto& one : cases) {
        INFO(one.name);
        // What was complete before a fault may or may not have been answered by then.
        const auto whole = answers(one.bytes);
        CHECK((whole == one.answer || (one.answer.ends_with(" 1002") && whole == "1002")));
        const auto slowly = answers(one.bytes, true);
        CHECK((slowly == one.answer || (one.answer.ends_with(" 1002") && slowly == "1002")));
    }
}

TEST_CASE_METHOD(EchoFixture, "reserved bits and opcodes, and frames without a mask, are faults",
                 "[listener]") {
    for (unsigned bits = 1; bits < 8; ++bits)
        for (const unsigned opcode : {text, binary, close, ping, pong}) {
            INFO("bits " << bits << " opcode " << opcode);
            CHECK(answers(frame(fin | bits << 4 | opcode,
                                opcode == close ? close_payload(1000) : "x")) == "1002");
        }
    for (const unsigned opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
        INFO("opcode " << opcode);
        CHECK(answers(frame(fin | opcode, "")) == "1002");
        CHECK(answers(frame(fin | opcode, "x")) == "1002");
        CHECK(answers(frame(text, "a") + frame(fin | opcode, "x")) == "1002");
    }
    CHECK(answers(frame(fin | text, "x", false)) == "1002");
    CHECK(answers(frame(fin | ping, "x", false)) == "1002");
    // A length in more bytes than it needs, and one past all lengths.
    CHECK(answers(std::string{"\x81\xfe\x00\x01\0\0\0\0a", 9}) == "1002");
    CHECK(answers(std::string{"\x81\xff\0\0\0\0\0\0\x00\x7e\0\0\0\0", 14}) == "1002");
    CHECK(answers(std::string{"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14}) != "1000");
}

TEST_CASE_METHOD(EchoFixture, "closes: which codes there are, and what may stand behind one",
                 "[listener]") {
    const auto answer_to = [&](const std::string& payload) {
        auto client = stream();
        client.send(frame(fin | close, payload));
        return client.read_close();
    };
    for (const unsigned code :
         {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999}) {
        INFO(code);
        CHECK(answer_to(close_payload(code)) == code);
        CHECK(answer_to(close_payload(code, "a reason")) == code);
    }
    // From 5000 on nothing is defined; they come back as they were.
    for (const unsigned code : {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999}) {
        INFO(code);
        CHECK(answer_to(close_payload(code)) == 1002);
    }
    CHECK(answer_to(close_payload(1000, letters(123))) == 1000);
    CHECK(answer_to(close_payload(1000, letters(124))) == 1002);
    CHECK(answer_to("\x03") == 1002);
    // RFC 6455 says that the connection fails, and not with which code.
    CHECK(answer_to(close_payload(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80")) == 1002);
    auto client = stream();
    client.send(frame(fin | close, ""));
    const auto answer = client.read_frame();
    REQUIRE(answer);
    CHECK(answer->opcode == close);
    CHECK(client.is_closed());

    // Nothing behind a close is looked at.
    auto eager = stream();
    eager.send(frame(fin | close, close_payload(1000)) + frame(fin | text, "late") +
               frame(fin | ping, "late"));
    CHECK(eager.read_frame()->opcode == close);
    CHECK(eager.is_closed());
}

TEST_CASE_METHOD(EchoFixture, "text is UTF-8, wherever it is cut", "[listener]") {
    using namespace std::string_literals;
    const std::vector<std::string> valid{
        "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc-UTF-8!!"s, // Two bytes.
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"s,
        "\0"s,
        "\x7f"s,
        "\xc2\x80"s,
        "\xdf\xbf"s,
        "\xe0\xa0\x80"s,
        "\xed\x9f\xbf"s,
        "\xee\x80\x80"s,
        "\xef\xbf\xbd"s,
        "\xef\xbf\xbf"s,
        "\xf0\x90\x80\x80"s,
        "\xf4\x8f\xbf\xbf"s,
    };
    const std::vector<std::string> invalid{
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64"s, // A surrogate.
        "\x80"s,
        "\xbf"s,
        "\x80\xbf\x80"s,
        "\xc0\xaf"s, // Overlong, of all lengths.
        "\xc1\xbf"s,
        "\xe0\x80\xaf"s,
        "\xe0\x9f\xbf"s,
        "\xf0\x80\x80\xaf"s,
        "\xf0\x8f\xbf\xbf"s,
        "\xf8\x80\x80\x80\xaf"s,
        "\xfc\x80\x80\x80\x80\xaf"s,
        "\xf4\x90\x80\x80"s, // Past the last code point.
        "\xf5\x80\x80\x80"s,
        "\xed\xa0\x80"s,
        "\xed\xbf\xbf"s,
        "\xed\xa0\x80\xed\xb0\x80"s,
        "\xfe"s,
        "\xff"s,
        "\xfe\xfe\xff\xff"s,
        "\xc2"s, // Cut off, of all lengths.
        "\xe1\xbd"s,
        "\xf0\x90\x80"s,
        "a\xc2z"s,
        "a\xe1\xbdz"s,
        "a\xf0\x90\x80z"s,
    };
    const auto in_fragments = [](const std::string& payload) {
        std::string bytes;
        for (std::size_t i = 0; i < payload.size(); ++i)
            bytes += frame((i == 0 ? text : continuation) | (i + 1 == payload.size() ? fin : 0),
                           payload.substr(i, 1));
        return bytes;
    };
    for (const auto& payload : valid) {
        INFO(Catch::StringMaker<std::string>::convert(payload));
        CHECK(answers(frame(fin | text, payload)) == "t:" + payload + " 1000");
        CHECK(answers(frame(fin | text, payload), true) == "t:" + payload + " 1000");
        CHECK(answers(in_fragments(payload)) == "t:" + payload + " 1000");
    }
    for (const auto& payload : invalid) {
        INFO(Catch::StringMaker<std::string>::convert(payload));
        CHECK(answers(frame(fin | text, payload)) == "1007");
        CHECK(answers(frame(fin | text, payload), true) == "1007");
        CHECK(answers(in_fragments(payload)) == "1007");
        CHECK(answers(frame(fin | binary, payload)) == "b:" + payload + " 1000");
    }
    // Refused as soon as it can't become valid any more, not when the message ends.
    auto client = stream();
    client.send(frame(text, "\xf4"));
    client.send(frame(continuation, "\x90"));
    CHECK(client.read_close() == 1007);
}
