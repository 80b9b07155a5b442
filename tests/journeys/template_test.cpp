#include "journeys/packed.hpp"
#include "journeys/template.hpp"

#include <catch2/catch.hpp>

using namespace journeys;

namespace {

std::shared_ptr<const Template> parsed(std::string_view text) {
    auto result = Template::parse(text);
    INFO((result ? std::string{} : result.error().detail));
    REQUIRE(result.has_value());
    return *result;
}

std::string mistake(std::string_view text) {
    const auto result = Template::parse(text);
    return result ? "" : result.error().detail;
}

/// {name, total, currency, timezone, empty, nothing, yes, no, items: [{sku, price}, {sku}]}
std::string cart() {
    PackedWriter w;
    const auto map = w.begin_map();
    w.key("name"), w.string("<Ada & \"Bo\">");
    w.key("total"), w.floating(1234.5);
    w.key("currency"), w.string("EUR");
    w.key("timezone"), w.string("Europe/Berlin");
    w.key("at"), w.string("2015-06-02T22:30:00.000Z");
    w.key("empty"), w.string("");
    w.key("nothing"), w.null();
    w.key("yes"), w.boolean(true);
    w.key("no"), w.boolean(false);
    w.key("count"), w.integer(0);
    w.key("items");
    const auto list = w.begin_list();
    auto item = w.begin_map();
    w.key("sku"), w.string("A");
    w.key("price"), w.floating(19.99);
    w.end_map(item, 2);
    item = w.begin_map();
    w.key("sku"), w.string("B");
    w.end_map(item, 1);
    w.end_list(list, 2);
    w.end_map(map, 11);
    return w.take();
}

std::string body(std::string_view text, std::string_view locale = "en") {
    const auto data = cart();
    const auto rendered = parsed(text)->render(PackedView{data}, locale);
    return rendered ? rendered->body : "failed: " + rendered.error().detail;
}

} // namespace

TEST_CASE("a template has a head and a body", "[template]") {
    const auto data = cart();
    const auto rendered =
        parsed(
            "---\nsubject: \"Hello {{name}}\"\npreheader: {{total}} so far\n---\n<p>{{name}}</p>\n")
            ->render(PackedView{data}, "en");
    REQUIRE(rendered.has_value());
    CHECK(rendered->subject == "Hello <Ada & \"Bo\">");
    CHECK(rendered->preheader == "1234.5 so far");
    CHECK(rendered->body == "<p>&lt;Ada &amp; &quot;Bo&quot;&gt;</p>\n");
    CHECK(body("no head") == "no head");
    CHECK(mistake("---\nsubject: a\n").find("not closed") != std::string::npos);
    CHECK(mistake("---\nsubjekt: a\n---\n").find("\"subjekt\"") != std::string::npos);
}

TEST_CASE("a value never begins another header", "[template]") {
    PackedWriter w;
    const auto map = w.begin_map();
    w.key("name"), w.string("Ada\r\nBcc: eve@example.com");
    w.end_map(map, 1);
    const auto rendered =
        parsed("---\nsubject: Hi {{name}}\n---\n")->render(PackedView{w.bytes()}, "en");
    REQUIRE(rendered.has_value());
    CHECK(rendered->subject == "Hi Ada  Bcc: eve@example.com");
}

TEST_CASE("values are escaped unless they are written with three braces", "[template]") {
    CHECK(body("{{name}}|{{{name}}}|{{&name}}") ==
          "&lt;Ada &amp; &quot;Bo&quot;&gt;|<Ada & \"Bo\">|<Ada & \"Bo\">");
}

TEST_CASE("sections ask for values and walk lists", "[template]") {
    CHECK(body("{{#items}}[{{sku}}]{{/items}}") == "[A][B]");
    CHECK(body("{{#items}}{{sku}}{{#price}}={{price}}{{/price}} {{/items}}") == "A=19.99 B ");
    CHECK(body("{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{^no}}not{{/no}}") == "ynot");
    CHECK(body("{{#empty}}e{{/empty}}{{^empty}}none{{/empty}}{{^nothing}}null{{/nothing}}") ==
          "nonenull");
    CHECK(body("{{yes}}{{no}}{{empty}}{{nothing}}{{count}}") == "true0");
}

TEST_CASE("a missing name ends the rendering", "[template]") {
    CHECK(body("{{first_name}}") == "failed: the data has no first_name");
    CHECK(body("{{#first_name}}x{{/first_name}}") == "failed: the data has no first_name");
    CHECK(body("{{^first_name}}x{{/first_name}}") == "failed: the data has no first_name");
    CHECK(body("{{#items}}{{price}}{{/items}}") == "failed: the data has no price");
    CHECK(body("{{items}}").find("failed") == 0);
    CHECK(body("<{{unsubscribe_url}}{{preferences_url}}>") == "<>");
    CHECK_FALSE(parsed("{{x}}")->render(PackedView{}, "en").has_value());
}

TEST_CASE("the names that a template reads are known without rendering it", "[template]") {
    const auto text =
        parsed("---\nsubject: {{subject_name}}\n---\n{{a.b}}{{#items}}{{sku}}{{/items}}"
               "{{^c}}{{d}}{{/c}}{{#money}}{{total}}{{/money}}{{unsubscribe_url}}{{! e }}");
    CHECK(text->names() == std::set<std::string>{"a", "c", "d", "items", "subject_name", "total"});
}

TEST_CASE("money and dates are written as the locale has them", "[template]") {
    const auto [locale, money, date] = GENERATE(table<std::string, std::string, std::string>({
        {"de", "1.234,50 EUR", "03.06.2015"},
        {"de-AT", "1.234,50 EUR", "03.06.2015"},
        {"de-CH", "1\u2019234.50 EUR", "03.06.2015"},
        {"en", "1,234.50 EUR", "June 3, 2015"},
        {"en-GB", "1,234.50 EUR", "3 June 2015"},
        {"fr_FR", "1\u202f234,50 EUR", "03/06/2015"},
        {"sv", "1\u00a0234,50 EUR", "2015-06-03"},
        {"", "1,234.50 EUR", "June 3, 2015"},
    }));
    CAPTURE(locale);
    CHECK(body("{{#money}}{{total}}{{/money}}", locale) == money);
    CHECK(body("{{#date}} {{at}} {{/date}}", locale) == date);
    CHECK(body("{{#money}}-0.005{{/money}}", "de") == "-0,01 EUR");
    CHECK(body("{{#money}}1000000{{/money}}", "de") == "1.000.000,00 EUR");
    CHECK(body("{{#money}}0.5{{/money}}", "en") == "0.50 EUR");
    CHECK(body("{{#date}}2015-06-02{{/date}}", "de") == "02.06.2015");
    CHECK(body("{{#money}}{{name}}{{/money}}").find("failed") == 0);
    CHECK(body("{{#date}}{{name}}{{/date}}").find("failed") == 0);
}

TEST_CASE("what is no template is refused, with its line", "[template]") {
    const auto [text, said] = GENERATE(table<std::string, std::string>({
        {"a\n{{x", "body, line 2: a tag is not closed"},
        {"{{#a}}", "{{#a}} is not closed"},
        {"{{/a}}", "closes nothing"},
        {"{{#a}}{{#b}}{{/a}}{{/b}}", "closes {{#b}}"},
        {"{{> other}}", "do not include"},
        {"{{=<% %>=}}", "delimiters stay"},
        {"{{}}", "no name"},
        {"{{a b}}", "no name"},
        {"{{?money}}", "no name"},
        {"{{{x}}", "not closed"},
        {"{{", "not closed"},
        {"{{#money}}{{#a}}{{/a}}{{/money}}", "only values"},
    }));
    CAPTURE(text);
    CHECK(mistake(text).find(said) != std::string::npos);
}

TEST_CASE("hostile templates cost little", "[template]") {
    std::string deep, up, down;
    for (int i = 0; i < 16; ++i) up += "{{#items}}", down += "{{/items}}";
    CHECK(mistake(up + "x" + down).empty());
    CHECK(mistake("{{#items}}" + up + "x" + down + "{{/items}}").find("deep") != std::string::npos);
    for (int i = 0; i < 20'000; ++i) deep += "{{#a}}";
    CHECK(mistake(deep).find("deep") != std::string::npos);
    CHECK(mistake(std::string(300 * 1024, 'x')).find("bytes") != std::string::npos);

    PackedWriter w;
    const auto map = w.begin_map();
    w.key("items");
    const auto list = w.begin_list();
    for (int i = 0; i < 100; ++i) w.integer(i);
    w.end_list(list, 100);
    w.end_map(map, 1);
    const auto rendered = parsed(up + down)->render(PackedView{w.bytes()}, "en"); // 100 to the 16th
    REQUIRE_FALSE(rendered.has_value());
    CHECK(rendered.error().detail.find("256 KiB") != std::string::npos);
}
