// Webhooks of shops at the door: who may send them, what is appended, and what is answered.

#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <thread>

using namespace std::chrono_literals;

namespace {

const std::string secret = "hush", old_secret = "hush-hush";

std::string payload(const std::string& name) {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/data/shopify/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

class ShopFixture : public ListenerFixture {
public:
    ShopFixture() {
        config.sources.push_back({.name = "shop",
                                  .shop = schema::find_shop("shopify"),
                                  .secrets = {secret, old_secret},
                                  .shops = {"lumen.example"}});
        privacy = [this](schema::PrivacyRequest request, std::string source,
                         std::function<void(journeys::Result<void>)> done) {
            requests.push_back(source + ' ' + request.request);
            if (is_storage_gone)
                done(journeys::Error{journeys::ErrorCode::storage_unavailable, "gone"});
            else
                done({});
        };
    }

    RawClient::Answer deliver(const std::string& topic, const std::string& body,
                              const std::string& id = "w-1", const std::string& key = secret,
                              const std::string& shop = "lumen.example") {
        return post("/v1/sources/shop", body,
                    "X-Shopify-Topic: " + topic + "\r\nX-Shopify-Webhook-Id: " + id +
                        "\r\nX-Shopify-Shop-Domain: " + shop +
                        "\r\nX-Shopify-Hmac-Sha256: " + runtime::sign_body(key, body) + "\r\n");
    }

    std::vector<std::string> requests;
    bool is_storage_gone = false;
};

} // namespace

TEST_CASE("a body is signed as the shop signs it", "[listener]") {
    // By `printf 'The quick brown fox…' | openssl dgst -sha256 -hmac key -binary | base64`.
    CHECK(runtime::sign_body("key", "The quick brown fox jumps over the lazy dog") ==
          "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=");
}

TEST_CASE_METHOD(ShopFixture, "a shop's delivery is answered when its messages are durable",
                 "[listener]") {
    const auto cart = payload("carts_update.json");
    CHECK(deliver("carts/update", cart).status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"w-1-0"});
    const auto drafts = log.drafts();
    REQUIRE(drafts.size() == 2); // The event, and the link of the cart to the device.
    CHECK(drafts[0].customer ==
          journeys::CustomerId{journeys::IdNamespace::anonymous, "7f0c0a5e-6a55"});
    CHECK(drafts[1].kind == journeys::RecordKind::link);

    // Again, as after a lost answer: the same messages, which the customer knows.
    CHECK(deliver("carts/update", cart).status == 200);
    const auto again = log.drafts();
    REQUIRE(again.size() == 3);
    CHECK(again[2].message_hash == again[0].message_hash);
    CHECK(again[2].message_hash != 0);
}

TEST_CASE_METHOD(ShopFixture, "only who knows the secret delivers", "[listener]") {
    const auto cart = payload("carts_update.json");
    CHECK(deliver("carts/update", cart, "w", "guess").status == 401);
    CHECK(deliver("carts/update", cart, "w", secret, "evil.example").status == 401);
    const auto signature = runtime::sign_body(secret, cart);
    const std::string headers = "X-Shopify-Topic: carts/update\r\n"
                                "X-Shopify-Shop-Domain: lumen.example\r\nX-Shopify-Hmac-Sha256: ";
    CHECK(post("/v1/sources/shop", cart + " ", headers + signature + "\r\n").status == 401);
    CHECK(post("/v1/sources/shop", cart, headers + signature.substr(1) + "\r\n").status == 401);
    CHECK(post("/v1/sources/shop", cart, headers + "\r\n").status == 401);
    CHECK(post("/v1/sources/shop", cart, "").status == 401);
    CHECK(log.appends() == 0);
    CHECK(rejects().empty()); // Nobody fills the table of rejects without the secret.

    CHECK(post("/v1/sources/shop", cart, headers + signature + "\r\n").status == 200);
    CHECK(deliver("carts/update", cart, "w-2", old_secret).status == 200); // While it is changed.
    CHECK(post("/v1/sources/other", cart, headers + signature + "\r\n").status == 404);
    CHECK(request("GET", "/v1/sources/shop").status == 405);
}

TEST_CASE_METHOD(ShopFixture, "the newer form of headers is read, too", "[listener]") {
    const auto cart = payload("carts_update.json");
    CHECK(post("/v1/sources/shop", cart,
               "shopify-topic: carts/update\r\nshopify-webhook-id: n-1\r\n"
               "shopify-shop-domain: lumen.example\r\nshopify-hmac-sha256: " +
                   runtime::sign_body(secret, cart) + "\r\n")
              .status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"n-1-0"});
}

TEST_CASE_METHOD(ShopFixture, "what will never be understood is not asked for again",
                 "[listener]") {
    CHECK(deliver("themes/publish", R"({"id":1})").status == 200);
    CHECK(rejects().empty());
    CHECK(deliver("carts/update", "no JSON").status == 200);
    CHECK(deliver("refunds/create", R"({"id":1})").status == 200); // Of no order: nobody's.
    CHECK(log.appends() == 0);
    const auto refused = rejects();
    REQUIRE(refused.size() == 2);
    CHECK(refused[0].reason == schema::RejectReason::malformed_json);
    CHECK(refused[0].key == "shop");
    CHECK(refused[1].reason == schema::RejectReason::no_identity);
}

TEST_CASE_METHOD(ShopFixture, "a price that is none is named, and the rest counts", "[listener]") {
    CHECK(deliver("carts/update",
                  R"({"token":"t-1","line_items":[{"product_id":7,"price":"12,50"}]})")
              .status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"w-1-0"});
    const auto named = rejects();
    REQUIRE(named.size() == 1);
    CHECK(named[0].reason == schema::RejectReason::bad_number);
    CHECK(named[0].detail == "left out, no amount of money: line_items.0.price");
    CHECK(named[0].key == "shop");
    CHECK(named[0].raw.find("12,50") != std::string::npos);
}

TEST_CASE_METHOD(ShopFixture, "a passing fault is one that the shop retries", "[listener]") {
    const auto cart = payload("carts_update.json");
    SECTION("storage fails") {
        log.fails = true;
        CHECK(deliver("carts/update", cart).status == 503);
    }
    SECTION("storage is not there") {
        set_not_ready("storage is not reachable");
        CHECK(deliver("carts/update", cart).status == 503);
    }
    SECTION("storage takes longer than the shop waits") {
        config.limits.webhook_timeout = 20ms;
        log.holds = true;
        auto client = connect();
        const auto send = [&](const std::string& id) {
            client.send("POST /v1/sources/shop HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                        std::to_string(cart.size()) +
                        "\r\nX-Shopify-Topic: carts/update\r\nX-Shopify-Webhook-Id: " + id +
                        "\r\nX-Shopify-Shop-Domain: lumen.example\r\nX-Shopify-Hmac-Sha256: " +
                        runtime::sign_body(secret, cart) + "\r\n\r\n" + cart);
        };
        send("w-1");
        CHECK(client.read_answer().status == 503);
        // What becomes durable after all answers nobody, and least of all the next request.
        send("w-2");
        REQUIRE(log.wait_for_waiting(2) == 2);
        log.release();
        log.release();
        const auto answer = client.read_answer();
        CHECK((answer.status == 200 || answer.status == 503));
        CHECK(log.message_ids() == std::vector<std::string>{"w-1-0", "w-2-0"});
    }
}

TEST_CASE_METHOD(ShopFixture, "what a person asks of their data is kept before it is answered",
                 "[listener]") {
    const auto asked = payload("customers_data_request.json");
    CHECK(deliver("customers/data_request", asked, "p-1").status == 200);
    CHECK(requests == std::vector<std::string>{"shop p-1"});
    is_storage_gone = true;
    CHECK(deliver("customers/redact", asked, "p-2").status == 503);
    CHECK(log.appends() == 0);
}
