#include "schema/yaml_document.hpp"
#include "schema/yaml_unclosed.hpp"

#include <catch2/catch.hpp>

using namespace schema;

namespace {

std::vector<Mistake> mistakes_of(std::string_view text, const YamlBounds& bounds = {}) {
    Mistakes mistakes{"f"};
    YamlDocument::parse(text, mistakes, bounds);
    return mistakes.take();
}

std::string first_of(std::string_view text) {
    const auto all = mistakes_of(text);
    return all.empty() ? "" : to_text(all[0]);
}

/// Where the first `needle` of the value of `key` stands, as line:column.
std::string found_at(std::string_view text, std::string_view needle) {
    Mistakes mistakes{"f"};
    const auto document = YamlDocument::parse(text, mistakes);
    for (const auto& mistake : mistakes.take()) FAIL(to_text(mistake));
    const auto& node = document.root().entries.at(0).second;
    const auto place = document.place_in(node, node.text.find(needle));
    return std::to_string(place.line) + ':' + std::to_string(place.column);
}

} // namespace

TEST_CASE("every value knows its line and column", "[schema]") {
    Mistakes mistakes{"f"};
    const auto document = YamlDocument::parse("a: 1\nb:\n  - x\n  - {c: 'ü', d: e}\n", mistakes);
    const auto& root = document.root();
    REQUIRE(root.is_map());
    CHECK(root.find("a")->at == Place{1, 4});
    CHECK(root.find("b")->items.at(0).at == Place{3, 5});
    const auto& inner = root.find("b")->items.at(1);
    CHECK(inner.in_brackets);
    CHECK(inner.find("c")->text == "ü");
    CHECK(inner.find("d")->at == Place{4, 17});
    CHECK_FALSE(mistakes.has_errors());
}

TEST_CASE("a place inside a text is found through quotes, escapes, folds and indentation",
          "[schema]") {
    CHECK(found_at("a: one two\n", "two") == "1:8");
    CHECK(found_at("a: 'it''s two'\n", "two") == "1:11");
    CHECK(found_at("a: \"x\\u00fc\\\"two\"\n", "two") == "1:14");
    CHECK(found_at("a: one\n   and\n   two\n", "two") == "3:4");
    CHECK(found_at("a: 'one\n   two'\n", "two") == "2:4");
    CHECK(found_at("a: |\n   one\n   two x\n", "x") == "3:8");
    CHECK(found_at("a: >-\n   one\n   two x\n", "x") == "3:8");
    CHECK(found_at("\xef\xbb\xbf"
                   "a: ü two\r\n",
                   "two") == "1:6");
}

TEST_CASE("what YAML has beyond maps, lists and texts is refused", "[schema]") {
    CHECK(first_of("a: !str x") ==
          "f:1:4: YAML takes \"!str\" for a tag; only \"x\" would be left. Quote it: '!str x'");
    CHECK(first_of("a: !x\nb: 1") ==
          "f:1:4: YAML takes \"!x\" for a tag; nothing would be left. Quote it: '!x'");
    CHECK(first_of("a: &x 1") ==
          "f:1:4: YAML takes \"&x\" for an anchor; only \"1\" would be left. Quote it: '&x 1'");
    CHECK(first_of("a: *x") ==
          "f:1:4: YAML takes \"*x\" for an alias; nothing would be left. Quote it: '*x'");
    CHECK(first_of("a: 1\nb: {<<: 1}") ==
          "f:2:5: merge keys (\"<<\") are not allowed; write the values out");
    CHECK(first_of("a: 1\na: 2") == "f:2:1: the key \"a\" is given twice");
    CHECK(first_of("a: 1\n---\nb: 2").find("second document") != std::string::npos);
    CHECK(first_of("? [1]\n: 2").find("a key must be a plain text") != std::string::npos);
}

TEST_CASE("laughter is bounded: no alias multiplies anything", "[schema]") {
    std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        bomb += std::string{c} + ": &" + c + " [";
        for (int i = 0; i < 10; ++i)
            bomb += std::string{i > 0 ? ", *" : "*"} + static_cast<char>(c - 1);
        bomb += "]\n";
    }
    CHECK(mistakes_of(bomb).size() > 50);
}

TEST_CASE("depth, size and the number of values are bounded", "[schema]") {
    CHECK(
        first_of("a: " + std::string(41, '[') + std::string(41, ']')).find("nested more than 40") !=
        std::string::npos);
    CHECK(first_of(std::string(100'000, '[')) != "");
    CHECK(first_of(std::string(600 * 1024, 'a')).find("larger than") != std::string::npos);
    YamlBounds few;
    few.nodes = 100;
    std::string many = "a: [";
    for (int i = 0; i < 200; ++i) many += "1,";
    const auto told = mistakes_of(many + "1]", few);
    REQUIRE(told.size() == 1);
    CHECK(told[0].message.find("more than 100 values") != std::string::npos);
}

TEST_CASE("what is no YAML is explained where it can be", "[schema]") {
    CHECK(first_of("when: \"de\" in x") ==
          "f:1:7: a value that starts with a quote, or holds \": \" or \" #\", must "
          "be quoted whole: '\"de\" in x'");
    CHECK(first_of("when: a ? b : c").find("quoted whole: 'a ? b : c'") != std::string::npos);
    CHECK(first_of("a:\n\t- b").find("tab") != std::string::npos);
    CHECK(first_of("a: \xff").find("UTF-8") != std::string::npos);
}

TEST_CASE("quotes and brackets may go on over lines that are indented deeper, and no others",
          "[schema]") {
    const auto open = [](std::string_view text) {
        const auto found = schema::find_unclosed(text);
        return found ? std::optional{found->offset} : std::nullopt;
    };
    using At = std::optional<std::size_t>;
    for (const std::string_view sound :
         {"a: \"b\n  c\"\nd: e\n", "{ a: b,\nc: 'd' }\n", "\"a\nb\"\n", "a: 'it''s'\n",
          "a: \"\\\"\"\n", "a: cart.x == \"b\n", "a: it's\n", "# it's\na: b # it's\n",
          "a: |\n  it's [\nb: c\n", "a:\n  - >-\n    \"\n  - b\n", "a: [\n  b,\n]\nc: d\n",
          "a: { b: c[0].d }\n", "a: { b: \"}\", c: [d,\n  e] }\n", "a: [ # it's ]\n  b ]\n",
          "'a b': \"c\"\n", "- 'a'\n- \"b\"\n", "a: \"b\n\n  c\"\n", ""}) {
        INFO(sound);
        CHECK(open(sound) == std::nullopt);
    }
    CHECK(open("a: \"b\nc: \"d\"\n") == At{3});
    CHECK(open("- a: \"b &&\n  c\"\n") == std::nullopt);
    CHECK(open("- a: 'b\n  c: 'd'\n") == At{5});
    CHECK(open("a:\n  - 'b\n  - 'c'\n") == At{7});
    CHECK(open("a: [b, \"c\"\nd: e\n") == At{3});
    CHECK(open("a: { b: [c }\nd: [e]\n") == At{8});
    CHECK(open("a: { b: \"c }\nd: e\n") == At{8});
    CHECK(open("a: 'b") == At{3});
}
