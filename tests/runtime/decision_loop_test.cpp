// Decisions, their rewards, what is learned of them, and how they are judged: through the whole
// service.

#include "journeys/time.hpp"
#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/decision_log.hpp"
#include "runtime/decision_report.hpp"
#include "runtime/fitting/evaluation.hpp"
#include "runtime/reward_learning.hpp"
#include "schema/reward_json.hpp"
#include "tests/runtime/service_fixture.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// Every decision settles a moment after its reward may have come: by then a checkpoint has written
/// it, on a crowded machine, too.
constexpr auto quick = R"(
storage: { data_dir: data, checkpoint: 1s }
limits: { max_lateness: 5s }
models: { learn_every: never }
)";

constexpr auto actions_text = R"(
reward: Order Completed
within: 5s
actions:
  - { id: gift, surface: cart-page, value: 20, prior: { rate: 0.5, weight: 1 } }
  - { id: note, surface: cart-page, value: 19, prior: { rate: 0.5, weight: 1 } }
)";

constexpr auto journey_text = R"(
id: offering
status: live
enter: { on: Product Added, reentry: always }
steps:
  - name: offer
    decide: { actions: [gift, note], policy: explore }
)";

std::string track(const std::string& who, const std::string& event, const std::string& id,
                  const std::string& properties = "{}") {
    return R"({"type":"track","event":")" + event + R"(","userId":")" + who + R"(","messageId":")" +
           id + R"(","properties":)" + properties + "}";
}

/// A service whose configuration is `quick` in place of the fixture's storage.
class Loop : public ServiceFolder {
public:
    Loop() {
        write("sojourn.yaml", std::string{R"(
listen: { port: 0 }
journeys: journeys
keys: [{ name: web, key: test-key, scopes: [ingest, decide, admin] },
       { name: shop, key: shop-key, scopes: [ingest] }]
topics: [cart]
channels:
  email: { type: sandbox, address: email, opt_in: false }
)"} + quick);
        write("templates/gift.mustache", "---\nsubject: A gift\n---\n<p>Hello</p>\n");
        write("actions.yaml", actions_text);
    }

    json decide(const std::string& who, const std::string& more = {}) {
        const auto [status, body] = post("/v1/decide", "{\"customer\":\"" + who + '"' + more + "}");
        INFO(body);
        REQUIRE(status == 200);
        return json::parse(body);
    }
    std::string conninfo() { return must(open_database(config())).conninfo; }
    /// Learns until so many decisions have settled.
    journeys::models::LearnedRewards learn_until(std::uint64_t decisions) {
        Archive archive{conninfo()};
        std::uint64_t known = 0;
        for (int i = 0; i < 300; ++i) {
            service().learn();
            const auto text = newest_rewards(must(archive.publications()));
            if (text) {
                auto learned = must(schema::parse_rewards(*text));
                known = 0;
                for (const auto& [key, evidence] : learned.evidence) known += evidence.decisions();
                if (known >= decisions) return learned;
            }
            std::this_thread::sleep_for(100ms);
        }
        FAIL("only " << known << " decisions were learned of");
        return {};
    }
    /// Waits until the timeline of `who` holds `part`.
    std::string wait_for_timeline(const std::string& who, const std::string& part) {
        std::string text;
        for (int i = 0; i < 1000; ++i) {
            text = ask("GET", "/v1/customers/" + who + "/timeline");
            if (text.find(part) != std::string::npos) return text;
            std::this_thread::sleep_for(10ms);
        }
        FAIL("no " << part << " in " << text);
        return text;
    }
};

} // namespace

TEST_CASE("decisions are rewarded, learned from, published, kept over a restart, and judged",
          "[.postgres]") {
    Loop loop;
    loop.start();
    constexpr int people = 40;
    const auto name = [](int i) { return "p" + std::to_string(i); };
    std::vector<std::string> seen;
    for (int i = 0; i < people; ++i)
        seen.push_back(track(name(i), "Product Viewed", "v" + name(i)));
    loop.send(seen);
    // Both actions get their chance, and only notes are followed by an order; twice told of.
    int notes = 0;
    for (int i = 0; i < people; ++i) {
        loop.wait_for_customer(name(i), "\"stage\"");
        const auto answer = loop.decide(name(i), R"(,"surface":"cart-page","policy":"explore")");
        CHECK(answer["learned"].is_null());
        if (answer["action"] != "note") continue;
        ++notes;
        const auto order = R"({"order_id":"o)" + name(i) + R"(","total":12.5,"currency":"EUR"})";
        for (const std::string id : {"a", "b"})
            REQUIRE(loop.post("/v1/track", track(name(i), "Order Completed", id + name(i), order))
                        .first == 200);
    }
    REQUIRE(notes > 5);
    REQUIRE(notes < people - 5);
    loop.learn_until(people);
    const auto after = loop.decide("p0", R"(,"surface":"cart-page")");
    CHECK(after["action"] == "note");
    REQUIRE(after["learned"].is_string());
    CHECK(after["scores"]["note"]["reward"] > 0.9);
    CHECK(after["scores"]["gift"]["reward"] < 0.1);

    // Nothing new, nothing published.
    loop.service().learn();
    CHECK(loop.decide("p1", R"(,"surface":"cart-page")")["learned"] == after["learned"]);
    loop.service().reload(); // The files have not changed, and what was learned stays.
    CHECK(loop.decide("p1", R"(,"surface":"cart-page")")["learned"] == after["learned"]);
    loop.stop();

    loop.start();
    CHECK(loop.decide("p2", R"(,"surface":"cart-page")")["learned"] == after["learned"]);
    // The four since then, and none of the others again.
    const auto learned = loop.learn_until(people + 4);
    const auto conninfo = loop.conninfo();
    const auto& of_note = learned.evidence.at({"note", "Order Completed"});
    const auto& of_gift = learned.evidence.at({"gift", "Order Completed"});
    CHECK(of_note.decisions() == static_cast<std::uint64_t>(notes) + 4);
    CHECK(of_note.rewards() == notes);
    CHECK(of_gift.decisions() == static_cast<std::uint64_t>(people - notes));
    CHECK(of_gift.rewards() == 0);
    // The same from the whole log at once.
    const auto at_once = must(learn_rewards(conninfo, std::nullopt, learned.settled_until));
    REQUIRE(at_once);
    CHECK(must(schema::parse_rewards(at_once->text)).evidence == learned.evidence);

    std::ostringstream csv;
    const auto written = must(write_decisions(
        conninfo, learned.settled_until, [&](const std::string& line) { csv << line << '\n'; }));
    CHECK(written.written == people + 4);
    CHECK(written.held_out == 0);
    std::istringstream in{csv.str()};
    const auto table = must(fitting::read_table(in, "decisions.csv"));
    fitting::EvaluationQuestion question;
    question.policy = "always:note";
    question.effective_samples_min = 10;
    const auto judged = must(fitting::evaluate(table, question));
    CHECK(judged.policy.is_enough);
    // All but the last four were explored, and those were notes without an order.
    CHECK(judged.policy.snips.value > .7);
    question.policy = "always:gift";
    CHECK(must(fitting::evaluate(table, question)).policy.snips.value < .05);
    question.policy = "always:note";
    question.effective_samples_min = 1000;
    CHECK_FALSE(must(fitting::evaluate(table, question)).policy.is_enough);
    loop.stop();
}

TEST_CASE("what was learned of an order that is undone later is taken back, once", "[.postgres]") {
    Loop loop;
    loop.start();
    std::vector<std::string> seen;
    constexpr int people = 6;
    const auto name = [](int i) { return "p" + std::to_string(i); };
    for (int i = 0; i < people; ++i)
        seen.push_back(track(name(i), "Product Viewed", "v" + name(i)));
    loop.send(seen);
    const auto send = [&](int i, const std::string& event, const std::string& id) {
        REQUIRE(loop.post("/v1/track", track(name(i), event, id + name(i),
                                             R"({"order_id":"o)" + name(i) +
                                                 R"(","total":12.5,"currency":"EUR"})"))
                    .first == 200);
    };
    for (int i = 0; i < people; ++i) {
        loop.wait_for_customer(name(i), "\"stage\"");
        REQUIRE(loop.decide(name(i), R"(,"actions":["note"])")["action"] == "note");
        send(i, "Order Completed", "a");
    }
    send(0, "Order Cancelled", "early"); // Before it settles: never counted.
    loop.wait_for_timeline(name(0), "\"kind\":\"take_back\"");
    const journeys::models::RewardKey note{"note", "Order Completed"};
    auto learned = loop.learn_until(people);
    CHECK(learned.evidence.at(note).decisions() == people);
    CHECK(learned.evidence.at(note).rewards() == people - 1);

    // Two are undone behind that, one of them over and over.
    for (const auto* id : {"b", "c", "d"}) send(1, "Order Cancelled", id);
    send(2, "Order Refunded", "e");
    loop.wait_for_timeline(name(1), "\"kind\":\"take_back\"");
    loop.wait_for_timeline(name(2), "\"kind\":\"take_back\"");
    const auto learn_rewards_until = [&](double rewards) {
        Archive archive{loop.conninfo()};
        journeys::models::LearnedRewards now;
        for (int i = 0; i < 300; ++i) {
            loop.service().learn();
            now = must(schema::parse_rewards(*newest_rewards(must(archive.publications()))));
            if (now.evidence.at(note).rewards() <= rewards) break;
            std::this_thread::sleep_for(100ms);
        }
        return now;
    };
    learned = learn_rewards_until(people - 3);
    CHECK(learned.evidence.at(note).decisions() == people);
    CHECK(learned.evidence.at(note).rewards() == people - 3);
    CHECK(loop.decide("p3", R"(,"actions":["note"])")["scores"]["note"]["reward"] ==
          Approx((people - 3 + .5) / (people + 1)).margin(.02));
    loop.stop();
    loop.start();
    std::this_thread::sleep_for(3s); // Whatever might be taken back once more would be by now.
    loop.service().learn();
    const auto text = newest_rewards(must(Archive{loop.conninfo()}.publications()));
    CHECK(must(schema::parse_rewards(*text)).evidence.at(note).rewards() == people - 3);
    // From the whole log at once it is the same.
    const auto at_once = must(learn_rewards(loop.conninfo(), std::nullopt, learned.settled_until));
    REQUIRE(at_once);
    CHECK(must(schema::parse_rewards(at_once->text)).evidence.at(note) ==
          learned.evidence.at(note));

    // For judging other policies the three are no successes either.
    int successes = 0;
    must(write_decisions(loop.conninfo(), learned.settled_until, [&](const std::string& line) {
        if (line.find(",1,12.5,") != std::string::npos) ++successes;
    }));
    CHECK(successes == people - 3);

    // The report says it by action, for the shop's own questions.
    const auto report = json::parse(loop.ask("GET", "/admin/report?json=1"));
    const auto& lines = report.at(0).at("actions");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["action"] == "note");
    CHECK(lines[0]["taken"] == people + 1);
    CHECK(lines[0]["rewarded"] == people - 3);
    CHECK(lines[0]["value"] == 12.5 * (people - 3));
    loop.stop();
}

TEST_CASE("a decision is exported and valued by its time, whether it was rewarded or not",
          "[.postgres]") {
    Loop loop;
    loop.write("actions.yaml", std::string{actions_text}.replace(
                                   std::string{actions_text}.find("within: 5s"), 10, "within: 1h"));
    loop.start();
    loop.send({track("ada", "Product Viewed", "v-1"), track("bob", "Product Viewed", "v-2")});
    for (const auto* who : {"ada", "bob"}) {
        loop.wait_for_customer(who, "\"stage\"");
        REQUIRE(loop.decide(who, R"(,"actions":["note"])")["action"] == "note");
    }
    loop.send({track("ada", "Order Completed", "o-1", R"({"order_id":"o","total":10})")});
    loop.wait_for_timeline("bob", "\"kind\":\"decide\"");
    loop.wait_for_timeline("ada", "\"kind\":\"reward\"");

    std::vector<journeys::Timestamp> ends;
    REQUIRE(read_decisions(loop.conninfo(), {}, journeys::timestamp_max,
                           [&](const LoggedDecision& one) { ends.push_back(one.until); })
                .has_value());
    REQUIRE(ends.size() == 2);
    const auto check = [&](journeys::Timestamp now, std::size_t written) {
        const auto counts = must(write_decisions(loop.conninfo(), now, [](const std::string&) {}));
        CHECK(counts.written == written);
        CHECK(counts.still_open == 2 - written);
        const auto report = must(report_decisions(loop.conninfo(), "", now));
        REQUIRE(report.size() == 1);
        REQUIRE(report[0].actions.size() == 1);
        const auto& line = report[0].actions[0];
        CHECK(line.taken == 2);
        CHECK(line.settled.people == static_cast<std::int64_t>(written));
        CHECK(line.settled.reached == (written > 0 ? 1 : 0));
        CHECK(line.value == (written > 0 ? 10 : 0));
    };
    check(ends[0] - 1ms, 0); // Of ada's, which was asked for first, the reward has come.
    check(ends[0], 1);
    check(ends[1], 2);
    loop.stop();
}

TEST_CASE("a report has a line for each action, and what deciding brought", "[.postgres]") {
    Loop loop;
    loop.write("journeys/offering.yaml",
               std::string{journey_text}.replace(std::string{journey_text}.find("status"), 0,
                                                 "holdout: 40%\n"));
    loop.start();
    constexpr int people = 40;
    std::vector<std::string> events;
    for (int i = 0; i < people; ++i)
        events.push_back(track("p" + std::to_string(i), "Product Added", "m" + std::to_string(i),
                               R"({"cart_id":"c","product_id":"p","price":30,"quantity":1})"));
    loop.send(events);
    std::map<std::string, int> taken;
    for (int i = 0; i < people; ++i) {
        const auto who = "p" + std::to_string(i);
        const auto timeline = json::parse(loop.wait_for_timeline(who, "\"kind\":\"decide\""));
        for (const auto& line : timeline["timeline"])
            if (line["kind"] == "decide") ++taken[line["reason"].get<std::string>()];
        // Who got a note orders; of those held out nobody.
        if (timeline.dump().find("\"reason\":\"note\"") != std::string::npos)
            loop.post("/v1/track", track(who, "Order Completed", "o" + who,
                                         R"({"order_id":"o)" + who + R"(","total":10})"));
    }
    REQUIRE(taken["note"] > 0);
    REQUIRE(taken["held out"] > 0);
    json report;
    for (int i = 0; i < 200; ++i) { // Until the time of all of them is over.
        report = json::parse(loop.ask("GET", "/admin/report/offering?json=1"));
        const auto& decisions = report["decisions"];
        if (decisions.size() == 1 && decisions[0]["held_out"]["customers"] == taken["held out"] &&
            decisions[0]["decided"]["customers"] == people - taken["held out"] &&
            decisions[0]["decided"]["rewarded"] == taken["note"])
            break;
        std::this_thread::sleep_for(100ms);
    }
    INFO(report.dump());
    const auto& decisions = report["decisions"][0];
    CHECK(decisions["place"] == "offer");
    CHECK(decisions["explored"] == true);
    CHECK(decisions["held_out"]["rewarded"] == 0);
    CHECK(decisions["decided"]["rewarded"] == taken["note"]);
    for (const auto& line : decisions["actions"]) {
        const auto action = line["action"].get<std::string>();
        CHECK(line["taken"] == taken[action]);
        CHECK(line["settled"] == taken[action]);
        CHECK(line["rewarded"] == (action == "note" ? taken["note"] : 0));
        CHECK(line["value"] == (action == "note" ? 10.0 * taken["note"] : 0.0));
        CHECK(line["rate"] == (action == "note" ? 1.0 : 0.0));
        CHECK(line["effective"] <= line["settled"].get<double>() + 1e-9);
    }
    const auto& lift = decisions["lift"];
    CHECK(lift["difference"] ==
          Approx(static_cast<double>(taken["note"]) / (people - taken["held out"])));
    CHECK(lift["low"] <= lift["difference"]);
    const auto text = loop.ask("GET", "/admin/report/offering");
    CHECK(text.find("decided at offer") != std::string::npos);
    CHECK(text.find("  note ") != std::string::npos);
    CHECK(text.find("by its chances") != std::string::npos);
    const auto metrics = loop.ask("GET", "/metrics");
    CHECK(metrics.find("sojourn_decisions_total{action=\"note\",journey=\"offering\"} " +
                       std::to_string(taken["note"])) != std::string::npos);
    CHECK(metrics.find("sojourn_decision_rewards_total{action=\"note\",result=\"rewarded\"} " +
                       std::to_string(taken["note"])) != std::string::npos);
    loop.stop();
}

TEST_CASE("a journey's decision stands on the timeline and in the export, with its reasons",
          "[.postgres]") {
    Loop loop;
    loop.write("journeys/offering.yaml", journey_text);
    loop.start();
    loop.send(
        {track("ada", "Product Added", "m-1",
               R"({"cart_id":"c","product_id":"p","price":30,"quantity":1,"currency":"EUR"})"),
         R"({"type":"identify","userId":"ada","traits":{"email":"ada@example.com"}})"});
    const auto timeline = loop.wait_for_timeline("ada", "\"kind\":\"decide\"");
    const auto entries = json::parse(timeline)["timeline"];
    const auto decided = *std::find_if(entries.begin(), entries.end(),
                                       [](const json& each) { return each["kind"] == "decide"; });
    CHECK(decided["journey"] == "offering");
    CHECK(decided["step"] == "offer");
    CHECK(decided["decision"].get<std::string>().size() == 32);
    CHECK(decided["data"]["propensity"] > 0);
    CHECK(decided["data"]["reasons"].back().get<std::string>().find("was drawn with a chance of") !=
          std::string::npos);
    loop.send({track("ada", "Order Completed", "m-2", R"({"order_id":"o","total":30})")});
    loop.wait_for_timeline("ada", "\"kind\":\"reward\"");
    const auto people_read = loop.ask("GET", "/admin/customers/ada/text?timeline=1");
    CHECK(people_read.find("decided   offering › offer") != std::string::npos);
    CHECK(people_read.find("rewarded") != std::string::npos);
    CHECK(people_read.find("by Order Completed") != std::string::npos);
    const auto exported = json::parse(loop.ask("GET", "/v1/customers/ada/export"));
    REQUIRE(exported["decisions"].size() == 2);
    CHECK(exported["decisions"][0]["kind"] == "decide");
    CHECK(exported["decisions"][0]["data"]["action"] == decided["data"]["action"]);
    CHECK(exported["decisions"][1]["kind"] == "reward");
    CHECK(exported["decisions"][0]["decision"] == exported["decisions"][1]["decision"]);
    loop.stop();
}

TEST_CASE("what the shop says of the moment is bounded and typed, and conditions see it",
          "[.postgres]") {
    Loop loop;
    loop.write("actions.yaml", R"(
actions:
  - { id: app, surface: cart-page, value: 20, when: context.device == 'app' && context.items > 2, prior: { rate: 0.5 } }
  - { id: note, surface: cart-page, value: 10, prior: { rate: 0.5 } }
)");
    loop.start();
    loop.send({track("ada", "Product Viewed", "m-1")});
    loop.wait_for_customer("ada", "\"stage\"");
    CHECK(loop.decide("ada")["action"] == "note");
    CHECK(loop.decide("ada", R"(,"context":{})")["action"] == "note");
    CHECK(loop.decide("ada", R"(,"context":{"device":"app","items":3})")["action"] == "app");
    CHECK(loop.decide("ada", R"(,"context":{"device":"app","items":2.5,"new":true})")["action"] ==
          "app");
    CHECK(loop.decide("ada", R"(,"context":{"device":"app","items":"many"})")["action"] == "note");
    loop.wait_for_timeline("ada", R"("context":{"device":"app","items":2.5,"new":true})");

    const auto refused = [&](const std::string& context) {
        const auto [status, body] =
            loop.post("/v1/decide", R"({"customer":"ada","context":)" + context + "}");
        CAPTURE(context, body);
        CHECK(status == 400);
    };
    const auto many = [](int count) {
        std::string text = "{";
        for (int i = 0; i < count; ++i)
            text += (i ? ",\"n" : "\"n") + std::to_string(i) + "\":" + std::to_string(i);
        return text + "}";
    };
    CHECK(loop.decide("ada", ",\"context\":" + many(32))["action"] == "note");
    refused(many(33));
    CHECK(loop.decide("ada", ",\"context\":{\"t\":\"" + std::string(256, 'x') + "\"}")["action"] ==
          "note");
    refused("{\"t\":\"" + std::string(257, 'x') + "\"}");
    refused("{\"" + std::string(65, 'n') + "\":1}");
    for (const auto* hostile :
         {"[]", "1", "null", R"({"a":[1]})", R"({"a":{"b":1}})", R"({"a":null})", R"({"":1})",
          R"({"1a":1})", R"({"a.b":1})", R"({"a":1e400})", R"({"a":18446744073709551615000})"}) {
        const auto [status, body] =
            loop.post("/v1/decide", std::string{R"({"customer":"ada","context":)"} + hostile + "}");
        CAPTURE(hostile, body);
        CHECK((status == 400 || std::string_view{hostile}.find("000}") != std::string_view::npos));
    }

    SECTION("and nobody decides, or says that it was decided, with a key for events") {
        RawClient client{loop.service().port()};
        const std::string body = R"({"customer":"ada"})";
        client.send("POST /v1/decide HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer shop-key\r\n"
                    "Content-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
        CHECK(client.read_answer().status == 403);
        const auto [status, text] =
            loop.post("/v1/track", track("ada", "Action Decided", "m-9",
                                         R"({"action":"note","discount":-100})"));
        CHECK(status == 400);
        CHECK(text.find("is made here and by nobody else") != std::string::npos);
    }
    loop.stop();
}

TEST_CASE("products are recommended from what others looked at, over a restart too",
          "[.postgres]") {
    Loop loop;
    loop.write("actions.yaml", "recommend: { when: product.id != 'secret' }\nactions: []\n");
    const auto config = loop.config();
    // Longer than a change waits to be written: what comes older than an idle session counts as
    // learned from before.
    std::ofstream{config, std::ios::app} << "sessions: { idle: 7s }\n";
    loop.start();
    const auto recommend = [&](const std::string& question) {
        const auto [status, body] = loop.post("/v1/recommend", question);
        INFO(question << " → " << status << ' ' << body);
        REQUIRE(status == 200);
        std::vector<std::string> ids;
        const auto answer = json::parse(body);
        for (const auto& one : answer["products"]) ids.push_back(one["product_id"]);
        return ids;
    };
    CHECK(recommend("{}").empty()); // Nobody has looked at anything.
    std::vector<std::string> seen;
    int number = 0;
    const auto view = [&](const std::string& who, const std::string& product) {
        seen.push_back(track(who, "Product Viewed", "v" + std::to_string(++number),
                             R"({"product_id":")" + product + "\"}"));
    };
    for (int i = 0; i < 6; ++i) {
        view("p" + std::to_string(i), "lamp");
        view("p" + std::to_string(i), "secret");
        view("p" + std::to_string(i), i < 4 ? "bulb" : "desk");
    }
    loop.send(seen);
    const std::vector<std::string> expected{"bulb", "desk", "lamp"};
    const auto wait_for = [&](const std::string& question) {
        std::vector<std::string> got;
        for (int i = 0; i < 300 && got != expected; ++i) {
            seen.clear(); // Somebody passes by, so that time goes on.
            view("passer", "lamp");
            view("ada", "lamp");
            loop.send(seen);
            got = recommend(question);
            std::this_thread::sleep_for(100ms);
        }
        return got;
    };
    CHECK(wait_for(R"({"customer":"ada","n":5})") == expected);
    CHECK(recommend(R"({"customer":"ada","n":1})").size() == 1);
    for (const auto* wrong :
         {"[]", "{\"n\":0}", "{\"n\":51}", "{\"n\":-1}", "{\"n\":1.5}", "{\"n\":\"5\"}",
          "{\"n\":1e99}", "{\"customer\":\"\"}", "{\"customer\":7}", "{\"x\":1}", "{"}) {
        CAPTURE(wrong);
        CHECK(loop.post("/v1/recommend", wrong).first == 400);
    }
    CHECK(loop.post("/v1/recommend", R"({"customer":"nobody"})").first == 404);
    RawClient client{loop.service().port()};
    client.send("POST /v1/recommend HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer shop-key\r\n"
                "Content-Length: 2\r\n\r\n{}");
    CHECK(client.read_answer().status == 403);
    loop.stop();
    loop.start();
    CHECK(wait_for(R"({"customer":"ada","n":5})") == expected);
    loop.stop();
}

} // namespace runtime::test
