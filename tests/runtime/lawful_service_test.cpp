/// The whole service and what the law asks of it: consent, STOP, reports, the right to be
/// forgotten, the audit log, and logs that name nobody.
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"
#include "tests/runtime/postgres_fixture.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/fake_provider.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/signing_key.hpp"

#include "runtime/audit.hpp"
#include "runtime/base64.hpp"
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "runtime/retention.hpp"
#include "runtime/service.hpp"
#include "runtime/suppressions.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto mail = "ada.lovelace@example.com", phone = "+4915112345678",
               name_of_ada = "Ada Lovelace";

void write(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
}

class Shop {
public:
    Shop() {
        write(folder.path() / "sojourn.yaml", R"(
listen: { port: 0 }
storage: { data_dir: data, checkpoint: 1s }
journeys: journeys
public_url: https://shop.example
topics: [news, cart]
keys: [{ name: shop, key: test-key, scopes: [ingest, decide, admin] }]
channels:
  email: { type: sendgrid, key: SG.secret, from: shop@example.com, opt_in: false, double_opt_in: false,
           url: ")" + provider.url() + R"(", feedback_key: ")" +
                                                  key.public_text() +
                                                  R"(", templates: { hello: d-1 } }
  sms: { type: twilio, account_sid: AC1, auth_token: twilio-token, from: "+15005550006", opt_in: false,
         url: ")" + provider.url() + R"(" }
  post: { type: postmark, key: token, from: shop@example.com, address: email, double_opt_in: true,
          url: ")" + provider.url() + R"(" }
  app: { type: braze, key: k, feedback_key: currents, address: none, opt_in: false,
         url: ")" + provider.url() + R"(", templates: { hello: "campaign:c1" } }
)");
        write(folder.path() / "journeys" / "hello.yaml", R"(
id: hello
status: live
enter: { on: [Signed Up], reentry: always }
goal: { on: Order Completed, within: 5d }
steps:
  - name: touch
    send:
      channel: email
      template: hello
      topic: news
      data:
        first: customer.traits.firstName
)");
        write(folder.path() / "journeys" / "text.yaml", R"(
id: text
status: live
enter: { on: [Text Me], reentry: always }
steps:
  - name: touch
    send: { channel: sms, template: note, topic: news }
)");
        write(folder.path() / "journeys" / "confirm.yaml", R"(
id: confirm
status: live
enter: { on: [Consent Changed], when: event.properties.to == "pending", reentry: always }
steps:
  - name: ask
    send: { channel: post, template: confirm, topic: news, purpose: transactional }
)");
        write(folder.path() / "journeys" / "letter.yaml", R"(
id: letter
status: live
enter: { on: [Write Me], reentry: always }
steps:
  - name: touch
    send: { channel: post, template: letter, topic: news }
)");
        write(folder.path() / "journeys" / "app.yaml", R"(
id: app
status: live
enter: { on: [Tell Me], reentry: always }
steps:
  - name: touch
    send: { channel: app, template: hello, topic: news }
)");
        // A report says so where its message was found.
        write(folder.path() / "journeys" / "delivered.yaml", R"(
id: delivered
status: live
enter: { on: [Email Delivered], when: event.properties.journey_id == "app", reentry: always }
steps:
  - name: later
    wait: { for: 1d }
)");
        write(folder.path() / "events.yaml",
              "events:\n  Signed Up: {}\n  Text Me: {}\n  Write Me: {}\n  Tell Me: {}\n");
        write(folder.path() / "templates" / "confirm.mustache",
              "---\nsubject: Please confirm\n---\n<p><a href=\"{{confirm_url}}\">Yes</a></p>");
        write(folder.path() / "templates" / "letter.mustache",
              "---\nsubject: News\n---\n<p>News</p>");
        write(folder.path() / "templates" / "note.mustache", "Hello from the shop.");
        start();
    }

    void start() {
        std::vector<schema::Mistake> mistakes;
        auto started = Service::start({.config = folder.path() / "sojourn.yaml"}, mistakes);
        for (const auto& mistake : mistakes) UNSCOPED_INFO(schema::to_text(mistake));
        service = must(std::move(started));
    }

    RawClient::Answer ask(const std::string& method, const std::string& target,
                          const std::string& body = {}, const std::string& headers = {}) const {
        RawClient client{service->port()};
        client.send(method + ' ' + target +
                    " HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n" + headers +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read_answer();
    }
    RawClient::Answer admin(const std::string& method, const std::string& target,
                            const std::string& body = {}) const {
        return ask(method, target, body, "Authorization: Bearer test-key\r\n");
    }
    void message(json text) const {
        text["writeKey"] = "test-key";
        text["messageId"] = "m" + std::to_string(++messages);
        const auto path = "/v1/" + text["type"].get<std::string>();
        const auto answer = ask("POST", path, text.dump());
        INFO(answer.body);
        REQUIRE(answer.status == 200);
    }
    void identify() const {
        message({{"type", "identify"},
                 {"userId", "ada"},
                 {"traits", {{"email", mail}, {"phone", phone}, {"firstName", name_of_ada}}}});
    }
    void track(const std::string& event, const json& properties = json::object()) const {
        message(
            {{"type", "track"}, {"userId", "ada"}, {"event", event}, {"properties", properties}});
    }
    RawClient::Answer report(const std::string& body) const {
        return ask("POST", "/v1/feedback/email", body,
                   "X-Twilio-Email-Event-Webhook-Timestamp: 1600112502\r\n"
                   "X-Twilio-Email-Event-Webhook-Signature: " +
                       key.sign("1600112502" + body) + "\r\n");
    }
    RawClient::Answer stop(const std::string& word) const {
        const std::vector<std::pair<std::string, std::string>> fields{
            {"Body", word}, {"From", phone}, {"MessageSid", "SM" + word}};
        std::string text = "https://shop.example/v1/feedback/sms";
        for (const auto& [field, value] : fields) text += field + value;
        return ask("POST", "/v1/feedback/sms", to_form(fields),
                   "Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: " +
                       to_base64(hmac_sha1("twilio-token", text)) + "\r\n");
    }
    json customer() const { return json::parse(admin("GET", "/v1/customers/ada").body); }
    json timeline() const {
        return json::parse(admin("GET", "/v1/customers/ada/timeline").body)["timeline"];
    }
    /// Waits until `is_so` holds; false where it never does.
    static bool comes(const std::function<bool()>& is_so) {
        for (int i = 0; i < 300; ++i) {
            if (is_so()) return true;
            std::this_thread::sleep_for(50ms);
        }
        return false;
    }
    bool says(const std::string& kind, const std::string& reason) const {
        return comes([&] {
            for (const auto& line : timeline())
                if (line.value("kind", "") == kind &&
                    line.value("reason", "").find(reason) != std::string::npos)
                    return true;
            return false;
        });
    }

    TemporaryFolder folder;
    support::FakeProvider provider;
    support::SigningKey key;
    std::unique_ptr<Service> service;
    mutable int messages = 0;
};

std::string intent_in(const std::string& body) {
    return json::parse(body)["personalizations"][0]["custom_args"]["intent"];
}

} // namespace

TEST_CASE("a report becomes an event of the customer, once, and a bounce ends the address",
          "[.postgres]") {
    Shop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    const auto body = json::parse(shop.provider.bodies()[0]);
    CHECK(body["personalizations"][0]["to"][0]["email"] == mail);
    const auto unsubscribe =
        body["personalizations"][0]["dynamic_template_data"]["unsubscribe_url"].get<std::string>();
    CHECK(unsubscribe.starts_with("https://shop.example/u/"));
    const auto intent = intent_in(shop.provider.bodies()[0]);

    const auto event = [&](const std::string& name, const std::string& id,
                           const std::string& more = "") {
        return R"([{"email":")" + std::string{mail} + R"(","timestamp":1700000000,"event":")" +
               name + R"(","sg_event_id":")" + id + R"(","intent":")" + intent + '"' + more + "}]";
    };
    CHECK(shop.report(event("delivered", "e1")).status == 200);
    CHECK(shop.ask("POST", "/v1/feedback/email", event("bounce", "e2")).status == 401);
    CHECK(shop.ask("POST", "/v1/feedback/pigeon", "{}").status == 404);
    CHECK(shop.report("{}").status == 400);
    CHECK(shop.report(event("bounce", "e3", R"(,"type":"bounce")")).status == 200);
    CHECK(shop.report(event("bounce", "e3", R"(,"type":"bounce")")).status == 200);

    shop.track("Signed Up");
    CHECK(shop.says("suppress", "suppressed"));
    CHECK(shop.provider.bodies().size() == 1);
}

TEST_CASE(
    "a message that is refused for its address was not accepted, and the address is done with",
    "[.postgres]") {
    Shop shop;
    shop.message(
        {{"type", "identify"},
         {"userId", "ada"},
         {"traits",
          {{"email", mail},
           {"marketing_consent", {{"post", {{"state", "subscribed"}, {"confirmed", true}}}}}}}});
    shop.provider.answer("422 Unprocessable Entity\r\n", R"({"ErrorCode":406,"Message":"no"})");
    shop.track("Write Me");
    CHECK(shop.says("suppress", "provider_rejected"));
    REQUIRE(Shop::comes([&] {
        return shop.admin("GET", "/admin/customers/ada/text").body.find("post no (") !=
               std::string::npos;
    }));
    shop.track("Write Me");
    CHECK(shop.says("suppress", "suppressed"));
    CHECK(shop.provider.bodies().size() == 1);
    const auto database = must(open_database(shop.folder.path() / "sojourn.yaml"));
    DatabaseSession session{database.conninfo};
    const auto states = must(session.run([](pqxx::work& work) {
        return work
            .exec1("SELECT string_agg(DISTINCT state, ' ') FROM outbox WHERE channel = 'post' AND "
                   "state <> 'recalled'")[0]
            .as<std::string>();
    }));
    CHECK(states == "rejected");
}

TEST_CASE("after an acknowledged STOP nobody texts the number, not even as another customer",
          "[.postgres]") {
    Shop shop;
    shop.provider.answer("201 Created\r\n");
    shop.identify();
    shop.track("Text Me");
    REQUIRE(shop.provider.has(1));
    REQUIRE(shop.stop("stop").status == 200);
    shop.track("Text Me");
    CHECK(shop.says("suppress", "consent"));
    shop.message({{"type", "identify"}, {"userId", "bob"}, {"traits", {{"phone", phone}}}});
    shop.message({{"type", "track"}, {"userId", "bob"}, {"event", "Text Me"}});
    CHECK(Shop::comes([&] {
        const auto lines =
            json::parse(shop.admin("GET", "/v1/customers/bob/timeline").body)["timeline"];
        return std::ranges::any_of(
            lines, [](const json& line) { return line.value("kind", "") == "suppress"; });
    }));
    CHECK(shop.provider.bodies().size() == 1);
    const auto reach_of_bob = [&](const std::string& part) {
        return shop.admin("GET", "/admin/customers/bob/text").body.find(part) != std::string::npos;
    };
    CHECK(reach_of_bob("sms no (suppressed: the address)")); // He himself has said nothing.
    REQUIRE(shop.stop("START").status == 200);
    CHECK(reach_of_bob("sms yes"));
    shop.track("Text Me");
    CHECK(shop.provider.has(2));
    CHECK(shop.stop("when do you open?").status == 200);
}

TEST_CASE("Braze's Currents: the sending settles an unknown, the rest is found by its dispatch",
          "[.postgres]") {
    Shop shop;
    const auto currents = [&](const std::string& type, const json& properties) {
        static int number = 0;
        const json body{{"events",
                         {{{"id", "c" + std::to_string(++number)},
                           {"event_type", "users.messages." + type},
                           {"time", std::time(nullptr)}, // What is old enters nothing.
                           {"user", {{"external_user_id", "ada"}}},
                           {"properties", properties}}}}};
        return shop
            .ask("POST", "/v1/feedback/app", body.dump(), "Authorization: Bearer currents\r\n")
            .status;
    };
    const auto intent_of = [&](std::size_t request) -> std::string {
        return json::parse(shop.provider.bodies().at(
            request))["recipients"][0]["trigger_properties"]["sojourn_intent"];
    };
    const auto is_in_state = [&](const std::string& intent, const std::string& state) {
        const auto database = must(open_database(shop.folder.path() / "sojourn.yaml"));
        DatabaseSession session{database.conninfo};
        return Shop::comes([&] {
            return must(session.run([&](pqxx::work& work) {
                       const auto rows = work.exec_params(
                           "SELECT state FROM outbox WHERE intent = $1::uuid", intent);
                       return rows.empty() ? std::string{} : rows[0][0].as<std::string>();
                   })) == state;
        });
    };
    shop.identify();
    shop.provider.answer("500 Internal Server Error\r\n");
    shop.track("Tell Me");
    REQUIRE(shop.provider.has(1));
    const auto lost = intent_of(0);
    REQUIRE(is_in_state(lost, "unknown"));
    // Without our word in it nothing says which message it was.
    CHECK(currents("email.Send", {{"dispatch_id", "d0"}}) == 200);
    CHECK(currents("email.Delivery", {{"dispatch_id", "d0"}}) == 200);
    CHECK(is_in_state(lost, "unknown"));
    CHECK(currents("email.Send", {{"dispatch_id", "d0"},
                                  {"message_extras", R"({"sojourn_intent":")" + lost + "\"}"}}) ==
          200);
    CHECK(is_in_state(lost, "accepted"));
    CHECK(shop.admin("GET", "/v1/customers/ada").body.find("delivered") == std::string::npos);

    shop.provider.answer("201 Created\r\n", R"({"message":"success","dispatch_id":"d1"})");
    shop.track("Tell Me");
    REQUIRE(shop.provider.has(2));
    const auto taken = intent_of(1);
    REQUIRE(is_in_state(taken, "accepted"));
    CHECK(currents("email.Delivery", {{"dispatch_id", "d1"}}) == 200);
    CHECK(Shop::comes([&] {
        return shop.admin("GET", "/v1/customers/ada").body.find("\"journey\":\"delivered\"") !=
               std::string::npos;
    }));
}

TEST_CASE("one click unsubscribes; a page shows and keeps the rest", "[.postgres]") {
    Shop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    const auto data =
        json::parse(shop.provider.bodies()[0])["personalizations"][0]["dynamic_template_data"];
    const auto path = data["unsubscribe_url"].get<std::string>().substr(20);
    const auto preferences = data["preferences_url"].get<std::string>().substr(20);
    const auto looked = shop.ask("GET", path);
    CHECK(looked.status == 200);
    CHECK(looked.body.find("name=\"topic\" value=\"news\" checked") != std::string::npos);
    CHECK(looked.body.find("<script") == std::string::npos);
    CHECK(looked.body.find(mail) == std::string::npos);
    shop.track("Signed Up"); // Looking is no decision: programmes follow links.
    REQUIRE(shop.provider.has(2));

    const std::string form = "Content-Type: multipart/form-data; boundary=\"b1\"\r\n";
    const std::string one_click = "--b1\r\nContent-Disposition: form-data; "
                                  "name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b1--\r\n";
    // What nobody has decided changes nothing.
    CHECK(shop.ask("POST", path, "").status == 400);
    CHECK(shop.ask("POST", path, "foo=bar").status == 400);
    CHECK(shop.ask("POST", path, "topic=cart").status == 400);
    CHECK(shop.ask("POST", path, one_click).status == 400);
    CHECK(shop.ask("POST", path, R"({"save":"1"})", "Content-Type: application/json\r\n").status ==
          400);
    CHECK(shop.ask("GET", path).body.find("value=\"news\" checked") != std::string::npos);
    CHECK(shop.ask("GET", path).body.find("value=\"cart\" checked") != std::string::npos);

    CHECK(shop.ask("POST", path, one_click, form).status == 200); // RFC 8058 has both forms.
    shop.track("Signed Up");
    CHECK(shop.says("suppress", "consent"));
    CHECK(shop.provider.bodies().size() == 2);
    const auto after = shop.ask("GET", preferences);
    CHECK(after.body.find("value=\"news\" checked") == std::string::npos);
    CHECK(after.body.find("value=\"cart\" checked") != std::string::npos);

    CHECK(shop.ask("POST", path, "List-Unsubscribe=One-Click").status == 200);
    CHECK(shop.ask("POST", preferences, "topic=news&topic=cart&save=1").status == 200);
    shop.track("Signed Up");
    CHECK(shop.provider.has(3));
    CHECK(shop.ask("POST", preferences, "all=none").status == 200);
    CHECK(shop.ask("POST", preferences, "topic=cart&save=1").status == 200);
    shop.track("Signed Up");
    std::this_thread::sleep_for(500ms);
    CHECK(shop.provider.bodies().size() == 3); // The channel again, and news by name not.
    const auto exported = json::parse(shop.admin("GET", "/v1/customers/ada/export").body);
    std::set<std::string> wanted;
    for (const auto& consent : exported["consents"])
        if (consent["state"] == "subscribed") wanted.insert(consent["topic"].get<std::string>());
    CHECK(wanted == std::set<std::string>{"cart"}); // Nobody has ticked the channel.

    CHECK(shop.ask("GET", "/u/nonsense").status == 404);
    auto forged = path;
    forged[10] = forged[10] == 'A' ? 'B' : 'A';
    CHECK(shop.ask("GET", forged).status == 404);
}

TEST_CASE("a double opt-in is asked for, confirmed by a button, and counts from then on",
          "[.postgres]") {
    Shop shop;
    shop.provider.answer("200 OK\r\n");
    shop.message(
        {{"type", "identify"},
         {"userId", "ada"},
         {"traits",
          {{"email", mail},
           {"marketing_consent",
            {{"post", {{"state", "subscribed"}, {"source", "form"}, {"text_version", "7"}}}}}}}});
    REQUIRE(shop.provider.has(1));
    const auto asked = json::parse(shop.provider.bodies()[0]);
    CHECK(asked["Subject"] == "Please confirm");
    const auto body = asked["HtmlBody"].get<std::string>();
    const auto from = body.find("https://shop.example/u/");
    REQUIRE(from != std::string::npos);
    const auto path = body.substr(from + 20, body.find('"', from) - from - 20);
    shop.track("Write Me");
    CHECK(shop.says("suppress", "consent"));
    CHECK(shop.ask("GET", path).body.find("name=\"confirm\"") != std::string::npos);
    shop.track("Write Me"); // A look is no confirmation.
    std::this_thread::sleep_for(300ms);
    CHECK(shop.provider.bodies().size() == 1);
    CHECK(shop.ask("POST", path, "confirm=1").body.find("confirmed") != std::string::npos);
    shop.track("Write Me");
    CHECK(shop.provider.has(2));
    const auto exported = json::parse(shop.admin("GET", "/v1/customers/ada/export").body);
    CHECK(exported["consents"][0]["state"] == "subscribed");
    CHECK(exported["consents"][0]["source"] == "double opt-in");
    CHECK(exported["consents"][0]["text_version"] == "7");

    // A second time there is nothing to do, and after a no nothing to confirm.
    CHECK(shop.ask("POST", path, "confirm=1").body.find("is confirmed") != std::string::npos);
    shop.message({{"type", "track"},
                  {"userId", "ada"},
                  {"event", "Unsubscribed"},
                  {"properties", {{"channel", "post"}}}});
    CHECK(Shop::comes([&] {
        return shop.ask("GET", path).body.find("nothing to confirm") != std::string::npos;
    }));
    const auto refused = shop.ask("POST", path, "confirm=1");
    CHECK(refused.body.find("nothing to confirm") != std::string::npos);
    CHECK(refused.body.find("is confirmed") == std::string::npos);
    shop.track("Write Me");
    std::this_thread::sleep_for(300ms);
    CHECK(shop.provider.bodies().size() == 2);
}

TEST_CASE("suppressed addresses are kept as hashes, over a restart, whatever their case",
          "[.postgres]") {
    const Database database;
    const auto conninfo = database.settings().conninfo;
    const auto key = must(service_key(conninfo, "suppressions"));
    CHECK(key.size() == 32);
    CHECK(must(service_key(conninfo, "suppressions")) == key);
    {
        const auto list = must(Suppressions::open(conninfo, key));
        CHECK_FALSE(list->contains("email", mail));
        must(list->add({{"email", mail, "bounce", "test"}, {"phone", phone, "stop", "test"}},
                       journeys::from_millis(1'700'000'000'000)));
        CHECK(list->contains("email", "ADA.Lovelace@Example.com"));
        CHECK_FALSE(list->contains("phone", mail));
    }
    const auto list = must(Suppressions::open(conninfo, key));
    CHECK(list->size() == 2);
    CHECK(list->contains("email", mail));
    must(list->lift_stop("email", mail)); // A bounce is not lifted by START.
    must(list->lift_stop("phone", phone));
    CHECK(list->contains("email", mail));
    CHECK_FALSE(list->contains("phone", phone));
    CHECK_FALSE(must(Suppressions::open(conninfo, "another key"))->contains("email", mail));
    DatabaseSession session{conninfo};
    const auto rows = must(session.run([](pqxx::work& work) {
        return work.exec1("SELECT string_agg(s::text, ' ') FROM suppressions s")[0]
            .as<std::string>();
    }));
    CHECK(rows.find("ada") == std::string::npos);
}

TEST_CASE("rows older than their table's time are deleted, and open messages never",
          "[.postgres]") {
    const Database database;
    const auto conninfo = database.settings().conninfo;
    DatabaseSession session{conninfo};
    must(session.run([](pqxx::work& work) {
        // Half a day to either side of the limit: five days and a half, four and a half.
        work.exec("INSERT INTO sandbox_messages SELECT gen_random_uuid(), now() - i * interval "
                  "'1 day' + interval '12 hours', 'user:a'::bytea, 'email', ''::bytea, ''::bytea "
                  "FROM generate_series(0, 9) AS i");
        work.exec(
            "INSERT INTO outbox (intent, partition, customer, journey, version, key, step, "
            "channel, template, topic, priority, delivery, state, opened_at, expires_at, "
            "updated_at) SELECT gen_random_uuid(), 0, 'user:a'::bytea, 'j', 1, '', 's', 'email', "
            "'', '', 50, 0, s, now(), now(), now() - interval '9 days' FROM "
            "unnest(ARRAY['pending', 'claimed', 'accepted', 'unknown']) AS s");
    }));
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const std::vector<RetentionRule> rules{
        {"sandbox_messages", "at", 24h * 5},
        {"outbox", "updated_at", 24h * 5, "state NOT IN ('pending', 'claimed')"}};
    CHECK(must(delete_old(conninfo, rules, now)) == 6);
    CHECK(must(delete_old(conninfo, rules, now)) == 0);
    const auto left = must(session.run(
        [](pqxx::work& work) { return work.exec1("SELECT count(*) FROM outbox")[0].as<int>(); }));
    CHECK(left == 2);
}

TEST_CASE("who is erased is nowhere, and their no outlives them", "[.postgres]") {
    Shop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    const auto intent = intent_in(shop.provider.bodies()[0]);
    REQUIRE(
        shop.report(
                R"([{"email":")" + std::string{mail} +
                R"(","timestamp":1700000000,"event":"spamreport","sg_event_id":"e1","intent":")" +
                intent + R"("}])")
            .status == 200);
    REQUIRE(Shop::comes(
        [&] { return shop.timeline().dump().find("unsubscribed") != std::string::npos; }));

    // Refused at the door: hers, and another's.
    for (const auto* user : {"ada", "bob"})
        CHECK(shop.ask("POST", "/v1/track",
                       R"({"writeKey":"test-key","type":"track","messageId":"bad","userId":")" +
                           std::string{user} + R"("})")
                  .status == 400);
    json all;
    REQUIRE(Shop::comes([&] {
        const auto exported = shop.admin("GET", "/v1/customers/ada/export");
        REQUIRE(exported.status == 200);
        all = json::parse(exported.body);
        return all["rejected"].size() == 1;
    }));
    CHECK(all["rejected"][0]["reason"] == "no_event");
    CHECK(all["rejected"][0]["message_id"] == "bad");
    CHECK(all["rejected"][0]["text"].get<std::string>().find(R"("userId":"ada")") !=
          std::string::npos);
    CHECK(all["suppressions"][0]["reason"] == "complaint");
    REQUIRE(all["suppressed_addresses"].size() == 1);
    CHECK(all["suppressed_addresses"][0]["address"] == mail);
    CHECK(all["suppressed_addresses"][0]["reason"] == "complaint");
    CHECK(all["profile"].dump().find(mail) != std::string::npos);
    CHECK(all["messages"].size() == 1);
    CHECK(all["log"].size() >= 3);
    CHECK(all["consents"].size() == 1);
    CHECK(shop.ask("GET", "/v1/customers/ada/export").status == 401);

    const auto erased = shop.admin("DELETE", "/v1/customers/ada");
    INFO(erased.body);
    REQUIRE(erased.status == 200);
    CHECK(shop.admin("DELETE", "/v1/customers/nobody").status == 404);

    const auto database = must(open_database(shop.folder.path() / "sojourn.yaml"));
    DatabaseSession session{database.conninfo};
    const auto rows = must(session.run([&](pqxx::work& work) {
        // Every table of ours, as text: whatever is left of the person shows.
        std::string found;
        for (const auto& table : work.exec("SELECT tablename FROM pg_tables WHERE schemaname = "
                                           "'public' AND tablename NOT LIKE 'log\\_2%'")) {
            const auto table_name = table[0].as<std::string>();
            const auto count =
                work.exec1("SELECT count(*) FROM " + table_name + " t WHERE position('" +
                           std::string{mail} + "' IN t::text) > 0 OR position('" +
                           "\\x' || encode('" + std::string{mail} +
                           "', 'hex') IN t::text) > 0 OR "
                           "position(encode('" +
                           std::string{mail} +
                           "', 'hex') IN t::text) > 0 OR "
                           "position(encode('user:ada', 'hex') IN t::text) > 0")[0]
                    .as<int>();
            if (count > 0) found += table_name + ' ';
        }
        return found;
    }));
    CHECK(rows.empty());

    const auto audit = shop.admin("GET", "/admin/audit");
    CHECK(audit.body.find("customer.erased") != std::string::npos);
    CHECK(audit.body.find("customer.exported") != std::string::npos);
    CHECK(audit.body.find("user:ada") == std::string::npos);
    CHECK(shop.admin("GET", "/admin/audit/verify").body.find("unbroken") != std::string::npos);
    const std::string nobodys(64, 'a');
    CHECK(shop.admin("GET", "/admin/audit/verify?head=" + nobodys).status == 409);
    CHECK(shop.admin("GET", "/admin/audit/verify?head=short").status == 400);

    // A person with the same address: still not written to.
    shop.message({{"type", "identify"}, {"userId", "eve"}, {"traits", {{"email", mail}}}});
    shop.message({{"type", "track"}, {"userId", "eve"}, {"event", "Signed Up"}});
    CHECK(Shop::comes([&] {
        return shop.admin("GET", "/v1/customers/eve/timeline").body.find("suppressed") !=
               std::string::npos;
    }));
    CHECK(shop.provider.bodies().size() == 1);
    REQUIRE(shop.service->stop());
    shop.start(); // The log replays, and brings nobody back.
    CHECK(shop.admin("GET", "/v1/customers/ada").status == 404);
}

TEST_CASE("an audit log that was changed says so", "[.postgres]") {
    const Database database;
    const auto conninfo = database.settings().conninfo;
    Audit audit{conninfo};
    CHECK(must(audit.verify()).entries == 0);
    for (int i = 0; i < 3; ++i)
        must(audit.add({{.actor = "operator", .action = "channel.paused", .subject = "email"},
                        {.actor = "operator", .action = "channel.resumed", .subject = "email"}}));
    const std::string odd = "a\tb\\c\nd\\N";
    must(audit.add(std::vector<AuditEntry>(
        20'000, {.actor = "customer", .action = "consent.changed", .subject = "", .detail = odd})));
    CHECK(must(audit.newest(1)).front().detail == odd);
    CHECK(must(audit.verify()).entries == 20'006);
    must(audit.add({{.actor = "operator", .action = "channel.resumed", .subject = "email"}}));
    const auto whole = must(audit.verify());
    CHECK(whole.entries == 20'007);
    CHECK_FALSE(whole.broken_at);
    CHECK(must(audit.newest(2)).back().action == "channel.resumed");
    DatabaseSession session{conninfo};
    CHECK_FALSE(session.run([](pqxx::work& work) { work.exec("DELETE FROM audit"); }).has_value());
    CHECK_FALSE(
        session.run([](pqxx::work& work) { work.exec("UPDATE audit SET actor = 'nobody'"); })
            .has_value());
    const auto tamper = [&](const std::string& sql) {
        must(session.run([&](pqxx::work& work) {
            work.exec("ALTER TABLE audit DISABLE TRIGGER ALL");
            work.exec(sql);
            work.exec("ALTER TABLE audit ENABLE TRIGGER ALL");
        }));
        return must(audit.verify()).broken_at;
    };
    CHECK(tamper("UPDATE audit SET subject = 'sms' WHERE id = 4") == 4u);
    CHECK(tamper("UPDATE audit SET subject = 'email' WHERE id = 4") == std::nullopt);
    // Of what was taken off the end only a hash that somebody kept can tell.
    const auto entries = must(audit.newest(10));
    const auto kept = entries.back().hash;
    CHECK(must(audit.verify(kept)).found_at == entries.back().id);
    CHECK(must(audit.verify(kept.substr(0, 16))).found_at == entries.back().id);
    CHECK(must(audit.verify(entries.front().hash)).found_at == entries.front().id);
    CHECK(tamper("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)") == std::nullopt);
    const auto cut = must(audit.verify(kept));
    CHECK(cut.found_at == std::nullopt);
    CHECK(Audit::told(cut, {}).second);
    CHECK_FALSE(Audit::told(cut, kept).second);
    CHECK(Audit::told(cut, kept).first.find("taken off the end") != std::string::npos);

    CHECK(tamper("DELETE FROM audit WHERE id = 2") == 3u);
}

TEST_CASE("changes of consent that a killed process left are audited by the next, without names",
          "[.postgres]") {
    Shop shop;
    const auto conninfo = must(open_database(shop.folder.path() / "sojourn.yaml")).conninfo;
    // Of no flush of this process, so that only the next one looks for them.
    must(DatabaseSession{conninfo}.run([](pqxx::work& work) {
        work.exec("INSERT INTO consent_changes (at, customer, channel, topic, state, data) SELECT "
                  "to_timestamp(n), 'user:ada', 'email', 'ada@shop.example', 'subscribed', '' FROM "
                  "generate_series(1, 5001) n");
    }));
    REQUIRE(shop.service->stop());
    shop.service.reset();
    shop.start();
    DatabaseSession session{conninfo};
    CHECK(Shop::comes([&] {
        return must(session.run([](pqxx::work& work) {
                   return work
                       .exec1("SELECT count(*) FROM audit WHERE action = 'consent.changed'")[0]
                       .as<int>();
               })) == 5001;
    }));
    const auto audit = shop.admin("GET", "/admin/audit").body;
    CHECK(audit.find("email/ada_shop.example subscribed") != std::string::npos);
    CHECK(audit.find("user:ada") == std::string::npos);
    CHECK(shop.admin("GET", "/admin/audit/verify").body.find("unbroken") != std::string::npos);
}

TEST_CASE("a channel is paused, resumed and looked at, and it is noted who did it", "[.postgres]") {
    Shop shop;
    shop.identify();
    CHECK(shop.admin("POST", "/admin/channels/email/pause").body.find("paused") !=
          std::string::npos);
    shop.track("Signed Up");
    CHECK(Shop::comes([&] {
        return shop.admin("GET", "/admin/channels/email").body.find("queued 1") !=
               std::string::npos;
    }));
    CHECK(shop.provider.bodies().empty());
    CHECK(shop.admin("POST", "/admin/channels/email/resume").status == 200);
    CHECK(shop.provider.has(1));
    CHECK(shop.admin("POST", "/admin/channels/pigeon/pause").status == 404);
    CHECK(Shop::comes([&] {
        const auto audit = shop.admin("GET", "/admin/audit").body;
        return audit.find("key shop  channel.paused") != std::string::npos &&
               audit.find("config.loaded") != std::string::npos;
    }));
}

TEST_CASE("a channel that was paused or drained stays so over a restart, until it is resumed",
          "[.postgres]") {
    Shop shop;
    shop.identify();
    const auto looks = [&](const std::string& part) {
        return shop.admin("GET", "/admin/channels/email").body.find(part) != std::string::npos;
    };
    for (const auto* word : {"pause", "drain"}) {
        CAPTURE(word);
        REQUIRE(shop.admin("POST", "/admin/channels/email/" + std::string{word}).status == 200);
        shop.track("Signed Up");
        REQUIRE(Shop::comes([&] { return looks("queued 1"); }));
        const auto before = shop.provider.bodies().size();
        REQUIRE(shop.service->stop());
        shop.service.reset();
        shop.start();
        CHECK(Shop::comes([&] { return looks("queued 1"); })); // It was read, and does not go.
        CHECK(looks(*word == 'p' ? "paused" : "draining"));
        CHECK(shop.provider.bodies().size() == before);
        CHECK(shop.admin("POST", "/admin/channels/email/resume").status == 200);
        CHECK(shop.provider.has(before + 1));
    }
    REQUIRE(Shop::comes([&] { return looks("accepted 1"); }));
    REQUIRE(shop.service->stop());
    shop.service.reset();
    shop.start();
    CHECK_FALSE(looks("draining"));
    CHECK_FALSE(looks("paused"));
}

TEST_CASE("a report of a journey counts what happened", "[.postgres]") {
    Shop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    shop.track("Order Completed", {{"order_id", "o1"}, {"total", 42.5}, {"currency", "EUR"}});
    CHECK(Shop::comes([&] {
        const auto report =
            json::parse(shop.admin("GET", "/admin/report/hello?json=1").body, nullptr, false);
        return report.is_object() && report["entered"] == 1 && report["sent"]["customers"] == 1 &&
               report["sent"]["reached"] == 1 && report["sent"]["revenue"] == 42.5 &&
               report["lift"].is_null() && report["steps"][0]["accepted"] == 1;
    }));
    const auto text = shop.admin("GET", "/admin/report/hello").body;
    CHECK(text.find("touch (email)  sent 1") != std::string::npos);
    CHECK(text.find("nobody was held out") != std::string::npos);
    CHECK(shop.admin("GET", "/admin/report/none").status == 404);
}

TEST_CASE("logs name nobody: no address, no name, no contents", "[.postgres]") {
    const TemporaryFolder folder;
    support::CapturedLog log{folder.path() / "stderr"};
    {
        Shop shop;
        shop.identify();
        shop.track("Signed Up");
        shop.track("Text Me");
        shop.provider.has(2);
        shop.report(R"([{"email":")" + std::string{mail} +
                    R"(","timestamp":1,"event":"open","sg_event_id":"e1"}])");
        shop.stop("STOP");
        shop.ask("POST", "/v1/feedback/email", "forged " + std::string{mail});
        shop.ask("POST", "/v1/track", "{\"broken\": \"" + std::string{mail});
        shop.provider.answer("400 Bad Request\r\n");
        shop.track("Signed Up");
        shop.provider.has(3);
        shop.provider.answer("500 Oops\r\n");
        shop.track("Signed Up");
        shop.provider.has(4);
        shop.admin("DELETE", "/v1/customers/ada");
        CHECK(shop.service->stop());
    }
    const auto text = log.text();
    CHECK(text.size() > 100); // Something was logged at all.
    for (const auto* secret : {mail, "lovelace", "+49151", "4915112345678", name_of_ada,
                               "Hello from the shop", "SG.secret", "twilio-token", "test-key"}) {
        CAPTURE(secret);
        CHECK(text.find(secret) == std::string::npos);
    }
}

} // namespace runtime::test
