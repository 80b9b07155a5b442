/// Requests out of bytes: what is read does not depend on how the bytes come, and every limit has
/// two sides.
#include "runtime/listener/http_reader.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <deque>
#include <string>
#include <string_view>

using namespace runtime::listener;
using Progress = HttpReader::Progress;

namespace {

void feed(HttpReader& reader, std::string_view bytes) {
    std::memcpy(reader.bytes().prepare(bytes.size()).data(), bytes.data(), bytes.size());
    reader.bytes().commit(bytes.size());
}

/// The next request, of what is left and the pieces; how that ended.
Progress read(HttpReader& reader, std::deque<std::string> pieces) {
    reader.begin();
    for (const auto part : {&HttpReader::read_header, &HttpReader::read_body}) {
        auto progress = (reader.*part)();
        for (; progress == Progress::wants_more && !pieces.empty(); pieces.pop_front()) {
            feed(reader, pieces.front());
            progress = (reader.*part)();
        }
        if (progress != Progress::is_done) return progress;
    }
    for (const auto& left : pieces) feed(reader, left);
    return Progress::is_done;
}

std::string with_length(std::size_t length) {
    return "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

} // namespace

TEST_CASE("two requests behind each other are the same two, wherever the bytes are cut",
          "[listener]") {
    const std::string both = "POST /a?b=c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
                             "GET /second HTTP/1.1\r\nHost: t\r\n\r\n";
    const runtime::ListenerLimits limits;
    for (std::size_t cut = 0; cut <= both.size(); ++cut) {
        CAPTURE(cut);
        HttpReader reader{limits};
        const std::deque<std::string> pieces{both.substr(0, cut), both.substr(cut)};
        REQUIRE(read(reader, pieces) == Progress::is_done);
        const auto first = reader.release();
        CHECK(first.target() == "/a?b=c");
        CHECK(first.body() == "hello");
        REQUIRE(read(reader, {}) == Progress::is_done);
        CHECK(reader.release().target() == "/second");
        CHECK_FALSE(reader.has_bytes());
    }
}

TEST_CASE("a header and a body are read up to their limits, and no further", "[listener]") {
    runtime::ListenerLimits limits;
    limits.body_bytes_max = 5;
    limits.header_bytes_max = with_length(5).size();
    SECTION("at the limits") {
        HttpReader reader{limits};
        CHECK(read(reader, {with_length(5) + "hello"}) == Progress::is_done);
        CHECK(reader.release().body() == "hello");
    }
    SECTION("a body that says it is longer") {
        HttpReader reader{limits};
        CHECK(read(reader, {with_length(6) + "hello!"}) == Progress::is_refused);
        CHECK(reader.refusal().status == 413);
    }
    SECTION("a longer header, whole or not") {
        limits.header_bytes_max -= 1;
        HttpReader whole{limits}, part{limits};
        CHECK(read(whole, {with_length(5)}) == Progress::is_refused);
        CHECK(whole.refusal().status == 431);
        CHECK(read(part, {std::string(limits.header_bytes_max + 1, 'x')}) == Progress::is_refused);
        CHECK(part.refusal().status == 431);
        HttpReader short_of_it{limits};
        CHECK(read(short_of_it, {std::string(limits.header_bytes_max, 'x')}) ==
              Progress::wants_more);
    }
}

TEST_CASE("only whose body is still to come waits to be told to go on", "[listener]") {
    const runtime::ListenerLimits limits;
    const auto is_waited_for = [&](const std::string& request) {
        HttpReader reader{limits};
        feed(reader, request);
        reader.begin();
        REQUIRE(reader.read_header() == Progress::is_done);
        return reader.is_waited_for();
    };
    const std::string head = "POST /a HTTP/1.1\r\nHost: t\r\n";
    CHECK(is_waited_for(head + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
    CHECK_FALSE(is_waited_for(head + "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(is_waited_for(head + "Expect: a miracle\r\nContent-Length: 1\r\n\r\n"));
    CHECK_FALSE(is_waited_for(head + "Content-Length: 1\r\n\r\n"));
}
