#include "runtime/form_body.hpp"
#include "runtime/pages.hpp"
#include "runtime/tally.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace runtime;

namespace {

Overview overview() {
    Overview made;
    Overview::Journey journey{.id = "shaky", .status = "live", .version = "12345678"};
    journey.expressions = {
        {.role = "enter.when", .place = "shaky.yaml:7", .text = "a < b", .evaluated = 9, .met = 4},
        {.role = "enter.when",
         .place = "shaky.yaml:8",
         .text = "x > \"<b>\"",
         .evaluated = 4,
         .met = 1,
         .failed = 2},
        {.role = "mail send.data.total",
         .place = "shaky.yaml:12",
         .text = std::string(199, 'x') + "ä+1",
         .evaluated = 1,
         .failed = 1,
         .is_condition = false}};
    made.journeys.push_back(std::move(journey));
    return made;
}

} // namespace

TEST_CASE("the page tells the expressions that ended in an error, and those alone", "[pages]") {
    const auto html = overview_html(overview());
    CHECK(html.find("shaky.yaml:7") == std::string::npos);
    CHECK(html.find(
              "<td>shaky.yaml:8</td><td>enter.when</td><td class=x>x &gt; &quot;&lt;b&gt;&quot;"
              "<td class=n>4</td><td class=n>1</td><td class='n bad'>2</tr>") != std::string::npos);
    CHECK(html.find("<td class=x>" + std::string(199, 'x') +
                    "…<td class=n>1</td><td><td class='n "
                    "bad'>1</tr>") != std::string::npos);
    CHECK(html.find("<td class=n>3</td></tr>") != std::string::npos); // Of the journey.
    auto fine = overview();
    fine.journeys[0].expressions.resize(1);
    CHECK(overview_html(fine).find("ended in an error") == std::string::npos);
}

TEST_CASE("every expression of a journey is told with its counts", "[pages]") {
    const auto json = nlohmann::json::parse(journeys_json(overview()));
    const auto& journey = json.at("journeys").at(0);
    CHECK(journey.at("expression_errors") == 3);
    CHECK(journey.at("expressions").size() == 3);
    CHECK(journey.at("expressions").at(1) == nlohmann::json{{"where", "enter.when"},
                                                            {"file", "shaky.yaml:8"},
                                                            {"text", "x > \"<b>\""},
                                                            {"evaluated", 4},
                                                            {"met", 1},
                                                            {"errors", 2}});
    CHECK_FALSE(journey.at("expressions").at(2).contains("met"));
    const auto none = nlohmann::json::parse(journeys_json({}));
    CHECK(none.at("journeys").empty());
}

TEST_CASE("a form is read in both of its forms, and nothing else is one", "[pages]") {
    using Fields = std::vector<std::pair<std::string, std::string>>;
    const auto fields = [](const std::string& type, const std::string& body) {
        Request request;
        if (!type.empty()) request.headers.emplace_back("content-type", type);
        request.body = body;
        return form_fields(request);
    };
    const Fields two{{"a", "1"}, {"b", "x y"}};
    const auto part = [](const std::string& name, const std::string& value) {
        return "--B\r\nContent-Disposition: form-data; name=" + name + "\r\n\r\n" + value + "\r\n";
    };
    const auto body = part("\"a\"", "1") + part("b", "x y") + "--B--\r\n";
    CHECK(fields("", "a=1&b=x+y") == two);
    CHECK(fields("Application/X-WWW-Form-URLencoded; charset=utf-8", "a=1&b=x+y") == two);
    CHECK(fields("multipart/form-data; boundary=B", body) == two);
    CHECK(fields("Multipart/Form-Data; charset=utf-8; Boundary=\"B\"", "preamble" + body) == two);
    CHECK(fields("text/plain", "a=1").empty());
    CHECK(fields("application/json", "{\"a\":1}").empty());
    CHECK(fields("multipart/form-data", body).empty());
    CHECK(fields("multipart/form-data; boundary=", body).empty());
    CHECK(fields("multipart/form-data; boundary=\"B", body).empty());
    // Cut off anywhere it gives what is whole, and never more.
    for (std::size_t size = 0; size <= body.size(); ++size) {
        const auto cut = fields("multipart/form-data; boundary=B", body.substr(0, size));
        CHECK(cut.size() <= 2);
        CHECK(std::equal(cut.begin(), cut.end(), two.begin()));
    }
    std::string many;
    for (std::size_t i = 0; i < 2 * form_fields_max; ++i) many += "a=1&";
    CHECK(fields("", many).size() == form_fields_max);
}

TEST_CASE("the log tells of a provider that fails, in few lines", "[tally]") {
    using Kind = actors::ProviderOutcome::Kind;
    std::vector<std::string> lines;
    std::chrono::steady_clock::time_point now{};
    Log log{LogFormat::text, LogLevel::info,
            [&](std::string_view line) { lines.emplace_back(line); }, [&] { return now; }};
    Tally tally{1, log, {}, "UTC"};
    actors::ChannelCounts counts;
    tally.channel("mail", counts);
    tally.called("mail", {Kind::accepted, {}, "202"}, {});
    tally.called("mail", {Kind::rejected, {}, "HTTP 400"}, {});
    CHECK(lines.empty());
    for (int i = 0; i < 1000; ++i) tally.called("mail", {Kind::retry, {}, "HTTP 401"}, {});
    tally.called("sms", {Kind::unknown, {}, "Timeout was reached"}, {});
    counts.last_failure = "HTTP 401";
    counts.breaker_open = true;
    for (int i = 0; i < 1000; ++i) tally.channel("mail", counts);
    for (counts.dead = 1; counts.dead < 1000; ++counts.dead) tally.channel("mail", counts);
    counts.breaker_open = false;
    counts.dead = 0;
    for (int i = 0; i < 1000; ++i) tally.channel("mail", counts);
    CHECK(
        lines ==
        std::vector<std::string>{
            R"(a call of mail came to nothing why="HTTP 401")",
            R"(a call of sms has an unknown end why="Timeout was reached")",
            R"(a channel's calls fail, and its breaker opens channel=mail why="HTTP 401")",
            R"(messages of mail are set aside, until retry-dead or their end set_aside=1 why="HTTP 401")",
            R"(a channel's breaker closes channel=mail)"});
    now += std::chrono::seconds{10};
    tally.called("mail", {Kind::retry, {}, "HTTP 401"}, {});
    CHECK(lines.back() == R"(a call of mail came to nothing why="HTTP 401" repeated=999)");
}
