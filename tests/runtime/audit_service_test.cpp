/// The audit log: what comes into it, and that a change of it shows.
#include "runtime/audit.hpp"
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "tests/runtime/provider_shop.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace runtime::test {

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
    ProviderShop shop;
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
    CHECK(ProviderShop::comes([&] {
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

} // namespace runtime::test
