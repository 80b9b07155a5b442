#include "actors/messages.hpp"
#include "runtime/channels/http_channel.hpp"
#include "runtime/channels/registry.hpp"
#include "tests/support/messages.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <map>

using namespace runtime;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;

namespace {

/// A channel whose requests the test answers itself.
struct Line {
    explicit Line(ProviderSettings settings, std::size_t batch = 1, std::size_t lines = 1) {
        hooks.send = [this](HttpRequest request, std::function<void(HttpResponse)> done) {
            sent.push_back({std::move(request), std::move(done)});
        };
        hooks.report = [this](Report report) { reports.push_back(std::move(report)); };
        hooks.is_suppressed = [this](const std::string& address) {
            return address == "no@example.com" || address == stopped;
        };
        hooks.now = [this] { return clock; };
        channel = std::make_unique<HttpChannel>(
            client, std::move(make_provider(std::move(settings))).value(), hooks, batch, lines);
    }

    void call(const std::string& address, std::uint64_t intent) {
        channel->call(mail(address, intent), caf::actor_cast<caf::actor>(self));
    }
    void answer(std::size_t index, long status, const std::string& body = {}) {
        HttpResponse response;
        response.status = status;
        response.body = body;
        sent.at(index).done(std::move(response));
    }
    std::map<std::uint64_t, Kind> outcomes() {
        std::map<std::uint64_t, Kind> all;
        while (self->mailbox().size() > 0)
            self->receive([&](const actors::ProviderAnswered& answered) {
                all[answered.intent.low] = answered.outcome.kind;
            });
        return all;
    }

    struct Sent {
        HttpRequest request;
        std::function<void(HttpResponse)> done;
    };
    caf::actor_system_config config;
    caf::actor_system system{config};
    caf::scoped_actor self{system};
    HttpClient client;
    ChannelHooks hooks;
    std::vector<Sent> sent;
    std::vector<Report> reports;
    std::string stopped;
    std::chrono::sys_seconds clock{std::chrono::seconds{1'795'435'200}};
    std::unique_ptr<HttpChannel> channel;
};

ProviderSettings with_template() {
    auto settings = postmark();
    settings.templates["cart-reminder"] = "cart";
    return settings;
}

} // namespace

TEST_CASE("a message leaves at once where the line is free, and shares a request where it is not",
          "[channels]") {
    Line line{with_template(), 3};
    line.call("a@example.com", 1);
    REQUIRE(line.sent.size() == 1); // Nothing waits for others to come.
    for (std::uint64_t i = 2; i <= 6; ++i) line.call(std::to_string(i) + "@example.com", i);
    CHECK(line.sent.size() == 1);
    line.answer(0, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    REQUIRE(line.sent.size() == 2);
    CHECK(nlohmann::json::parse(line.sent[1].request.body)["Messages"].size() == 3);
    line.answer(1, 200, R"([{"ErrorCode":0},{"ErrorCode":406},{"ErrorCode":0}])");
    REQUIRE(line.reports.size() == 1); // Nobody reads mail at the third one's address.
    CHECK(line.reports[0].intent.low == 3);
    CHECK(line.reports[0].address == "3@example.com");
    CHECK(line.reports[0].refused); // Or its bounce would settle as accepted what never left.
    REQUIRE(line.sent.size() == 3);
    line.answer(2, 429);
    CHECK(line.outcomes() == std::map<std::uint64_t, Kind>{{1, Kind::accepted},
                                                           {2, Kind::accepted},
                                                           {3, Kind::rejected},
                                                           {4, Kind::accepted},
                                                           {5, Kind::retry},
                                                           {6, Kind::retry}});
}

TEST_CASE("a batch that is refused as a whole goes again one by one", "[channels]") {
    Line line{sendgrid(), 10};
    line.call("a@example.com", 1);
    line.call("b@example.com", 2);
    line.call("wrong", 3);
    line.answer(0, 202);
    REQUIRE(line.sent.size() == 2);
    line.answer(1, 400, R"({"errors":[{"field":"personalizations.1.to"}]})");
    REQUIRE(line.sent.size() == 4);
    line.answer(2, 202);
    line.answer(3, 400);
    CHECK(line.outcomes() == std::map<std::uint64_t, Kind>{
                                 {1, Kind::accepted}, {2, Kind::accepted}, {3, Kind::rejected}});
}

TEST_CASE("one address is not twice in a request", "[channels]") {
    Line line{sendgrid(), 10};
    line.call("a@example.com", 1);
    line.call("b@example.com", 2);
    line.call("b@example.com", 3);
    line.answer(0, 202);
    REQUIRE(line.sent.size() == 2);
    CHECK(nlohmann::json::parse(line.sent[1].request.body)["personalizations"].size() == 1);
    line.answer(1, 202);
    REQUIRE(line.sent.size() == 3);
    line.answer(2, 202);
    CHECK(line.outcomes().size() == 3);
}

TEST_CASE("each message of a batch whose answer is lost is unknown, and none goes again",
          "[channels]") {
    Line line{with_template(), 10};
    for (std::uint64_t i = 1; i <= 4; ++i) line.call(std::to_string(i) + "@example.com", i);
    line.answer(0, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    REQUIRE(line.sent.size() == 2);
    HttpResponse lost;
    lost.status = 0;
    lost.may_have_arrived = true;
    line.sent.at(1).done(lost);
    CHECK(line.outcomes() ==
          std::map<std::uint64_t, Kind>{
              {1, Kind::accepted}, {2, Kind::unknown}, {3, Kind::unknown}, {4, Kind::unknown}});
    CHECK(line.sent.size() == 2);
}

TEST_CASE("who says STOP while a message gathers is not written to, and the others are",
          "[channels]") {
    Line line{with_template(), 10};
    for (std::uint64_t i = 1; i <= 3; ++i) line.call(std::to_string(i) + "@example.com", i);
    line.stopped = "2@example.com";
    line.answer(0, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    REQUIRE(line.sent.size() == 2);
    CHECK(line.sent[1].request.body.find("3@example.com") != std::string::npos);
    CHECK(line.sent[1].request.body.find("2@example.com") == std::string::npos);
    line.answer(1, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    CHECK(line.outcomes() == std::map<std::uint64_t, Kind>{
                                 {1, Kind::accepted}, {2, Kind::rejected}, {3, Kind::accepted}});
}

TEST_CASE("what has gathered for longer than a permission is good for is to be asked for again",
          "[channels]") {
    using namespace std::chrono_literals;
    Line line{with_template(), 10};
    line.call("1@example.com", 1);
    line.call("2@example.com", 2);
    line.clock += 1s;
    line.call("3@example.com", 3);
    line.clock += 10s;
    line.answer(0, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    REQUIRE(line.sent.size() == 2);
    line.answer(1, 200, R"({"ErrorCode":0,"MessageID":"m"})");
    CHECK(line.outcomes() == std::map<std::uint64_t, Kind>{
                                 {1, Kind::accepted}, {2, Kind::retry}, {3, Kind::accepted}});
    line.call("4@example.com", 4);
    CHECK(line.sent.size() == 3); // The line is free.
}

TEST_CASE("a suppressed address is refused before anything is written", "[channels]") {
    Line line{sendgrid()};
    line.call("no@example.com", 1);
    CHECK(line.sent.empty());
    CHECK(line.outcomes() == std::map<std::uint64_t, Kind>{{1, Kind::rejected}});
}

TEST_CASE("a message that the provider can't send is refused, and says why", "[channels]") {
    auto settings = sendgrid();
    settings.templates.clear();
    Line line{settings};
    line.call("a@example.com", 1);
    CHECK(line.sent.empty());
    line.self->receive([](const actors::ProviderAnswered& answered) {
        CHECK(answered.outcome.kind == Kind::rejected);
        CHECK(answered.outcome.detail.find("cart-reminder") != std::string::npos);
        CHECK(answered.outcome.detail.find('@') == std::string::npos);
    });
}

TEST_CASE("an answer that ends an address is reported, with the intent", "[channels]") {
    Line line{with_template()};
    line.call("a@example.com", 7);
    line.answer(0, 422, R"({"ErrorCode":406})");
    REQUIRE(line.reports.size() == 1);
    CHECK(line.reports[0].intent.low == 7);
    CHECK(line.reports[0].address == "a@example.com");
    CHECK(line.reports[0].permanent);
}
