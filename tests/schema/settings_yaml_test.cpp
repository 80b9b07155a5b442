#include "schema/settings_yaml.hpp"
#include "schema/yaml_values.hpp"

#include <catch2/catch.hpp>

using namespace schema;
using namespace std::chrono_literals;

namespace {

Outside outside() {
    return {[](const std::string& name) -> std::optional<std::string> {
                if (name == "KEY") return "s3cr3t";
                if (name == "PORT") return "9090";
                if (name == "WORD") return "hunter2";
                return std::nullopt;
            },
            [](const std::string& path) -> std::optional<std::string> {
                if (path == "secrets/crm") return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
                return std::nullopt;
            }};
}

Config load(std::string_view text) {
    auto result = load_settings("s.yaml", text, outside());
    for (const auto& mistake : result.mistakes) FAIL(to_text(mistake));
    return *result.config;
}

std::string told(std::string_view text) {
    std::string all;
    for (const auto& mistake : load_settings("s.yaml", text, outside()).mistakes)
        all += to_text(mistake) + '\n';
    return all;
}

} // namespace

TEST_CASE("an empty file runs", "[schema]") {
    for (const auto* text : {"", "# nothing\n", "channels:\nkeys:\n"}) {
        const auto config = load(text);
        CHECK(config.listen.port == 8080);
        CHECK(config.storage.data_dir == ".data");
        CHECK(config.storage.retention == 168h);
        REQUIRE(config.keys.size() == 1);
        CHECK(config.keys[0].key.reveal() == demo_key);
        CHECK(config.settings.channels.size() == 3);
        CHECK(config.settings.session_idle == 30min);
        CHECK(config.limits.message_bytes == 32'768); // What Segment's clients send at most.
        CHECK(config.limits.frame_bytes == 512'000);
        CHECK(check_exposure(config, "s.yaml").empty());
    }
}

TEST_CASE("what needs a restart is told from what does not", "[schema]") {
    using Sections = std::vector<std::string>;
    const auto begun = load("topics: [a]\nkeys: [{ name: k, key: a, scopes: [ingest] }]\n");
    CHECK(
        sections_of_restart(
            begun, load("topics: [b]\nkeys: [{ name: k, key: b, scopes: [ingest] }]\nholdout: 5%\n"
                        "quiet_hours: [{ from: \"21:00\", to: \"08:00\" }]\n"))
            .empty());
    CHECK(sections_of_restart(begun, load("listen: { port: 1 }\nlimits: { idle: 5s }\n")) ==
          Sections{"listen", "limits"});
    CHECK(sections_of_restart(
              begun, load("channels: { email: { type: sandbox, address: email, rate: 5 } }\n")) ==
          Sections{"channels"});
    CHECK(sections_of_restart(begun, load("storage: { checkpoint: 2s }\nretention: { sandbox: 1d "
                                          "}\nmodels: { learn_every: never }\npublic_url: "
                                          "https://a.example\nidentity: { junk: [x] }\n")) ==
          Sections{"storage", "identity", "public_url", "retention", "models"});
    const auto by = [](const char* key) {
        return load("channels: { hook: { type: webhook, url: \"https://a.example\", address: none, "
                    "secret: " +
                    std::string{key} + " } }\n");
    };
    CHECK(
        sections_of_restart(by("\"${file:secrets/crm}\""), by("\"${file:secrets/crm}\"")).empty());
    CHECK(sections_of_restart(by("\"${file:secrets/crm}\""),
                              by("whsec_c2VjcmV0LTdzZWNyZXQtN3NlY3JldC03")) ==
          Sections{"channels"});
}

TEST_CASE("the settings reach the rules", "[schema]") {
    const auto config = load(R"(
workspace: shop
timezone: Europe/Berlin
listen: { address: 0.0.0.0, port: "${PORT:-8080}" }
keys: [ { name: shop, key: "${KEY}", scopes: [ingest, decide] } ]
topics: [cart]
channels:
  email: { type: sandbox, opt_in: false }
  crm: { type: webhook, url: "https://crm.example/${NO:-hook}", secret: "${file:secrets/crm}", address: none, rate: 5, timeout: 3s }
caps: [ { channel: email, messages: 3, per: 7d } ]
quiet_hours: [{ channels: [email], from: "21:00", to: "08:00" }, { from: "22:00", to: "07:00", jitter: 2h }]
sessions: { idle: 20m }
testers: [ada]
limits: { frame: 1 MB, max_lateness: 6h }
)");
    CHECK(config.listen.port == 9090);
    CHECK(config.keys[0].key.reveal() == "s3cr3t");
    CHECK(config.keys[0].may(KeyScope::decide));
    CHECK_FALSE(config.keys[0].may(KeyScope::admin));
    CHECK(config.settings.seed != 0);
    CHECK_FALSE(config.settings.channel("email")->needs_opt_in);
    CHECK(config.settings.channel("email")->address == "email");
    CHECK(config.settings.channel("crm")->needs_opt_in);
    CHECK(config.settings.channel("crm")->address.empty());
    CHECK_FALSE(config.settings.channel("crm")->renders);
    REQUIRE(config.channels.size() == 2);
    CHECK(config.channels[1].option("url") == "https://crm.example/hook");
    CHECK(config.channels[1].option("secret") == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    CHECK(config.channels[1].timeout == 3s);
    REQUIRE(config.settings.quiet_hours.size() == 2);
    CHECK(config.settings.quiet_hours[0].from == 21h);
    CHECK(config.settings.quiet_hours[0].jitter == 15min);
    CHECK(config.settings.quiet_hours[1].jitter == 2h);
    CHECK(config.settings.caps.at(0).messages == 3);
    CHECK(config.settings.max_lateness == 6h);
    CHECK(config.limits.frame_bytes == 1'000'000);
    CHECK(check_exposure(config, "s.yaml").empty());
}

TEST_CASE("sizes are in thousands, and in powers of two where they say so", "[schema]") {
    CHECK(parse_bytes("1500") == 1500);
    CHECK(parse_bytes("32 KB") == 32'000);
    CHECK(parse_bytes("32 KiB") == 32'768);
    CHECK(parse_bytes("2MB") == 2'000'000);
    CHECK(parse_bytes("2MiB") == 2'097'152);
    CHECK(parse_bytes("3 GB") == 3'000'000'000);
    CHECK(parse_bytes("3 GiB") == 3'221'225'472);
    for (const auto* wrong :
         {"", "KB", "-1 KB", "1 kb", "1 TB", "1.5 KB", "1 K", "1000000000 GiB"}) {
        INFO(wrong);
        CHECK_FALSE(parse_bytes(wrong));
    }
    CHECK(load("limits: { message: 32 KB }").limits.message_bytes == 32'000);
}

TEST_CASE("all mistakes of the settings are told at once", "[schema]") {
    const auto all = told(R"(
lisen: { port: 1 }
listen: { port: 70000 }
tls: { certificate: x }
log: kafka
timezone: Mars/Olympus
keys: [ { name: a, key: "${MISSING}", scopes: [ingst] } ]
channels:
  email: { type: sandbax }
  crm: { type: webhook, url: "https://x", secret: "${file:nowhere}" }
  esp: { type: sendgrid }
caps: [ { channel: emial, messages: 3, per: 7 } ]
)");
    CHECK(
        all ==
        R"(s.yaml:2:1: unknown key "lisen" in the settings. Did you mean "listen"? Allowed: workspace, timezone, currency, listen, tls, storage, log, journeys, templates, events, keys, identity and 19 more
s.yaml:3:17: expected a whole number from 0 to 65535, found "70000"
s.yaml:4:6: tls is not built yet: let a proxy in front of sojourn speak it
s.yaml:5:6: log: kafka is not built yet
s.yaml:6:11: no time zone "Mars/Olympus". Write an IANA name such as Europe/Berlin
s.yaml:7:25: the environment has no MISSING. Set it, or give a default: ${MISSING:-…}
s.yaml:7:48: no scope "ingst". Did you mean "ingest"? Allowed: ingest, decide, admin
s.yaml:9:18: expected one of sandbox, webhook, sendgrid, twilio, klaviyo, braze, smtp, postmark, mailgun; found "sandbax". Did you mean "sandbox"?
s.yaml:10:51: the file "nowhere" of ${file:nowhere} cannot be read
s.yaml:11:8: a channel needs "key:", the API key, SG.…
s.yaml:11:8: "esp" needs from: who the message is from
s.yaml:12:20: no channel "emial". Did you mean "email"? Configured: email, crm, esp
s.yaml:12:45: "7" has no unit: s m h d w. In an expression a duration is a text: "24h"
)");
}

TEST_CASE("what is too short is told how long it must be", "[schema]") {
    CHECK(told("models: { learn_every: 59s }\n") == "s.yaml:1:24: learn_every is at least 1m\n");
    CHECK(told("models: { learn_every: 1m }\n").empty());
    CHECK(told("storage: { retention: 59m }\n") == "s.yaml:1:23: retention is at least 1h\n");
    CHECK(told("storage: { checkpoint: 0s }\n") == "s.yaml:1:24: checkpoint is at least 1s\n");
    CHECK(told("storage: { checkpoint: 1s }\n").empty());
}

TEST_CASE("a provider is told what it needs, and nothing else", "[schema]") {
    const auto config = load(R"(
public_url: https://mail.shop.example/
channels:
  mail: { type: sendgrid, key: SG.x, from: shop@example.com, address: email, batch: 100, per_minute: 600, burst: 5 }
  text: { type: twilio, account_sid: AC1, auth_token: t, messaging_service: MG1, address: phone, whatsapp: true }
  own: { type: smtp, url: "smtps://mail.example", from: shop@example.com, double_opt_in: true }
consent:
  countries:
    - { in: [US], channels: [mail], opt_in: false }
    - { in: [DE, AT], double_opt_in: true }
caps: [ { messages: 1, per: 1d, above: 80 } ]
best_hour: { prior: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2], weight: 5 }
retention: { timeline: 90d }
)");
    CHECK(config.public_url == "https://mail.shop.example");
    CHECK(config.channels[0].option("key") == "SG.x");
    CHECK(config.channels[0].batch == 100);
    CHECK(config.channels[0].per_minute == 600);
    CHECK(config.channels[1].option("whatsapp") == "true");
    CHECK(config.settings.channel("mail")->renders);
    CHECK(config.settings.channel("mail")->by_country.size() == 2);
    CHECK(config.settings.channel("text")->by_country.size() == 1);
    CHECK(config.settings.channel("own")->needs_confirmation);
    CHECK_FALSE(config.settings.channel("mail")->needs_confirmation);
    CHECK(config.settings.caps.at(0).above == 80);
    CHECK(config.settings.active_hours.size() == 24);
    CHECK(config.retention.timeline == 90 * 24h);

    const auto all = told(R"(
channels:
  a: { type: twilio, account_sid: AC1 }
  b: { type: klaviyo, key: k, domain: mg.example.com }
  c: { type: sandbox, url: "https://x" }
  d: { type: smtp, url: "https://x", from: a@b.c }
  e: { type: braze, key: "${MISSING}", url: "https://x" }
best_hour: { prior: [1, 2] }
)");
    CHECK(all ==
          R"(s.yaml:3:6: a channel needs "auth_token:", the account's token; it signs reports, too
s.yaml:3:6: "a" needs from: who the message is from
s.yaml:4:39: "domain" has no meaning for the type klaviyo
s.yaml:5:28: "url" has no meaning for a sandbox, which sends nothing
s.yaml:6:25: url begins with smtps:// or smtp://
s.yaml:7:26: the environment has no MISSING. Set it, or give a default: ${MISSING:-…}
s.yaml:8:21: prior is a list of 24 shares, from midnight on, of which one at least is not 0
)");
}

TEST_CASE("what quiet hours held back is spread over two hours at the most", "[schema]") {
    const auto of = [](const std::string& jitter) {
        return told("quiet_hours: { from: '21:00', to: '08:00', jitter: " + jitter + " }\n");
    };
    CHECK(of("0s").empty());
    CHECK(of("2h").empty());
    CHECK(of("2h1s") == "s.yaml:1:52: jitter is at most 2h; 0s: all at once\n");
    CHECK_FALSE(of("-1m").empty());
    CHECK_FALSE(of("15").empty());
}

TEST_CASE("what the environment gave is in no message", "[schema]") {
    for (const auto* text :
         {"listen: { port: '${WORD}' }", "log: '${WORD}'", "timezone: '${WORD}'",
          "holdout: '${WORD}'", "sessions: { idle: '${WORD}' }", "limits: { frame: '${WORD}' }",
          "quiet_hours: { from: '${WORD}', to: '08:00' }", "channels: { x: { type: '${WORD}' } }",
          "consent: { opt_in: '${WORD}' }",
          "channels: { x: { type: webhook, url: '${WORD}', secret: '${WORD}' } }",
          "storage: { url: '${WORD}' }", "keys: [ { name: a, key: b, scopes: '${WORD}' } ]",
          "caps: [ { channel: '${WORD}', messages: 1, per: 1d } ]"}) {
        const auto all = told(text);
        CAPTURE(text);
        CHECK_FALSE(all.empty());
        CHECK(all.find("hunter2") == std::string::npos);
    }
    CHECK(load("workspace: '$${KEY}'").settings.seed == load("workspace: '$${KEY}'").settings.seed);
}

TEST_CASE("the demo key stays on this machine", "[schema]") {
    for (const auto* address : {"127.0.0.1", "localhost", "'::1'", "127.1.2.3"})
        CHECK(check_exposure(load(std::string{"listen: { address: "} + address + " }"), "s.yaml")
                  .empty());
    for (const auto* address : {"0.0.0.0", "192.168.1.2", "'::'"}) {
        const auto mistakes =
            check_exposure(load(std::string{"listen: { address: "} + address + " }"), "s.yaml");
        REQUIRE(mistakes.size() == 1);
        CHECK(to_text(mistakes.front()).starts_with("s.yaml: the key ")); // It stands in no line.
    }
}

TEST_CASE("the workspace's currency is an ISO code, or not said", "[schema]") {
    CHECK(load("").settings.currency.empty());
    CHECK(load("currency:\n").settings.currency.empty());
    CHECK(load("currency: EUR\n").settings.currency == "EUR");
    for (const auto* text : {"eur", "EURO", "E1R", "'€'"})
        CHECK(told(std::string{"currency: "} + text + '\n').find("no currency ") !=
              std::string::npos);
    // It is part of the publication: a reload is enough.
    CHECK(sections_of_restart(load(""), load("currency: EUR\n")).empty());
}
