/// A person says STOP while messages to them are in every state there is.
#include "runtime/base64.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"

#include <catch2/catch.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Between the service's last look and the provider's receipt: the request is being written, and
/// that it was is more than this test can see. Far less than any back-off, wait or restart here.
constexpr auto being_written = 250ms;

constexpr auto text_journey = R"(
id: text
status: live
enter: { on: [Signed Up], key: event.properties.number, reentry: always }
steps:
  - name: touch
    send: { channel: text, template: hello, topic: shop, expires: 30d }
)";

std::size_t ignore(char*, std::size_t, std::size_t size, void*) { return size; }

/// The status; 0: no answer.
long post(std::uint16_t port, const std::string& path, const std::string& body,
          const std::vector<std::string>& headers) {
    auto* const handle = curl_easy_init();
    const auto url = "http://127.0.0.1:" + std::to_string(port) + path;
    curl_slist* list = nullptr;
    for (const auto& header : headers) list = curl_slist_append(list, header.c_str());
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
    long status = 0;
    if (curl_easy_perform(handle) == CURLE_OK)
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(list);
    curl_easy_cleanup(handle);
    return status;
}

/// The status; what was acked is noted.
long send(std::uint16_t port, const std::string& path, const std::string& who,
          const std::string& message, const std::string& rest, ByHand& sent) {
    const auto status = post(
        port, path, R"({"userId":")" + who + R"(","messageId":")" + message + "\"," + rest + '}',
        {"authorization: Bearer test-key", "content-type: application/json"});
    if (status == 200) sent.note(message);
    return status;
}

long track(std::uint16_t port, const std::string& who, int number, ByHand& sent) {
    const auto n = std::to_string(number);
    return send(port, "/v1/track", who, who + '-' + n,
                R"("event":"Signed Up","properties":{"number":")" + n + "\"}", sent);
}

long identify(std::uint16_t port, const std::string& who, const std::string& phone, ByHand& sent) {
    return send(port, "/v1/identify", who, "i-" + who, R"("traits":{"phone":")" + phone + "\"}",
                sent);
}

/// As Twilio passes on what a person has written.
long say_stop(const World& world, const std::string& phone) {
    const std::vector<std::pair<std::string, std::string>> fields{
        {"Body", "STOP"}, {"From", phone}, {"MessageSid", "SM" + phone}};
    std::string text = "https://shop.example/v1/feedback/text";
    for (const auto& [field, value] : fields) text += field + value;
    return post(
        world.port(), "/v1/feedback/text", runtime::to_form(fields),
        {"content-type: application/x-www-form-urlencoded",
         "x-twilio-signature: " + runtime::to_base64(runtime::hmac_sha1("twilio-token", text))});
}

std::string number_in(const std::string& body) {
    for (const auto& [name, value] : runtime::parse_form(body))
        if (name == "To") return value;
    return {};
}

/// What the provider was asked to send, and when.
class Received {
public:
    void note(const std::string& phone) {
        const std::scoped_lock lock{mutex_};
        at_[phone].push_back(Clock::now());
    }
    std::size_t count(const std::string& phone) const {
        const std::scoped_lock lock{mutex_};
        const auto found = at_.find(phone);
        return found == at_.end() ? 0 : found->second.size();
    }
    std::ptrdiff_t after(const std::string& phone, Clock::time_point instant) const {
        const std::scoped_lock lock{mutex_};
        const auto found = at_.find(phone);
        if (found == at_.end()) return 0;
        return std::ranges::count_if(found->second, [&](auto at) { return at > instant; });
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<Clock::time_point>> at_;
};

template <class Condition> bool comes_true(Condition condition) {
    for (const auto until = Clock::now() + 60s; Clock::now() < until;) {
        if (condition()) return true;
        std::this_thread::sleep_for(20ms);
    }
    return false;
}

World world_with_text() {
    return World{{.clock_speed = 1,
                  .more_channels = "  text: { type: twilio, account_sid: AC1, auth_token: "
                                   "twilio-token, from: \"+15005550006\", address: phone, opt_in: "
                                   "false, url: \"PROVIDER\", concurrency: 4 }\n"}};
}

} // namespace

TEST_CASE("after a STOP that was acknowledged nothing goes to that number, kill -9 around it or "
          "not") {
    auto world = world_with_text();
    world.add_journey("text", text_journey);
    std::mt19937_64 random{options().seed};
    Received received;
    ByHand sent;
    // On the loop's thread alone: some are refused for now, some answered late, some never.
    world.provider->set([&, dice = std::mt19937_64{options().seed + 1}](const Call& call) mutable {
        if (call.path.find("/Messages.json") == std::string::npos) return Answer{};
        received.note(number_in(call.body));
        switch (dice() % 6) {
        case 0:
        case 1: return Answer{.status = 503, .accepts = false};
        case 2: return Answer{.status = 201, .delay = 150ms};
        case 3: return Answer{.accepts = false, .way = Answer::Way::reset};
        default: return Answer{.status = 201, .delay = 20ms};
        }
    });
    world.start();
    struct Person {
        std::string id, phone;
        Clock::time_point stopped{};
        std::size_t before = 0;
    };
    std::vector<Person> people;
    for (int cycle = 0; cycle < count_of(sizes::said_stops); ++cycle) {
        Person person{.id = "p" + std::to_string(cycle),
                      .phone = "+4915112345" + std::to_string(100 + cycle)};
        CAPTURE(cycle, person.phone);
        REQUIRE(identify(world.port(), person.id, person.phone, sent) == 200);
        std::jthread events{[&](const std::stop_token& done) {
            for (int number = 0; !done.stop_requested(); ++number) {
                track(world.port(), person.id, number, sent); // While it is dead nobody takes them.
                std::this_thread::sleep_for(5ms);
            }
        }};
        std::this_thread::sleep_for(300ms + std::chrono::milliseconds{random() % 700});
        person.before = received.count(person.phone);
        const bool is_killed_before = cycle % 3 == 1, is_killed_behind = cycle % 3 == 2;
        if (is_killed_before) {
            // In the middle of it; the person, hearing nothing, says it again.
            std::jthread killer{[&, wait = std::chrono::microseconds{random() % 20'000}] {
                std::this_thread::sleep_for(wait);
                world.service().kill();
            }};
            const auto status = say_stop(world, person.phone);
            if (status == 200) person.stopped = Clock::now();
            killer.join();
            world.start();
        }
        for (const auto until = Clock::now() + 60s;
             person.stopped == Clock::time_point{} && Clock::now() < until;)
            if (say_stop(world, person.phone) == 200) person.stopped = Clock::now();
        REQUIRE(person.stopped != Clock::time_point{});
        if (is_killed_behind) {
            std::this_thread::sleep_for(std::chrono::milliseconds{random() % 30});
            world.service().kill();
            world.start();
        }
        std::this_thread::sleep_for(300ms);
        events.request_stop();
        events.join();
        people.push_back(std::move(person));
    }
    const auto is_open = "SELECT count(*) FROM outbox WHERE channel = 'text' AND state IN "
                         "('pending', 'claimed')";
    for (int i = 0; i < 300 && world.sql(is_open) != "0"; ++i) std::this_thread::sleep_for(200ms);
    CHECK(world.sql(is_open) == "0");
    std::size_t before = 0;
    for (const auto& person : people) {
        CAPTURE(person.id, person.before);
        before += person.before;
        CHECK(received.after(person.phone, person.stopped + being_written) == 0);
    }
    CHECK(before > people.size()); // Or nothing was shown.
    // Not because nothing was to be sent: what waited was taken back.
    CHECK(world.sql("SELECT count(*) FROM timeline WHERE kind = 'suppress' AND channel = 'text' "
                    "AND reason = 'suppressed'") != "0");
    CHECK(world.wait_for_calm() == "");
    CHECK(world.stop() == 0);
    // A person has an event every five milliseconds here, and messages that wait for their provider
    // meanwhile: now and then as many runs as there may be are open at once.
    require_none(broken(world, {&sent},
                        {.answers_may_be_lost = true,
                         .every_intent_is_accepted = true,
                         .entries_may_be_refused = true}));
}

TEST_CASE(
    "after a STOP that one process acknowledged the standby that takes over writes nothing to "
    "that number") {
    auto world = world_with_text();
    world.add_journey("text", text_journey);
    Received received;
    ByHand sent;
    world.provider->set([&](const Call& call) {
        if (call.path.find("/Messages.json") != std::string::npos)
            received.note(number_in(call.body));
        return Answer{.status = 201};
    });
    const std::string stopped = "+4915112345001", free = "+4915112345002";
    world.start();
    auto second = world.launch_second();
    REQUIRE(comes_true([&] {
        return world.get("/readyz", world.second_port()).body.find("standby") != std::string::npos;
    }));
    REQUIRE(identify(world.port(), "one", stopped, sent) == 200);
    REQUIRE(track(world.port(), "one", 1, sent) == 200);
    REQUIRE(comes_true([&] { return received.count(stopped) == 1; }));
    REQUIRE(say_stop(world, stopped) == 200);
    world.service().kill();
    REQUIRE(comes_true([&] { return world.get("/readyz", world.second_port()).status == 200; }));

    // Somebody else with the same number: no state of theirs knows of the STOP.
    REQUIRE(identify(world.second_port(), "other", stopped, sent) == 200);
    REQUIRE(track(world.second_port(), "other", 1, sent) == 200);
    REQUIRE(identify(world.second_port(), "third", free, sent) == 200);
    REQUIRE(track(world.second_port(), "third", 1, sent) == 200);
    CHECK(comes_true([&] {
        return received.count(free) == 1 &&
               world.sql("SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')") ==
                   "0";
    }));
    CHECK(received.count(stopped) == 1);
    CHECK(world.sql("SELECT count(*) FROM timeline WHERE kind = 'suppress' AND reason = "
                    "'suppressed'") == "1");
    world.look_at(world.second_port());
    CHECK(world.wait_for_calm() == "");
    second->signal(SIGTERM);
    CHECK(second->wait(40s) == 0);
    require_none(
        broken(world, {&sent}, {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

} // namespace faults
