#include "journeys/packed.hpp"
#include "schema/clickstream.hpp"
#include "schema/message_json.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

using namespace journeys;
using namespace schema;

namespace {

std::string folder() { return SOJOURN_SOURCE_DIR "/tests/data/otto/"; }

std::string converted_otto() {
    std::ifstream in{folder() + "sessions20.jsonl"};
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto result =
            convert_otto(line, [&](std::string_view text) { out.append(text).append("\n"); });
        REQUIRE(result.has_value());
    }
    return out;
}

} // namespace

TEST_CASE("OTTO's sessions become the messages that stand beside them", "[schema]") {
    const auto text = converted_otto();
    const auto file = folder() + "messages.jsonl";
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream{file} << text;
    std::stringstream golden;
    golden << std::ifstream{file}.rdbuf();
    CHECK(text == golden.str());

    MessageDecoder decoder;
    std::map<std::string, int> names;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const auto frame = decoder.decode(
            line, {.received_at = {}, .expected = {}, .recorded = true, .limits = {}});
        REQUIRE(frame.has_value());
        const auto& item = frame->items.at(0);
        INFO(line);
        REQUIRE(item.event.has_value());
        CHECK(item.clock == Clock::written);
        ++names[item.event->name];
    }
    CHECK(names["Identify"] == 20);
    CHECK(names["Product Viewed"] + names["Product Added"] > 700);
    CHECK(names["Order Completed"] > 0);
    CHECK(names.size() == 4);
}

TEST_CASE("Taobao's lines become messages; everyone is introduced once", "[schema]") {
    TaobaoConverter converter;
    std::vector<std::string> out;
    const auto sink = [&](std::string_view line) { out.emplace_back(line); };
    REQUIRE(converter.convert("1,2268318,2520377,pv,1511544070", sink).has_value());
    REQUIRE(converter.convert("1,2268318,2520377,buy,1511544071\r", sink).has_value());
    REQUIRE(out.size() == 3);
    CHECK(out[0].find("\"identify\"") != std::string::npos);
    CHECK(out[2].find("Order Completed") != std::string::npos);
    for (const auto* bad : {"", "1,2,3,pv", "1,2,3,look,5", "a,2,3,pv,5", "1,2,3,pv,5,6",
                            "1,2,3,pv,99999999999", "1,2,3,pv,-5"})
        CHECK_FALSE(converter.convert(bad, sink).has_value());
    CHECK(out.size() == 3);
    for (const auto* bad : {"", "{}", R"({"session":1,"events":[{"aid":1}]})",
                            R"({"session":1,"events":[{"aid":1,"ts":1,"type":"x"}]})"})
        CHECK_FALSE(convert_otto(bad, sink).has_value());
}

TEST_CASE("a made-up price is always the same and within its bounds", "[schema]") {
    for (int i = 0; i < 1000; ++i) {
        const auto cents = made_up_price_cents(std::to_string(i));
        CHECK(cents >= 499);
        CHECK(cents <= 19'999);
    }
    CHECK(made_up_price_cents("1517085") == made_up_price_cents("1517085"));
}
