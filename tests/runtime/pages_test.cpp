#include "runtime/pages.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

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
