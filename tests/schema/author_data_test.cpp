/// What authors keep beside journeys: values, tables, audiences; each mistake with its place.
#include "journeys/packed.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/coupons_yaml.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"

#include <catch2/catch.hpp>

using journeys::PackedView;
using journeys::to_json;
using Lines = std::vector<std::string>;

namespace {

Lines told(const std::vector<schema::Mistake>& mistakes) {
    Lines lines;
    for (const auto& mistake : mistakes) lines.push_back(to_text(mistake));
    return lines;
}

std::string row(const journeys::Table& table, std::string_view key) {
    const auto found = table.rows.find(key);
    return found == table.rows.end() ? "none" : to_json(PackedView{found->second});
}

} // namespace

TEST_CASE("values are what they look like, and texts where they are quoted", "[schema]") {
    const auto loaded = schema::load_vars("vars.yaml", R"(
discount: 10
share: 0.25
code: SAVE10
year: "2026"
open: true
none: null
countries: [DE, AT, "7"]
)");
    CHECK(told(loaded.mistakes).empty());
    CHECK(to_json(PackedView{loaded.values}) ==
          R"({"discount":10,"share":0.25,"code":"SAVE10","year":"2026","open":true,"none":null,)"
          R"("countries":["DE","AT","7"]})");
    CHECK(PackedView{schema::load_vars("vars.yaml", "").values}.size() == 0);
}

TEST_CASE("what is no plain value is said with its place, and the others stay", "[schema]") {
    const auto loaded = schema::load_vars("vars.yaml", "a: 1\nb: { c: 2 }\n2nd: 3\nd: [[1]]\n");
    CHECK(told(loaded.mistakes) ==
          Lines{"vars.yaml:2:4: a value is a text, a number, true, false, null or a list of these; "
                "rows belong in config/tables/NAME.csv",
                "vars.yaml:3:1: \"2nd\" is no name of a value: letters, digits and _, at most 64",
                "vars.yaml:4:4: a value is a text, a number, true, false, null or a list of these; "
                "rows belong in config/tables/NAME.csv"});
    CHECK(to_json(PackedView{loaded.values}) == R"({"a":1})");
    CHECK(told(schema::load_vars("vars.yaml", "- a").mistakes).size() == 1);

    std::string many;
    for (std::size_t i = 0; i < schema::vars_max; ++i) many += "v" + std::to_string(i) + ": 1\n";
    CHECK(schema::load_vars("vars.yaml", many).mistakes.empty());
    CHECK(told(schema::load_vars("vars.yaml", many + "one: 1\n").mistakes) ==
          Lines{"vars.yaml:1:1: more than 200 values; many of a kind belong in "
                "config/tables/NAME.csv"});
}

TEST_CASE("a table's rows are found by their first column, in the types of the header",
          "[schema]") {
    const auto loaded = schema::load_table(
        "refills.csv", "product_id;days:int;margin:number;gift:bool;since:time;note\n"
                       "p1;30;0.4;true;2026-01-02;\"a; b\"\n"
                       "p2;45;1;false;2026-01-02T08:00:00Z;\n");
    CHECK(told(loaded.mistakes).empty());
    CHECK(loaded.table.columns == Lines{"product_id", "days", "margin", "gift", "since", "note"});
    CHECK(row(loaded.table, "p1") == R"({"product_id":"p1","days":30,"margin":0.4,"gift":true,)"
                                     R"("since":"2026-01-02","note":"a; b"})");
    CHECK(row(loaded.table, "p2") == R"({"product_id":"p2","days":45,"margin":1,"gift":false,)"
                                     R"("since":"2026-01-02T08:00:00Z"})");
    CHECK(row(loaded.table, "p3") == "none");
}

TEST_CASE("every mistake of a table is told by its line, and its row left out", "[schema]") {
    const auto loaded = schema::load_table("t.csv", "sku,days:int,gift:bool,since:time\n"
                                                    "a,3 0,true,2026-01-02\n"
                                                    "b,30,yes,2026-01-02\n"
                                                    "c,30,true,soon\n"
                                                    "d,30,true\n"
                                                    ",30,true,2026-01-02\n"
                                                    "e,,,\n"
                                                    "e,31,true,2026-01-02\n");
    CHECK(told(loaded.mistakes) ==
          Lines{"t.csv:2:3: the column \"days\" holds a whole number; found \"3 0\"",
                "t.csv:3:6: the column \"gift\" holds true or false; found \"yes\"",
                "t.csv:4:11: the column \"since\" holds a time such as 2026-11-27 or "
                "2026-11-27T08:00:00Z; found \"soon\"",
                "t.csv:5:1: 3 cells where the header names 4",
                "t.csv:6:1: the row has no key: its first cell is empty",
                "t.csv:8:1: the key \"e\" stands in the table twice"});
    CHECK(loaded.table.rows.size() == 1);
    CHECK(row(loaded.table, "e") == R"({"sku":"e"})");

    CHECK(told(schema::load_table("t.csv", "sku,days:itn\n").mistakes) ==
          Lines{"t.csv:1:5: no type \"itn\" for the column \"days\". Did you mean \"int\"? Types: "
                "text, int, number, bool, time"});
    CHECK(told(schema::load_table("t.csv", "sku,a:int,a\n").mistakes) ==
          Lines{"t.csv:1:11: the column \"a\" is named twice"});
    // All of a row, also behind a quoted line end and signs of several bytes.
    CHECK(told(schema::load_table("t.csv", "sku,name,days:int,gift:bool\na,\"Ü\nb\",x,y\n"
                                           "b,ÄÖ,x,true\n")
                   .mistakes) ==
          Lines{"t.csv:3:4: the column \"days\" holds a whole number; found \"x\"",
                "t.csv:3:6: the column \"gift\" holds true or false; found \"y\"",
                "t.csv:4:6: the column \"days\" holds a whole number; found \"x\""});
    // A whole number is one key however it is written; a text is as it stands.
    CHECK(told(schema::load_table("t.csv", "sku:int\n7\n07\n").mistakes) ==
          Lines{"t.csv:3:1: the key \"7\" stands in the table twice"});
    CHECK(schema::load_table("t.csv", "sku\n7\n07\n").table.rows.size() == 2);
    CHECK(told(schema::load_table("t.csv", "").mistakes) ==
          Lines{"t.csv:1:1: there is no header that names the columns"});
}

TEST_CASE("a table is bounded in bytes", "[schema]") {
    const std::string header = "k,v\n";
    std::string text = header;
    const std::string cell(1000, 'x');
    for (int i = 0; text.size() + 1010 < schema::table_bytes_max; ++i)
        text += std::to_string(i) + ',' + cell + '\n';
    text += "last," + std::string(schema::table_bytes_max - text.size() - 6, 'x') + "\n";
    REQUIRE(text.size() == schema::table_bytes_max);
    CHECK(schema::load_table("t.csv", text).mistakes.empty());
    CHECK(told(schema::load_table("t.csv", text + "\n").mistakes) ==
          Lines{"t.csv:1:1: a table has at most 8 MiB; this one has more"});
}

TEST_CASE("an audience is a condition on a customer alone", "[schema]") {
    schema::LoadContext context;
    context.events.emplace();
    const auto loaded = schema::load_audiences("audiences.yaml", R"(
loyal: customer.orders >= 3
recent-visitors: count("Product Viewed", "7d") > 0
Not A Name: true
typo: customer.order > 1
text: customer.id
of-run: run.key == "x"
of-event: event.name == "Product Viewed"
other: audience("loyal")
)",
                                               context);
    CHECK(loaded.audiences.size() == 3); // That of other is there, and the file refused.
    CHECK(loaded.broken ==
          std::set<std::string, std::less<>>{"Not A Name", "of-event", "of-run", "text", "typo"});
    CHECK(loaded.audiences.contains("loyal"));
    const auto lines = told(loaded.mistakes);
    REQUIRE(lines.size() == 6);
    CHECK(lines[0] ==
          "audiences.yaml:4:1: \"Not A Name\" is no audience's name: a-z, 0-9 and -, at most 64");
    CHECK(lines[1].starts_with("audiences.yaml:5:16: no name customer.order"));
    CHECK(lines[2].starts_with("audiences.yaml:6:"));
    CHECK(lines[3] == "audiences.yaml:7:9: an audience is about a customer, whatever run asks: it "
                      "cannot look at one");
    CHECK(lines[4].starts_with(
        "audiences.yaml:8:11: an audience is about a customer, whatever event comes"));
    CHECK(lines[5] ==
          "audiences.yaml:9:8: an audience cannot name another; write its condition here");
}

TEST_CASE("a file of codes belongs to one pool", "[coupons]") {
    const auto mistakes = [](const std::string& text) {
        std::string all;
        for (const auto& mistake : schema::load_coupons("coupons.yaml", text).mistakes)
            all += to_text(mistake) + '\n';
        return all;
    };
    CHECK(mistakes("five: { file: coupons/five.csv }\n"
                   "twin: { file: coupons/five.csv }\n") ==
          "coupons.yaml:2:15: the pools \"five\" and \"twin\" both read \"coupons/five.csv\", so "
          "each code would be given twice. A code belongs to one pool; several journeys may name "
          "the same pool\n");
    CHECK_FALSE(mistakes("five: { file: coupons/five.csv }\n"
                         "twin: { file: ./coupons/../coupons/five.csv }\n")
                    .empty());
    CHECK(mistakes("five: { file: coupons/five.csv }\n"
                   "ten: { file: coupons/ten.csv }\n"
                   "spring: { low: 3 }\n"
                   "summer: {}\n")
              .empty());
}
