/// The pages behind the links of messages, through the whole service: unsubscribing, preferences
/// and the double opt-in.
#include "tests/runtime/provider_shop.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <set>
#include <thread>

namespace runtime::test {

using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("one click unsubscribes; a page shows and keeps the rest", "[.postgres]") {
    ProviderShop shop;
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
    CHECK(ProviderShop::comes([&] {
        const auto lines = shop.timeline();
        return std::ranges::count_if(lines, [](const auto& line) {
                   return line.value("kind", "") == "suppress";
               }) == 2;
    }));
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
    ProviderShop shop;
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
    CHECK(ProviderShop::comes([&] {
        return shop.ask("GET", path).body.find("nothing to confirm") != std::string::npos;
    }));
    const auto refused = shop.ask("POST", path, "confirm=1");
    CHECK(refused.body.find("nothing to confirm") != std::string::npos);
    CHECK(refused.body.find("is confirmed") == std::string::npos);
    shop.track("Write Me");
    std::this_thread::sleep_for(300ms);
    CHECK(shop.provider.bodies().size() == 2);
}

} // namespace runtime::test
