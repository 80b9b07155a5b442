/// What is kept of people: until when and in what form, and that of who is erased nothing is left,
/// in tables as in logs.
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "runtime/retention.hpp"
#include "runtime/suppressions.hpp"
#include "tests/runtime/provider_shop.hpp"
#include "tests/support/captured_log.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>

namespace runtime::test {

using namespace std::chrono_literals;
using nlohmann::json;

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
    ProviderShop shop;
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
    REQUIRE(ProviderShop::comes(
        [&] { return shop.timeline().dump().find("unsubscribed") != std::string::npos; }));

    // Refused at the door: hers, and another's.
    for (const auto* user : {"ada", "bob"})
        CHECK(shop.ask("POST", "/v1/track",
                       R"({"writeKey":"test-key","type":"track","messageId":"bad","userId":")" +
                           std::string{user} + R"("})")
                  .status == 400);
    json all;
    REQUIRE(ProviderShop::comes([&] {
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
    CHECK(ProviderShop::comes([&] {
        return shop.admin("GET", "/v1/customers/eve/timeline").body.find("suppressed") !=
               std::string::npos;
    }));
    CHECK(shop.provider.bodies().size() == 1);
    REQUIRE(shop.service->stop());
    shop.start(); // The log replays, and brings nobody back.
    CHECK(shop.admin("GET", "/v1/customers/ada").status == 404);
}

TEST_CASE("logs name nobody: no address, no name, no contents", "[.postgres]") {
    const TemporaryFolder folder;
    support::CapturedLog log{folder.path() / "stderr"};
    {
        ProviderShop shop;
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
