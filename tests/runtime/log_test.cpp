#include "runtime/log.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

namespace {

struct Lines {
    std::vector<std::string> lines;
    std::chrono::steady_clock::time_point now{};
    runtime::Log log(runtime::LogFormat format) {
        return runtime::Log{format, runtime::LogLevel::info,
                            [this](std::string_view line) { lines.emplace_back(line); },
                            [this] { return now; }};
    }
};

} // namespace

TEST_CASE("a line of the log says what happened, and its facts", "[log]") {
    Lines written;
    SECTION("for people") {
        written.log(runtime::LogFormat::text)
            .info("partition taken over",
                  {{"partition", 3}, {"took_ms", 1.5}, {"why", "a\nline"}, {"state", ""}});
        CHECK(written.lines ==
              std::vector<std::string>{"partition taken over partition=3 "
                                       "took_ms=1.500000 why=\"a\\nline\" state=\"\""});
    }
    SECTION("for machines") {
        written.log(runtime::LogFormat::json).error("it \"broke\"", {{"partition", 3}});
        CHECK(written.lines ==
              std::vector<std::string>{R"("text":"it \"broke\"","partition":"3")"});
    }
    SECTION("and none of them commands a terminal") {
        written.log(runtime::LogFormat::text)
            .info("refused\x1b[2J", {{"who", "u\u009b1A"}, {"name", "Zoë"}});
        CHECK(written.lines == std::vector<std::string>{"refused\\u001b[2J who=\"u\\u009b1A\" "
                                                        "name=\"Zoë\""});
        written.lines.clear();
        written.log(runtime::LogFormat::json).info("a", {{"who", "u\u009b\x7f"}});
        CHECK(written.lines == std::vector<std::string>{R"("text":"a","who":"u\u009b\u007f")"});
    }
    SECTION("not below its level") {
        written.log(runtime::LogFormat::text).debug("x");
        CHECK(written.lines.empty());
    }
}

TEST_CASE("a warning that repeats is one line, with a count", "[log]") {
    Lines written;
    auto log = written.log(runtime::LogFormat::text);
    for (int i = 0; i < 5; ++i) log.repeated_warning("storage is down");
    log.repeated_warning("another");
    CHECK(written.lines == std::vector<std::string>{"storage is down", "another"});
    written.now += 10s;
    log.repeated_warning("storage is down");
    CHECK(written.lines.back() == "storage is down repeated=4");
}

TEST_CASE("a log names a customer by their id, and no address", "[log]") {
    using journeys::IdNamespace;
    CHECK(runtime::log_text({IdNamespace::user, "42"}) == "user:42");
    CHECK(runtime::log_text({IdNamespace::anonymous, "7f0c"}) == "anonymous:7f0c");
    for (const auto space : {IdNamespace::user, IdNamespace::email, IdNamespace::phone}) {
        const auto text = runtime::log_text({space, "ada@shop.example"});
        CAPTURE(text);
        CHECK(text.find("ada") == text.npos);
        CHECK(text.starts_with(std::string{to_text(space)} + ":#"));
        CHECK(text.size() == to_text(space).size() + 2 + 16);
    }
    CHECK(runtime::log_text({IdNamespace::phone, "+491511"}).find("1511") == std::string::npos);
}
