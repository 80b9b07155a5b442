/// The whole service and every type of provider, sick ones above all: nothing of a person gets into
/// the logs, and what was set aside is there after a restart.
#include "runtime/listener/local_socket.hpp"
#include "schema/channel_types.hpp"
#include "tests/runtime/service_fixture.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/fake_provider.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <set>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto mail = "ada.lovelace@example.com", phone = "+4915112345678",
               name_of_ada = "Ada Lovelace", content = "Purple lamps";

/// A channel of every type that calls somebody, each with its own key.
std::string channels(const std::string& url) {
    const auto http =
        ", opt_in: false, double_opt_in: false, attempts: 2, timeout: 2s, url: \"" + url + "\"";
    const std::string from = ", from: \"shop@example.com\"";
    return "  sendgrid: { type: sendgrid, address: email, key: secret-1" + from + http +
           ", templates: { hello: d-1 } }\n"
           "  twilio: { type: twilio, address: phone, account_sid: AC1, auth_token: secret-2, "
           "from: "
           "\"+15005550006\"" +
           http +
           " }\n"
           "  klaviyo: { type: klaviyo, address: email, key: secret-3" +
           http +
           " }\n"
           "  braze: { type: braze, address: email, key: secret-4" +
           http +
           ", templates: { hello: c-1 } }\n"
           "  postmark: { type: postmark, address: email, key: secret-5" +
           from + http +
           " }\n"
           "  mailgun: { type: mailgun, address: email, key: secret-6, domain: example.com" +
           from + http +
           " }\n"
           "  webhook: { type: webhook, address: none, secret: "
           "whsec_c2VjcmV0LTdzZWNyZXQtN3NlY3JldC03" +
           http +
           " }\n"
           "  smtp: { type: smtp, address: email, user: me, password: secret-8, unencrypted: true" +
           from + ", opt_in: false, double_opt_in: false, attempts: 2, timeout: 2s, url: \"smtp" +
           url.substr(4) + "\" }\n";
}

const std::set<std::string> called{"braze",    "klaviyo", "mailgun", "postmark",
                                   "sendgrid", "smtp",    "twilio",  "webhook"};

class ProvidersFolder : public ServiceFolder {
public:
    ProvidersFolder() {
        write("sojourn.yaml", "listen: { port: 0 }\n"
                              "storage: { data_dir: data, checkpoint: 1s }\n"
                              "journeys: journeys\n"
                              "keys: [{ name: web, key: test-key, scopes: [ingest, decide, "
                              "admin] }]\n"
                              "topics: [news]\n"
                              "channels:\n" +
                                  channels(provider.url()));
        write("events.yaml", "events:\n  Signed Up: {}\n");
        write("templates/hello.mustache",
              "---\nsubject: \"Hello {{first}}\"\n---\nPurple lamps for {{first}}");
        for (const auto& channel : called)
            write("journeys/" + channel + ".yaml",
                  "id: " + channel +
                      "\nstatus: live\nenter: { on: [Signed Up], reentry: always }\nsteps:\n"
                      "  - name: touch\n    send:\n      channel: " +
                      channel +
                      "\n      template: hello\n      topic: news\n      data:\n"
                      "        first: customer.traits.firstName\n");
    }

    void sign_up() {
        const json person{
            {"type", "identify"},
            {"userId", "ada"},
            {"traits", {{"email", mail}, {"phone", phone}, {"firstName", name_of_ada}}}};
        const json event{{"type", "track"},
                         {"userId", "ada"},
                         {"event", "Signed Up"},
                         {"messageId", "m" + std::to_string(++messages)}};
        REQUIRE(post("/v1/batch", json{{"batch", {person, event}}}.dump()).first == 200);
    }
    support::FakeProvider provider;
    int messages = 0;
};

} // namespace

TEST_CASE("whatever a provider answers, logs name nobody", "[.postgres]") {
    // The list of types above is the whole one.
    std::set<std::string> types;
    for (const auto& type : schema::channel_types())
        if (type.name != "sandbox") types.emplace(type.name);
    REQUIRE(types == called);

    const TemporaryFolder folder;
    support::CapturedLog log{folder.path() / "stderr"};
    {
        ProvidersFolder shop;
        shop.start();
        // Providers say what they were sent: addresses, names, texts.
        const auto echo = std::string{R"({"errors":[{"message":")"} + mail + ' ' + phone + ' ' +
                          name_of_ada + ' ' + content + R"(","field":")" + mail +
                          R"("}],"message":"to )" + mail +
                          R"( failed","ErrorCode":300,"Message":")" + mail +
                          R"(","code":21211,"more_info":")" + phone + "\"}";
        const std::string type = "Content-Type: application/json\r\n";
        // At first of each channel: its call fails. SMTP calls nobody over HTTP.
        std::size_t calls = called.size() - 1;
        for (const auto* status : {"400 Bad Request", "401 Unauthorized", "422 Unprocessable",
                                   "429 Too Many Requests", "500 Oops", "503 Unavailable", "200 OK",
                                   "302 Found", "999 ada.lovelace@example.com"}) {
            shop.provider.answer(std::string{status} + "\r\n" + type, echo);
            shop.sign_up();
            CHECK(shop.provider.has(calls));
            calls = 1;
        }
        shop.provider.answer(std::string{"200 "} + mail + "\r\n" + type, "<html>" + echo);
        shop.sign_up();
        for (const auto& channel : called) { // Forged and broken reports.
            for (const auto& body :
                 {echo, "[" + echo + "]", std::string{"From="} + phone + "&Body=STOP",
                  std::string{mail}})
                CHECK(shop.post("/v1/feedback/" + channel, body).first >= 400);
            std::string text;
            for (int i = 0; i < 400; ++i) { // Until one of its requests has come to something.
                text = shop.ask("GET", "/admin/channels/" + channel);
                if (text.find("rejected 0 · unknown 0 · tried again 0") == std::string::npos) break;
                std::this_thread::sleep_for(50ms);
            }
            CAPTURE(text);
            CHECK(text.find("rejected 0 · unknown 0 · tried again 0") == std::string::npos);
            for (const auto* secret : {mail, phone, name_of_ada, content, "secret-"}) {
                CAPTURE(channel, secret);
                CHECK(text.find(secret) == std::string::npos);
            }
        }
        shop.stop();
    }
    const auto text = log.text();
    CHECK(text.find("a call of smtp ") != std::string::npos); // That it failed is told.
    const auto found = text.find("lovelace");
    if (found != std::string::npos) UNSCOPED_INFO(text.substr(found < 100 ? 0 : found - 100, 200));
    for (const auto* secret : {mail, "lovelace", phone, "4915112345678", name_of_ada, "Lovelace",
                               content, "Hello Ada", "secret-", "c2VjcmV0", "test-key"}) {
        CAPTURE(secret);
        CHECK(text.find(secret) == std::string::npos);
    }
}

TEST_CASE("what was set aside is tried again after a restart, where the provider deduplicates",
          "[.postgres]") {
    ProvidersFolder shop;
    shop.provider.answer("401 Unauthorized\r\n");
    shop.start();
    shop.sign_up();
    const auto has_dead = [&](const std::string& channel) {
        for (int i = 0; i < 400; ++i) {
            if (shop.ask("GET", "/admin/channels/" + channel).find("set aside 1") !=
                std::string::npos)
                return true;
            std::this_thread::sleep_for(50ms);
        }
        return false;
    };
    CHECK(has_dead("klaviyo"));
    CHECK(has_dead("postmark"));
    const auto first = shop.provider.bodies();
    shop.stop();
    shop.start();
    // By itself once more, and again set aside: nothing has been mended yet.
    CHECK(has_dead("klaviyo"));
    shop.provider.answer("202 Accepted\r\n");
    CHECK(shop.ask("POST", "/admin/channels/klaviyo/retry-dead").find("set aside 0") !=
          std::string::npos);
    bool is_sent = false;
    for (int i = 0; i < 400 && !is_sent; ++i) {
        is_sent =
            shop.ask("GET", "/admin/channels/klaviyo").find("accepted 1") != std::string::npos;
        std::this_thread::sleep_for(50ms);
    }
    CHECK(is_sent);
    // Every attempt was the same bytes: the provider tells by them that it is one message.
    std::set<std::string> payloads;
    for (const auto& body : shop.provider.bodies())
        if (body.find("unique_id") != std::string::npos) payloads.insert(body);
    CHECK(payloads.size() == 1);
    shop.stop();
}

TEST_CASE("a channel whose provider is gone stays paused over a restart, until it is resumed",
          "[.postgres]") {
    ProvidersFolder shop;
    shop.provider.answer("410 Gone\r\n");
    shop.start();
    shop.sign_up();
    const auto looks = [&](const std::string& part) {
        for (int i = 0; i < 400; ++i) {
            const auto text = shop.ask("GET", "/admin/channels/webhook");
            if (text.find(part) != std::string::npos) return true;
            std::this_thread::sleep_for(50ms);
        }
        return false;
    };
    REQUIRE(looks("webhook · paused"));
    bool is_noted = false;
    for (int i = 0; i < 400 && !is_noted; ++i) {
        is_noted =
            shop.ask("GET", "/admin/audit").find("its provider is gone") != std::string::npos;
        std::this_thread::sleep_for(50ms);
    }
    CHECK(is_noted);
    shop.provider.answer("202 Accepted\r\n");
    shop.stop();
    shop.start();
    CHECK(looks("webhook · paused"));
    CHECK(shop.ask("POST", "/admin/channels/webhook/resume").find("paused") == std::string::npos);
    CHECK(looks("accepted 1"));
    shop.stop();
}

} // namespace runtime::test
