// The marketer's commands, as they are typed, beside a running service.

#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

struct Ran {
    int code = -1;
    std::string text; ///< Both streams.
};

/// `sojourn …`, as it is.
Ran sojourn(const std::string& arguments) {
    const auto command = std::string{SOJOURN_BINARY} + ' ' + arguments + " 2>&1";
    Ran ran;
    auto* const out = ::popen(command.c_str(), "r");
    REQUIRE(out);
    char buffer[4096];
    while (const auto size = std::fread(buffer, 1, sizeof buffer, out))
        ran.text.append(buffer, size);
    const int status = ::pclose(out);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
}

/// `sojourn …` with the folder's configuration.
Ran sojourn(const ServiceFolder& folder, const std::string& arguments) {
    return sojourn(arguments + " --config '" + folder.config().string() + '\'');
}

bool has(const Ran& ran, std::string_view part) { return ran.text.find(part) != ran.text.npos; }

const std::string journey_text = R"(id: cart
status: live
on_publish: migrate
enter: { on: Product Added, when: cart.value >= 20, key: cart.id, reentry: always }
steps:
  - name: first-wait
    wait: { for: 45m }
  - name: touch
    send:
      channel: email
      template: cart
      topic: cart
      coupon: spring
      data:
        total: cart.value
        code: coupon.code
  - name: second-wait
    wait: { for: 20h }
  - name: call
    send: { channel: sms, template: call, topic: cart }
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
}

struct ToolsFolder : ServiceFolder {
    ToolsFolder() {
        write("journeys/cart.yaml", journey_text);
        write("journeys/browse.yaml", R"(id: browse
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - wait: { for: 1d }
)");
        write("templates/cart.mustache", "---\nsubject: Your cart\n---\nTotal {{total}}, {{code}}");
        write("templates/call.mustache", "Still there");
        write("coupons.yaml", "spring: {}\n");
        start();
    }
    void add(const std::string& who, int price) {
        send({R"([{"type":"identify","userId":")" + who + R"(","traits":{"email":")" + who +
              R"(@example.com"}},{"type":"track","event":"Product Added","userId":")" + who +
              R"(","properties":{"product_id":"p1","price":)" + std::to_string(price) +
              R"(,"quantity":1}}])"});
        wait_for_customer(who, "p1");
    }
    /// Until every customer is in a snapshot.
    std::string snapshots_hold(const std::string& arguments, std::string_view part) {
        Ran ran;
        for (int i = 0; i < 100; ++i) {
            ran = sojourn(*this, arguments);
            if (has(ran, part)) return ran.text;
            std::this_thread::sleep_for(200ms);
        }
        FAIL("no " << part << " in " << ran.text);
        return {};
    }
};

} // namespace

TEST_CASE("recorded events that cannot be read are named, and the command fails", "[.postgres]") {
    const ServiceFolder folder; // Not started: the tools need none.
    folder.write("journeys/cart.yaml", R"(id: cart
status: live
enter: { on: Product Added, when: cart.value >= 20, key: cart.id, reentry: always }
steps:
  - wait: { for: 45m }
)");
    const std::string good =
        R"({"type":"track","userId":"ada","event":"Product Added","timestamp":"2026-03-02T10:00:00Z",)"
        R"("properties":{"product_id":"p1","price":30,"quantity":1}})"
        "\n";
    const auto file = [&](const std::string& name) {
        return " '" + (folder.path() / name).string() + "'";
    };
    folder.write("good.jsonl", good);
    folder.write("mixed.jsonl", good + R"({"type":"track","userId":"ada","event":"Product Added",)"
                                       R"("timestamp":"gestern"})"
                                       "\n");
    folder.write(
        "log.jsonl",
        R"({"offset":1,"accepted_at":"2026-03-02T10:00:00.000Z","customer":"user:ada",)"
        R"("kind":"event","received_at":"2026-03-02T10:00:00.000Z","key":"0000000000000001",)"
        R"("message":)" +
            good.substr(0, good.size() - 1) + "}\n");
    const auto simulated = [&](const std::string& rest) {
        return sojourn(folder, "simulate --journeys" + file("journeys") + " --events" + rest);
    };
    for (const auto* summary : {"", " --summary"}) {
        CAPTURE(summary);
        CHECK(simulated(file("good.jsonl") + summary).code == 0);
        const auto mixed = simulated(file("mixed.jsonl") + summary);
        CHECK(mixed.code == 1);
        CHECK(has(mixed, "mixed.jsonl:2: its timestamp is no time"));
        CHECK_FALSE(has(mixed, "1970"));
    }
    const auto against = [&](const std::string& rest) {
        return sojourn(folder, "check --against" + rest);
    };
    const auto good_counts = against(file("good.jsonl"));
    INFO(good_counts.text);
    CHECK(good_counts.code == 0);
    CHECK(has(good_counts, "         1          1          0  "));
    const auto wrong = against(file("log.jsonl"));
    CHECK(wrong.code == 1);
    CHECK(has(wrong, "log.jsonl:1: a line of a service's log, which is read with --log"));
    const auto logged = against(file("log.jsonl") + " --log");
    INFO(logged.text);
    CHECK(logged.code == 0);
    CHECK(has(logged, "         1          1          0  "));
    const auto programs = against(file("mixed.jsonl") + " --json");
    CHECK(programs.code == 1);
    CHECK(has(programs, R"({"events":1,"refused":1,"expressions":[)"));
    std::istringstream lines{good_counts.text};
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 110);
}

TEST_CASE("a folder in the place of a file is named", "[.postgres]") {
    const ServiceFolder folder; // Not started.
    const auto place = (folder.path() / "journeys").string();
    const auto told = place + ": cannot be read: Is a directory";
    for (const auto& arguments :
         {"serve --config '" + place + '\'', "check --config '" + place + '\'',
          "simulate --journeys '" + place + "' --events '" + place + '\''}) {
        const auto ran = sojourn(arguments);
        INFO(ran.text);
        CHECK(ran.code == 3);
        CHECK(has(ran, told));
    }
    // Nor is it taken for a file that is not there.
    std::filesystem::create_directories(folder.path() / "events.yaml");
    const auto ran = sojourn(folder, "check");
    CHECK(ran.code == 3);
    CHECK(has(ran, "events.yaml: cannot be read: Is a directory"));
}

TEST_CASE("a line that is no JSON costs itself, and not the frame it is in", "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto sent = [&](const std::string& text) {
        folder.write("events.jsonl", text);
        return sojourn("send '" + (folder.path() / "events.jsonl").string() +
                       "' --write-key test-key --url ws://127.0.0.1:" +
                       std::to_string(folder.service().port()) + "/v1/stream");
    };
    const auto line = [](int number) {
        return R"({"type":"track","event":"Seen","userId":"ada","messageId":"m)" +
               std::to_string(number) + "\"}\n";
    };
    std::string hundred = "\xEF\xBB\xBF";
    for (int i = 1; i <= 100; ++i) hundred += i == 51 ? "{\"type\":\"track\"\n" : line(i);
    const auto with_one = sent(hundred);
    INFO(with_one.text);
    CHECK(with_one.code == 1);
    CHECK(has(with_one, "events.jsonl:51: not a JSON object\n"));
    CHECK(has(with_one, "sent 99  accepted 99  rejected 1  frames 1 "));

    std::string lines = "\n";
    for (int i = 0; i < 25; ++i) lines += "[1]\n";
    const auto with_many = sent(lines + line(101));
    INFO(with_many.text);
    CHECK(with_many.code == 1);
    CHECK(has(with_many, "events.jsonl:2: not a JSON object\n"));
    CHECK(has(with_many, "events.jsonl:21: not a JSON object\n… and 5 more\n"));
    CHECK(has(with_many, "sent 1  accepted 1  rejected 25  frames 1 "));

    CHECK(sent(line(102)).code == 0);
    folder.stop();
}

TEST_CASE("a frame is no larger than the service takes, however many messages it may have",
          "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto sent = [&](const std::string& text, const std::string& more) {
        folder.write("events.jsonl", text);
        return sojourn("send '" + (folder.path() / "events.jsonl").string() +
                       "' --write-key test-key --frame 2500 --url ws://127.0.0.1:" +
                       std::to_string(folder.service().port()) + "/v1/stream" + more);
    };
    const auto line = [](const std::string& id, std::size_t size) {
        auto text = R"({"type":"track","event":"Seen","userId":"ada","messageId":")" + id +
                    R"(","properties":{"note":")";
        const std::string end = "\"}}";
        text.append(size - text.size() - end.size(), 'x');
        return text + end + '\n';
    };
    // 512,000 bytes are taken: 16 such messages, with their brackets and commas.
    std::string many;
    for (int i = 0; i < 40; ++i) many += line("a" + std::to_string(i), 31'000);
    const auto in_three = sent(many, "");
    INFO(in_three.text);
    CHECK(in_three.code == 0);
    CHECK(has(in_three, "sent 40  accepted 40  rejected 0  frames 3 "));

    // Both sides of the limit: "[", two messages, ",", "]".
    const auto pair = line("b1", 2'000) + line("b2", 2'000);
    CHECK(has(sent(pair, " --frame-bytes 4003"), "frames 1 "));
    const auto again = line("b3", 2'000) + line("b4", 2'000);
    CHECK(has(sent(again, " --frame-bytes 4002"), "frames 2 "));

    const auto too_long = sent(line("c1", 513'000) + line("c2", 1'000), "");
    INFO(too_long.text);
    CHECK(too_long.code == 1);
    CHECK(has(too_long, "events.jsonl:1: longer than a frame may be\n"));
    CHECK(has(too_long, "sent 1  accepted 1  rejected 1  frames 1 "));
    folder.stop();
}

TEST_CASE("a command that is none is named, with the one that was meant", "[.postgres]") {
    const auto near = sojourn("simulat --journeys x");
    CHECK(near.code == 2);
    CHECK(has(near, "sojourn: there is no command \"simulat\". Did you mean \"simulate\"?\n"));
    const auto far = sojourn("bogus");
    CHECK(far.code == 2);
    CHECK(has(far, "sojourn: there is no command \"bogus\". `sojourn --help` lists them.\n"));
}

TEST_CASE("a load is put on no database and calls no provider of a configuration", "[.postgres]") {
    const ServiceFolder folder; // Not started.
    const auto data = folder.path() / ".bench";
    std::filesystem::create_directory(data);
    const auto load = [&](const std::string& more) {
        folder.write("sojourn.yaml", more + "topics: [shop]\n");
        return sojourn("bench --only ack --all-journeys --rounds 1 --config '" +
                       folder.path().string() + "' --dir '" + data.string() + '\'');
    };
    const auto on_database = load("storage: { url: \"postgresql://sojourn@127.0.0.1:1/shop\" }\n");
    INFO(on_database.text);
    CHECK(on_database.code == 3);
    CHECK(has(on_database, "sojourn.yaml has a storage.url"));
    const auto on_provider =
        load("channels:\n  hook: { type: webhook, url: \"http://127.0.0.1:1/\", "
             "secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3 }\n");
    INFO(on_provider.text);
    CHECK(on_provider.code == 3);
    CHECK(has(on_provider, "channel hook is no sandbox"));
    CHECK(std::filesystem::is_empty(data));
}

TEST_CASE("simulate takes the journeys of a configuration", "[.postgres]") {
    const ServiceFolder folder;
    folder.write("events.jsonl",
                 R"({"type":"track","event":"Seen","userId":"ada","messageId":"m1",)"
                 R"("timestamp":"2026-03-02T10:00:00Z"})"
                 "\n");
    const auto events = " --events '" + (folder.path() / "events.jsonl").string() + "' --summary";
    const auto by_config = sojourn(folder, "simulate" + events);
    INFO(by_config.text);
    CHECK(by_config.code == 0);
    CHECK(has(by_config, "1 events of 1 customers"));
    const auto by_none = sojourn("simulate" + events);
    CHECK(by_none.code == 2);
    CHECK(has(by_none, "--journeys or --config"));
}

TEST_CASE("a limit that is none lets nobody in", "[.postgres]") {
    const ServiceFolder folder; // Not started: the command line is at fault already.
    for (const auto* limit : {"-1", "0", "1.5", "many", "1000000000001", "99999999999999999999"}) {
        CAPTURE(limit);
        const auto ran = sojourn(folder, std::string{"enter cart --limit "} + limit);
        CHECK(ran.code == 2);
        CHECK(has(ran, "--limit"));
    }
    for (const auto* limit : {"1", "1000000000000"}) {
        CAPTURE(limit);
        CHECK(sojourn(folder, std::string{"enter cart --limit "} + limit).code == 3);
    }
}

TEST_CASE("a journey is tried on a customer's data, and nothing of it is kept", "[.postgres]") {
    ToolsFolder folder;
    folder.add("ada", 15);
    const auto before = folder.ask("GET", "/v1/customers/ada");
    const auto tried =
        sojourn(folder, "try cart --customer ada --to me@example.com --to +491701234567 --fast");
    INFO(tried.text);
    CHECK(tried.code == 0);
    CHECK(has(tried, "by itself it would not be entered now: when, line 4: cart.value >= 20"));
    CHECK(has(tried, "→ me@example.com: sandbox"));
    CHECK(has(tried, "subject  Your cart"));
    CHECK(has(tried, "Total 15, TRIAL-"));
    CHECK(has(tried, "→ +491701234567: sandbox"));
    CHECK(has(tried, "completed"));
    CHECK_FALSE(has(tried, "ada@example.com"));
    CHECK(json::parse(folder.ask("GET", "/v1/customers/ada"))["runs"] ==
          json::parse(before)["runs"]);
    CHECK(folder.ask("GET", "/v1/customers/ada/timeline").find("\"kind\":\"send\"") ==
          std::string::npos);
    // The draft of a journey whose file has just been written, without the service knowing of it.
    folder.write("journeys/draft.yaml",
                 replaced(journey_text, "id: cart\nstatus: live", "id: fresh\nstatus: draft"));
    CHECK(has(sojourn(folder, "try fresh --customer ada --to me@example.com --fast"),
              "no --to is an address of this channel"));
    CHECK(sojourn(folder, "try crat --customer ada --to me@example.com").code == 1);
    CHECK(has(sojourn(folder, "try cart --customer bob --to me@example.com"),
              "no such customer: bob"));
    folder.stop();
}

TEST_CASE("a trial sees the catalogue, and what the customer was interested in", "[.postgres]") {
    ToolsFolder folder;
    folder.write("templates/back.mustache", "---\nsubject: Back\n---\n{{name}}, {{left}} left");
    folder.write("journeys/back.yaml", R"(id: back
status: draft
enter:
  on: Product Back In Stock
  interested: { did: [Product Added], within: 30d }
  key: event.properties.product_id
  reentry: always
steps:
  - name: alert
    send:
      channel: email
      template: back
      topic: cart
      when: product(run.key).stock > 0
      data:
        name: run.event.properties.name
        left: product(run.key).stock
)");
    folder.stop(); // Interests are counted once some journey asks for them.
    folder.start();
    CHECK(folder
              .post("/v1/products", R"([{"product_id":"p1","name":"Lamp","stock":4},
                                          {"product_id":"p2","name":"Rug","stock":0}])")
              .first == 200);
    folder.add("ada", 15);
    folder.send({R"([{"type":"identify","userId":"bob","traits":{"email":"bob@example.com"}}])"});
    folder.wait_for_customer("bob", "bob@example.com");
    const auto tried = [&](const std::string& who, const std::string& more) {
        return sojourn(folder, "try back --customer " + who + " --to me@example.com --fast" + more);
    };
    const auto of_interest = tried("ada", "");
    INFO(of_interest.text);
    CHECK(of_interest.code == 0);
    CHECK(has(of_interest, "opened by Product Back In Stock"));
    CHECK(has(of_interest, "Lamp, 4 left"));
    // A product that is named, whatever they looked at; and one that is sold out.
    const auto named = tried("bob", R"( --properties '{"product_id":"p1"}')");
    INFO(named.text);
    CHECK(has(named, "Lamp, 4 left"));
    CHECK(has(tried("ada", R"( --properties '{"product_id":"p2"}')"), "condition"));
    const auto nothing = tried("bob", "");
    INFO(nothing.text);
    CHECK(nothing.code == 1);
    CHECK(has(nothing, "nothing that this customer did lets them in"));
    folder.stop();
}

TEST_CASE("what a publication would do to open runs is told before it is made", "[.postgres]") {
    ToolsFolder folder;
    for (const auto* who : {"ada", "bob", "carl"}) folder.add(who, 30);
    folder.snapshots_hold("check --running", "running  3 open runs of 3 customers");
    CHECK(has(sojourn(folder, "check --running"), "same     the files are what runs"));

    folder.write("journeys/cart.yaml", replaced(journey_text, "for: 20h", "for: 30h"));
    folder.write("journeys/browse.yaml", "id: other\nstatus: live\n"
                                         "enter: { on: Product Viewed, reentry: always }\n"
                                         "steps:\n  - wait: { for: 2d }\n");
    folder.write("templates/cart.mustache", "---\nsubject: x\n---\nNew {{total}}");
    auto told = sojourn(folder, "check --running");
    INFO(told.text);
    CHECK(told.code == 0);
    CHECK(has(told, "changed  cart"));
    CHECK(has(told, "3 runs move to the new version: first-wait 3"));
    CHECK(has(told, "gone     browse\n           no open runs"));
    CHECK(has(told, "new      other\n           nobody is in it yet"));
    CHECK(has(told, "others   template cart"));

    folder.write("journeys/cart.yaml", replaced(journey_text, "name: first-wait", "name: renamed"));
    told = sojourn(folder, "check --running --json");
    const auto json = json::parse(told.text.substr(told.text.find("{\"runs")));
    CHECK(json["changes"][1]["journey"] == "cart");
    CHECK(json["changes"][1]["stays"] == json::parse(R"({"first-wait":3})"));

    folder.write("journeys/cart.yaml",
                 replaced(journey_text, "on_publish: migrate", "on_publish: exit"));
    CHECK(has(sojourn(folder, "check --running"), "3 runs end: superseded 3"));
    // And so it is.
    folder.service().reload();
    folder.wait_for_customer("ada/timeline", "superseded");
    folder.write("journeys/cart.yaml", "id: cart\n");
    CHECK(sojourn(folder, "check --running").code == 1);
    folder.stop();
}

TEST_CASE("codes are imported and looked at by command, with a service and without",
          "[.postgres]") {
    ToolsFolder folder;
    folder.write("more.csv", "code;expires\nA;\n\"B\";2999-12-31\nC D;\nA;\n");
    auto ran =
        sojourn(folder, "import coupons spring '" + (folder.path() / "more.csv").string() + "'");
    INFO(ran.text);
    CHECK(ran.code == 1); // One line is refused, and told.
    CHECK(has(ran, "more.csv:4: code is missing, holds a space"));
    CHECK(has(ran, "new 2  known 1  rejected 1"));
    CHECK(has(sojourn(folder, "coupons"), "spring                           2         0"));
    folder.stop();
    folder.write("even-more.csv", "code\nE\n");
    ran = sojourn(folder,
                  "import coupons spring '" + (folder.path() / "even-more.csv").string() + "'");
    INFO(ran.text);
    CHECK(ran.code == 0);
    const auto json = json::parse(sojourn(folder, "coupons --json").text);
    CHECK(json["pools"][0]["left"] == 3);
    CHECK(sojourn(folder, "import coupons sprng '" + (folder.path() / "more.csv").string() + "'")
              .code == 1);
}

TEST_CASE("what goes to many is looked at by command, with a service and without", "[.postgres]") {
    ToolsFolder folder;
    CHECK(has(sojourn(folder, "walks"), "no audience was let in yet"));
    folder.stop();
    CHECK(has(sojourn(folder, "walks"), "no audience was let in yet"));
    CHECK(json::parse(sojourn(folder, "walks --json").text)["walks"].empty());
}

} // namespace runtime::test
