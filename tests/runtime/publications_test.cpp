#include "runtime/publications.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace runtime;

namespace {

/// With a configuration of one channel; the mistakes, a line each.
std::vector<std::string> told(Files files, const CompileOptions& options = {}) {
    files.config_name = "sojourn.yaml";
    files.config = "topics: [cart]\nchannels: { email: { type: sandbox } }\n";
    std::vector<std::string> lines;
    for (const auto& mistake : compile(files, options).mistakes)
        lines.push_back(schema::to_text(mistake));
    return lines;
}

std::string journey(const std::string& id, const std::string& when) {
    return "id: " + id + "\nstatus: live\nenter:\n  on: Product Viewed\n  when: " + when +
           "\n  reentry: never\nsteps:\n  - wait: { for: 1h }\n";
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("a publication that was let go of is found no more, but for the newest") {
    Publications publications{"."};
    const auto publish = [&](const char* event) {
        Files files;
        files.journeys["j.yaml"] = std::string{"id: j\nenter: { on: "} + event +
                                   ", reentry: never }\nsteps:\n  - wait: { for: 1h }\n";
        return publications.add(files).catalog;
    };
    const auto before = publish("Product Viewed"), after = publish("Product Added");
    REQUIRE(before);
    REQUIRE(after);
    publications.forget({before->publication(), after->publication()});
    CHECK_FALSE(publications.find(before->publication()));
    CHECK(publications.find(after->publication()) == after);
}

TEST_CASE("a journey that an expression names is one of the files, or it is a mistake") {
    Files files;
    files.journeys["a.yaml"] = journey("cart", "running(\"browse\")");
    files.journeys["b.yaml"] = journey("browse", "running(\"cartt\")");
    const Lines wrong{"b.yaml:5:9: no journey \"cartt\". Did you mean \"cart\"? Journeys: browse, "
                      "cart"};
    CHECK(told(files) == wrong);
    // Others than the configuration's own may name these.
    files.journeys_beside = {"cartt"};
    CHECK(told(files).empty());
    files.journeys_beside.clear();
    // What was published once goes on; it is only warned of.
    const auto again = told(files, {.was_taken = true});
    REQUIRE(again.size() == 1);
    CHECK(again[0].starts_with("b.yaml:5:9: warning: no journey"));
}

TEST_CASE("the mistakes of a file are not laid on those who name what it holds") {
    Files files;
    files.journeys["j.yaml"] =
        journey("j", "audience(\"germans\") && lookup(\"perks\", \"p\").perk == 1");
    files.audiences = {"audiences.yaml", "germans: customer.country = \"DE\"\n"};
    files.tables["perks.csv"] = "id,perk:itn\n";
    const auto lines = told(files);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].starts_with("perks.csv:1:4: no type \"itn\""));
    CHECK(lines[1].starts_with("audiences.yaml:1:27: \"=\" compares nothing"));

    files.tables["perks.csv"] = "id,perk:int\np,1\n";
    files.audiences->text = "germans: !customer.known\n";
    CHECK(told(files) ==
          Lines{"audiences.yaml:1:10: YAML takes \"!customer.known\" for a tag; nothing would be "
                "left. Quote it: '!customer.known'"});
    files.audiences->text = "germans: \"customer.known\n";
    CHECK(told(files) == Lines{"audiences.yaml:1:10: this quote is never closed"});
    files.audiences->text = "french: customer.known\ngermans: audience(\"fench\")\n";
    CHECK(told(files) == Lines{"audiences.yaml:2:10: an audience cannot name another; write its "
                               "condition here"});
    // Sound files, wrong names.
    files.audiences->text = "french: customer.known\n";
    files.tables["perks.csv"] = "id,park:int\np,1\n";
    CHECK(told(files).size() == 2);
    files.audiences->text = "germans: customer.known\n";
    files.tables["perks.csv"] = "id,perk:int\np,1\n";
    CHECK(told(files).empty());

    files.journeys["j.yaml"] =
        journey("j", "vars.least > 1 && count(\"Wishlist Shared\", \"7d\") > 1");
    files.vars = {"vars.yaml", "least: \"1\nmost: 2\n"};
    files.events = {"events.yaml", "events: [\n"};
    CHECK(told(files) == Lines{"events.yaml:1:9: this bracket is never closed",
                               "vars.yaml:1:8: this quote is never closed"});
    // How a journey is called whose file cannot be read nobody knows.
    Files others;
    others.journeys["b.yaml"] = journey("browse", "running(\"cartt\")");
    others.journeys["c.yaml"] = "id: \"cartt\n";
    CHECK(told(others) == Lines{"c.yaml:1:5: this quote is never closed"});
}

TEST_CASE("what no import of codes would take is a mistake where codes are looked at") {
    const auto folder = std::filesystem::temp_directory_path() / "sojourn-codes-test";
    std::filesystem::create_directories(folder);
    const auto write = [&](const std::string& text) {
        std::ofstream{folder / "codes.csv"} << text;
    };
    Files files;
    files.coupons = {"coupons.yaml", "spring: { file: codes.csv }\n"};
    const CompileOptions looking{.directory = folder, .read_codes = true};
    write("code,expires\nA,2030-12-31\n");
    CHECK(told(files, looking).empty());
    write("code,expires\nA B,2030-12-31\nB,31.12.2030\n");
    auto lines = told(files, looking);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].ends_with("codes.csv:2:1: code is missing, holds a space, or is longer than 128 "
                             "bytes"));
    CHECK(lines[1].ends_with("codes.csv:3:1: expires is a day (2026-12-31) or an ISO time"));
    CHECK(told(files, {.directory = folder}).empty()); // The service says it in its log.
    write("voucher\nA\n");
    lines = told(files, looking);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].ends_with("codes.csv:1:1: there is no column \"code\" in the header"));
    std::filesystem::remove_all(folder);
    lines = told(files, looking);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("coupons.yaml:1:17: warning: there is no file codes.csv"));
}

TEST_CASE("a name that a template misses is near a trait that some file reads") {
    Files files;
    files.templates["hello"] = "---\nsubject: x\n---\nHello {{first_name}}";
    files.journeys["a.yaml"] = journey("a", "customer.traits.firstName != null");
    files.journeys["b.yaml"] =
        journey("b", "cart.value > 1") +
        "  - name: mail\n    send: { channel: email, template: hello, topic: "
        "cart }\n";
    CHECK(told(files) == Lines{"b.yaml:10:39: template hello (line 4) uses first_name; this send "
                               "gives no data. Seen trait: firstName"});
    files.journeys.erase("a.yaml");
    CHECK(told(files) == Lines{"b.yaml:10:39: template hello (line 4) uses first_name; this send "
                               "gives no data"});
}
