#include "tests/runtime/provider_shop.hpp"

#include "runtime/base64.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

namespace runtime::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

void write(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
}

} // namespace

ProviderShop::ProviderShop() {
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
    const auto sends = [&](const std::string& id, const std::string& enter,
                           const std::string& send) {
        write(folder.path() / "journeys" / (id + ".yaml"),
              "id: " + id + "\nstatus: live\nenter: { " + enter +
                  ", reentry: always }\nsteps:\n  - name: touch\n    send: { " + send +
                  ", topic: news }\n");
    };
    sends("text", "on: [Text Me]", "channel: sms, template: note");
    sends("letter", "on: [Write Me]", "channel: post, template: letter");
    sends("app", "on: [Tell Me]", "channel: app, template: hello");
    sends("confirm", R"(on: [Consent Changed], when: event.properties.to == "pending")",
          "channel: post, template: confirm, purpose: transactional");
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
    write(folder.path() / "templates" / "letter.mustache", "---\nsubject: News\n---\n<p>News</p>");
    write(folder.path() / "templates" / "note.mustache", "Hello from the shop.");
    start();
}

void ProviderShop::start() {
    std::vector<schema::Mistake> mistakes;
    auto started = Service::start({.config = folder.path() / "sojourn.yaml"}, mistakes);
    for (const auto& mistake : mistakes) UNSCOPED_INFO(schema::to_text(mistake));
    service = must(std::move(started));
}

RawClient::Answer ProviderShop::ask(const std::string& method, const std::string& target,
                                    const std::string& body, const std::string& headers) const {
    RawClient client{service->port()};
    client.send(method + ' ' + target + " HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n" +
                headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_answer();
}

RawClient::Answer ProviderShop::admin(const std::string& method, const std::string& target,
                                      const std::string& body) const {
    return ask(method, target, body, "Authorization: Bearer test-key\r\n");
}

void ProviderShop::message(json text) const {
    text["writeKey"] = "test-key";
    text["messageId"] = "m" + std::to_string(++messages_);
    const auto path = "/v1/" + text["type"].get<std::string>();
    const auto answer = ask("POST", path, text.dump());
    INFO(answer.body);
    REQUIRE(answer.status == 200);
}

void ProviderShop::identify() const {
    message({{"type", "identify"},
             {"userId", "ada"},
             {"traits", {{"email", mail}, {"phone", phone}, {"firstName", name_of_ada}}}});
}

void ProviderShop::track(const std::string& event, const json& properties) const {
    message({{"type", "track"}, {"userId", "ada"}, {"event", event}, {"properties", properties}});
}

RawClient::Answer ProviderShop::report(const std::string& body) const {
    return ask("POST", "/v1/feedback/email", body,
               "X-Twilio-Email-Event-Webhook-Timestamp: 1600112502\r\n"
               "X-Twilio-Email-Event-Webhook-Signature: " +
                   key.sign("1600112502" + body) + "\r\n");
}

RawClient::Answer ProviderShop::stop(const std::string& word) const {
    const std::vector<std::pair<std::string, std::string>> fields{
        {"Body", word}, {"From", phone}, {"MessageSid", "SM" + word}};
    std::string text = "https://shop.example/v1/feedback/sms";
    for (const auto& [field, value] : fields) text += field + value;
    return ask("POST", "/v1/feedback/sms", to_form(fields),
               "Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: " +
                   to_base64(hmac_sha1("twilio-token", text)) + "\r\n");
}

json ProviderShop::timeline() const {
    return json::parse(admin("GET", "/v1/customers/ada/timeline").body)["timeline"];
}

bool ProviderShop::comes(const std::function<bool()>& is_so) {
    for (int i = 0; i < 300; ++i) {
        if (is_so()) return true;
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

bool ProviderShop::says(const std::string& kind, const std::string& reason) const {
    return comes([&] {
        for (const auto& line : timeline())
            if (line.value("kind", "") == kind &&
                line.value("reason", "").find(reason) != std::string::npos)
                return true;
        return false;
    });
}

std::string intent_in(const std::string& body) {
    return json::parse(body)["personalizations"][0]["custom_args"]["intent"];
}

} // namespace runtime::test
