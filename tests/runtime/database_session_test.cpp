#include "runtime/database_session.hpp"

#include <catch2/catch.hpp>
#include <libpq-fe.h>

#include <map>
#include <memory>

namespace runtime::test {

namespace {

/// What libpq makes of the text.
std::map<std::string, std::string> options_of(const std::string& conninfo) {
    char* fault = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{
        PQconninfoParse(conninfo.c_str(), &fault), PQconninfoFree};
    INFO(conninfo << (fault ? fault : ""));
    if (fault) PQfreemem(fault);
    REQUIRE(parsed);
    std::map<std::string, std::string> options;
    for (const auto* option = parsed.get(); option->keyword; ++option)
        if (option->val) options[option->keyword] = option->val;
    return options;
}

const std::map<std::string, std::string> defaults{{"connect_timeout", "10"},
                                                  {"keepalives_idle", "10"},
                                                  {"keepalives_interval", "5"},
                                                  {"keepalives_count", "3"},
                                                  {"tcp_user_timeout", "15000"}};

std::map<std::string, std::string> with_defaults(std::map<std::string, std::string> more) {
    more.insert(defaults.begin(), defaults.end());
    return more;
}

} // namespace

TEST_CASE("a session waits for nobody for ever", "[database_session]") {
    CHECK(options_of(with_deadlines("")) == defaults);
    CHECK(options_of(with_deadlines("host=db.example dbname=shop")) ==
          with_defaults({{"host", "db.example"}, {"dbname", "shop"}}));
    CHECK(options_of(with_deadlines("postgresql://me:pass@db.example:5433/shop")) ==
          with_defaults({{"user", "me"},
                         {"password", "pass"},
                         {"host", "db.example"},
                         {"port", "5433"},
                         {"dbname", "shop"}}));
}

TEST_CASE("a bound that the configuration names is kept", "[database_session]") {
    CHECK(options_of(with_deadlines("connect_timeout=3 tcp_user_timeout=0")) ==
          with_defaults({{"connect_timeout", "3"}, {"tcp_user_timeout", "0"}}));
    CHECK(options_of(with_deadlines("postgresql://db.example/shop?keepalives_idle=60"))
              .at("keepalives_idle") == "60");
}

TEST_CASE("a session of a desk bears its instance's name, whatever the configuration says",
          "[database_session]") {
    for (const std::string given : {"dbname=shop", "dbname=shop application_name=mine",
                                    "postgresql:///shop?application_name=mine"})
        CHECK(options_of(of_instance(given, "12-ab")) ==
              std::map<std::string, std::string>{{"dbname", "shop"},
                                                 {"application_name", "sojourn/12-ab/desk/0"}});
}

TEST_CASE("what a value holds stays what it is", "[database_session]") {
    for (const std::string value : {"it's", R"(back\slash)", "a b", "x=y", R"('\'' \\)", "ä"}) {
        std::string quoted;
        for (const char c : value) quoted += (c == '\\' || c == '\'' ? "\\" : "") + std::string{c};
        const auto options = options_of(with_deadlines("password='" + quoted + "' user=me"));
        CHECK(options.at("password") == value);
        CHECK(options.at("user") == "me");
        CHECK(options.at("connect_timeout") == "10");
    }
}

TEST_CASE("what libpq cannot read is left for it to refuse", "[database_session]") {
    for (const auto* text : {"host", "nonsense=1", "password='open", "postgresql://[::1"})
        CHECK(with_deadlines(text) == text);
}

} // namespace runtime::test
