// The parts of the listener that need no connection.

#include "runtime/listener/gunzip.hpp"
#include "runtime/listener/keys.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/query_values.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"

#include <catch2/catch.hpp>

using namespace runtime;

TEST_CASE("keys are found by their hash, and allow what they are for", "[listener]") {
    const KeyRing ring{
        {make_key("shop", "a", {Scope::ingest}), make_key("ops", "b", {Scope::admin})}};
    REQUIRE(ring.find("a"));
    CHECK(ring.find("a")->name == "shop");
    CHECK(ring.find("a")->allows(Scope::ingest));
    CHECK_FALSE(ring.find("a")->allows(Scope::decide));
    CHECK_FALSE(ring.find("a")->allows(Scope::admin));
    CHECK(ring.find("b")->allows(Scope::admin));
    CHECK(ring.find("b")->allows(Scope::decide));
    CHECK_FALSE(ring.find("b")->allows(Scope::ingest)); // Who looks cannot change what is seen.
    CHECK_FALSE(ring.find(""));
    CHECK_FALSE(ring.find("A"));
    CHECK_FALSE(KeyRing{}.find(""));
    // FIPS 180-4: the hash of "abc" begins so. The id is stored with messages, so it must not
    // change.
    CHECK(make_key("x", "abc", {}).id() == 0xba7816bf8f01cfeaULL);
}

TEST_CASE("keys that are replaced count no more, in every copy of the ring", "[listener]") {
    KeyRing ring{{make_key("shop", "a", {Scope::ingest})}};
    const auto copy = ring;
    const auto* before = copy.find("a");
    ring.replace({make_key("shop", "b", {Scope::ingest})});
    CHECK_FALSE(copy.find("a"));
    CHECK(copy.find("b"));
    CHECK(before->name == "shop"); // Who looks at one goes on.
}

TEST_CASE("of the storage an answer says only that it failed", "[listener]") {
    using journeys::Error;
    using journeys::ErrorCode;
    const Error lost{ErrorCode::storage_unavailable, "no socket /data/.s.PGSQL.5432"};
    const auto answer = failure_response(lost);
    CHECK(answer.status == 503);
    CHECK(answer.body == R"({"error":"storage is not reachable"})");
    CHECK(answer.fault == lost.detail);
    REQUIRE(answer.headers.size() == 1);
    CHECK(answer.headers[0] == std::pair<std::string, std::string>{"Retry-After", "1"});
    CHECK(failure_response(lost, "it stays").fault == lost.detail);
    CHECK(
        failure_response({ErrorCode::invalid_state, "PostgreSQL: no column"}).body.find("column") ==
        std::string::npos);
    const auto wrong = failure_response({ErrorCode::invalid_argument, "no such pool"});
    CHECK(wrong.status == 400);
    CHECK(wrong.body == R"({"error":"no such pool"})");
    CHECK(wrong.fault.empty());
    CHECK(wrong.headers.empty());
}

TEST_CASE("what a query asks for is read whole", "[listener]") {
    const auto request = [](std::string name, std::string value) {
        Request made;
        made.query.emplace_back(std::move(name), std::move(value));
        return made;
    };
    for (const auto* text : {"-1", "0", "10x", "x", "1.5", "11", "99999999999999999999"}) {
        CAPTURE(text);
        const auto limit = limit_of(request("limit", text), 10);
        REQUIRE(limit.has_error());
        CHECK(limit.error().detail == "limit is a whole number from 1 to 10");
    }
    CHECK(limit_of(request("limit", "10"), 10).value() == 10);
    CHECK_FALSE(limit_of(request("other", "1")).value());
    CHECK(since_of(request("since", "foo")).has_error());
    CHECK(since_of(request("since", "2026-03-01")).value());
    CHECK_FALSE(since_of(request("other", "1")).value());
}

TEST_CASE("texts are compared whole", "[listener]") {
    CHECK(equal_secret("same", "same"));
    CHECK(equal_secret("", ""));
    CHECK_FALSE(equal_secret("same", "samf"));
    CHECK_FALSE(equal_secret("same", "tame"));
    CHECK_FALSE(equal_secret("same", "same "));
}

TEST_CASE("the key of an Authorization header", "[listener]") {
    CHECK(key_of_authorization("Basic a2V5Og==") == "key");     // "key:"
    CHECK(key_of_authorization("basic  a2V5") == "key");        // "key"
    CHECK(key_of_authorization("Basic a2V5Og") == "key");       // Without its padding.
    CHECK(key_of_authorization("Basic a2V5OnB3OngK") == "key"); // "key:pw:x"
    CHECK(key_of_authorization("Bearer key") == "key");
    CHECK(key_of_authorization("BEARER key") == "key");
    CHECK(key_of_authorization("Basic ") == "");
    CHECK_FALSE(key_of_authorization("Basic").has_value());
    CHECK_FALSE(key_of_authorization("Basic !").has_value());
    CHECK_FALSE(key_of_authorization("Basic a").has_value());
    CHECK_FALSE(key_of_authorization("Digest key").has_value());
    CHECK_FALSE(key_of_authorization("").has_value());
}

TEST_CASE("a Host of this machine is told from another, and a proxy by what it adds",
          "[listener]") {
    for (const auto* host : {"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:8080",
                             "127.1.2.3", "[::1]", "[::1]:8080"}) {
        INFO(host);
        CHECK(is_loopback_host(host));
    }
    for (const auto* host : {"", "shop.example", "localhost.shop.example", "127.shop.example:80",
                             "10.0.0.1", "[::2]:80", "[::1", "::1"}) {
        INFO(host);
        CHECK_FALSE(is_loopback_host(host));
    }
    for (const auto* header : {"forwarded", "via", "x-forwarded-for", "x-forwarded-proto",
                               "x-forwarded-host", "x-real-ip"})
        CHECK(is_of_proxy(header));
    for (const auto* header : {"host", "x-forward", "forwarded-for", ""})
        CHECK_FALSE(is_of_proxy(header));
}

TEST_CASE("paths and queries are taken apart", "[listener]") {
    using Arguments = std::vector<std::string>;
    CHECK(match_path("/v1/customers/{id}", "/v1/customers/a%2Fb") == Arguments{"a/b"});
    CHECK(match_path("/v1/journeys", "/v1/journeys") == Arguments{});
    CHECK(match_path("/", "/") == Arguments{});
    CHECK_FALSE(match_path("/", "/x"));
    CHECK_FALSE(match_path("/v1/customers/{id}", "/v1/customers/"));
    CHECK_FALSE(match_path("/v1/customers/{id}", "/v1/customers"));
    CHECK_FALSE(match_path("/v1/customers/{id}", "/v1/customers/a/b"));
    CHECK_FALSE(match_path("/v1/customers/{id}/timeline", "/v1/customers/a"));
    CHECK(parse_form("a=1&b=x+y%21&&c&=d") == std::vector<std::pair<std::string, std::string>>{
                                                  {"a", "1"}, {"b", "x y!"}, {"c", ""}, {"", "d"}});
    CHECK(url_decode("100%", false) == "100%");
    CHECK(url_decode("%4", false) == "%4");
    CHECK(url_decode("%zz", false) == "%zz");
    CHECK(json_text("a\"\n\xff") == "\"a\\\"\\n\xef\xbf\xbd\"");
}
