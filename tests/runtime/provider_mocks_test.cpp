/// Every request that a provider of ours makes, sent to a mock that refuses what the official
/// description of the API forbids; and requests known to be wrong, which the mock must refuse, for
/// a mock that takes everything proves nothing.
///
/// Needs Node and Prism (npm's @stoplight/prism-cli; `SOJOURN_PRISM` names it, else it is looked
/// for beside the descriptions and on the path) and the descriptions in ../shared/esp or in what
/// SOJOURN_SHARED names. Without them
/// the cases are skipped, and say so.
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/registry.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/messages.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <thread>

using namespace runtime;
using namespace std::chrono_literals;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;
namespace fs = std::filesystem;

namespace {

const fs::path descriptions = [] {
    const char* const named = std::getenv("SOJOURN_SHARED");
    return (named ? fs::path{named} : fs::path{SOJOURN_SOURCE_DIR} / "../shared") / "esp";
}();
const std::chrono::sys_seconds now{1'795'435'200s};

std::optional<std::string> on_path(const std::string& program) {
    const char* all = std::getenv("PATH");
    std::string path = all ? all : "";
    for (std::size_t at = 0; at <= path.size();) {
        const auto end = std::min(path.find(':', at), path.size());
        const auto file = fs::path{path.substr(at, end - at)} / program;
        if (::access(file.c_str(), X_OK) == 0) return file.string();
        at = end + 1;
    }
    return std::nullopt;
}

/// Nothing, and a plain word, where the means are missing.
std::optional<std::string> prism() {
    const auto beside = descriptions / "node_modules/.bin/prism";
    if (!fs::exists(descriptions) || !on_path("node")) {
        WARN("skipped: there is no ../shared/esp, or no Node");
        return std::nullopt;
    }
    if (const char* named = std::getenv("SOJOURN_PRISM")) return named;
    if (fs::exists(beside)) return beside.string();
    if (auto found = on_path("prism")) return found;
    WARN("skipped: Prism is not there (npm install @stoplight/prism-cli; SOJOURN_PRISM names it)");
    return std::nullopt;
}

int free_port() {
    const auto listening = support::listen_on_loopback(1);
    ::close(listening.socket);
    return listening.port;
}

bool is_listening(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool connected =
        ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
}

class Mock {
public:
    Mock(const std::string& program, const std::string& description) : port_(free_port()) {
        const auto file = (descriptions / description).string();
        const auto port = std::to_string(port_);
        child_ = ::fork();
        if (child_ == 0) {
            const int nothing = ::open("/dev/null", O_RDWR);
            ::dup2(nothing, 1);
            ::dup2(nothing, 2);
            ::execl(program.c_str(), program.c_str(), "mock", "-h", "127.0.0.1", "-p", port.c_str(),
                    "--errors", file.c_str(), nullptr);
            ::_exit(127);
        }
        const auto until = std::chrono::steady_clock::now() + 120s;
        while (!is_listening(port_) && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(100ms);
        REQUIRE(is_listening(port_));
    }
    ~Mock() {
        ::kill(child_, SIGTERM);
        ::waitpid(child_, nullptr, 0);
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
    int port_;
    pid_t child_ = 0;
};

HttpResponse send(HttpRequest request) {
    HttpClient client;
    std::promise<HttpResponse> answered;
    request.timeout = 60s;
    client.request(std::move(request),
                   [&](HttpResponse response) { answered.set_value(std::move(response)); });
    return answered.get_future().get();
}

/// The requests of `requests.jsonl` that this mock must refuse, and those that it must take.
void check_the_mock(const Mock& mock, const std::string& provider) {
    std::ifstream in{descriptions / "requests.jsonl"};
    int refused = 0;
    for (std::string line; std::getline(in, line);) {
        const auto row = nlohmann::json::parse(line);
        if (row["provider"] != provider) continue;
        HttpRequest request;
        request.url = mock.url() + row["path"].get<std::string>();
        for (const auto& [name, value] : row["headers"].items())
            request.headers.emplace_back(name, value.get<std::string>());
        request.body = row["body"].get<std::string>();
        const auto status = send(request).status;
        CAPTURE(row["name"].get<std::string>(), status);
        if (row["expect"] == "accept") {
            CHECK((status >= 200 && status < 300));
        } else {
            CHECK((status >= 400 && status < 500));
            ++refused;
        }
    }
    REQUIRE(refused > 0);
}

void is_taken(const ProviderSettings& settings, const actors::ProviderRequest& message) {
    const auto provider = std::move(make_provider(settings)).value();
    auto request = provider->prepare(message, now);
    if (!request) FAIL(request.error().detail);
    const auto response = send(std::move(*request));
    CAPTURE(response.status, response.body);
    CHECK(provider->classify(response).kind == Kind::accepted);
}

/// What our settings cannot make wrong by themselves is made wrong by hand.
void is_refused(const ProviderSettings& settings, const actors::ProviderRequest& message,
                Kind as = Kind::rejected) {
    const auto provider = std::move(make_provider(settings)).value();
    auto request = provider->prepare(message, now);
    REQUIRE(request.has_value());
    const auto response = send(std::move(*request));
    CAPTURE(response.status, response.body);
    CHECK(response.status >= 400);
    CHECK(provider->classify(response).kind == as);
}

} // namespace

TEST_CASE("SendGrid's description takes what we send, and refuses what is wrong", "[mocks]") {
    const auto program = prism();
    if (!program) return;
    const Mock mock{*program, "sendgrid_mail_v3.json"};
    check_the_mock(mock, "sendgrid");
    auto settings = sendgrid();
    settings.url = mock.url();
    is_taken(settings, mail());
    is_taken(settings, rendered_mail());
    settings.options["unsubscribe_group"] = "7";
    settings.options["test_mode"] = "true";
    is_taken(settings, mail());
    SECTION("several in one request") {
        const auto provider = std::move(make_provider(settings)).value();
        auto request = provider->prepare_batch({mail(), mail("bob@example.com", 3)}, now).value();
        CHECK(provider->classify(send(std::move(request))).kind == Kind::accepted);
    }
    SECTION("no address, no sender") {
        is_refused(settings, mail("no address"));
        settings.from = "nobody";
        is_refused(settings, mail());
    }
}

TEST_CASE("Twilio's description takes what we send, and refuses what is wrong", "[mocks]") {
    const auto program = prism();
    if (!program) return;
    const Mock mock{*program, "twilio_messages_v2010.json"};
    check_the_mock(mock, "twilio");
    auto settings = twilio();
    settings.url = mock.url();
    is_taken(settings, sms());
    SECTION("a messaging service and a content template") {
        settings.options["messaging_service"] = "MG00000000000000000000000000000001";
        settings.templates["cart-reminder"] = "HX00000000000000000000000000000001";
        auto message = mail();
        message.address = "+4915112345678";
        is_taken(settings, message);
    }
    SECTION("an account and a service that are none") {
        settings.options["messaging_service"] = "MG1";
        is_refused(settings, sms());
        settings.options["messaging_service"].clear();
        settings.options["account_sid"] = "AC1";
        is_refused(settings, sms());
    }
}

TEST_CASE("Klaviyo's description takes what we send, and refuses what is wrong", "[mocks]") {
    const auto program = prism();
    if (!program) return;
    const Mock mock{*program, "klaviyo_2026-07-15.json"};
    check_the_mock(mock, "klaviyo");
    auto settings = klaviyo();
    settings.url = mock.url();
    is_taken(settings, mail());
    is_taken(settings, call());
    settings.options["calls"] = "profile";
    is_taken(settings, call());
    settings.address = "phone";
    is_taken(settings, sms());
    SECTION("several in one bulk, and one whose metric has no name") {
        const auto provider = std::move(make_provider(klaviyo())).value();
        auto request = provider->prepare_batch({mail(), mail("bob@example.com", 3)}, now).value();
        request.url = mock.url() + "/api/event-bulk-create-jobs";
        CHECK(provider->classify(send(request)).kind == Kind::accepted);
        auto wrong = nlohmann::json::parse(request.body);
        wrong["data"]["attributes"]["events-bulk-create"]["data"][0]["attributes"].erase("profile");
        request.body = wrong.dump();
        CHECK(provider->classify(send(request)).kind == Kind::rejected);
    }
    SECTION("an event whose time is none") {
        auto message = mail();
        message.payload = with(message.payload, "at", "yesterday");
        is_refused(settings, message);
    }
}

TEST_CASE("Braze's description takes what we send, and refuses what is wrong", "[mocks]") {
    const auto program = prism();
    if (!program) return;
    const Mock mock{*program, "braze_from_docs.json"};
    check_the_mock(mock, "braze");
    auto settings = braze();
    settings.url = mock.url();
    is_taken(settings, mail());
    is_taken(settings, call());
    settings.templates["cart-reminder"] = "canvas:x9";
    is_taken(settings, mail());
    settings.templates["cart-reminder"] = "transactional:t7";
    is_taken(settings, mail());
    SECTION("fifty events are taken together") {
        const auto provider = std::move(make_provider(settings)).value();
        const std::vector<actors::ProviderRequest> many(50, call());
        CHECK(provider->classify(send(provider->prepare_batch(many, now).value())).kind ==
              Kind::accepted);
    }
    SECTION("fifty recipients are taken, fifty-one are not") {
        settings.templates["cart-reminder"] = "c1";
        const auto provider = std::move(make_provider(settings)).value();
        std::vector<actors::ProviderRequest> many(50, mail());
        CHECK(provider->classify(send(provider->prepare_batch(many, now).value())).kind ==
              Kind::accepted);
        many.push_back(mail());
        CHECK(provider->classify(send(provider->prepare_batch(many, now).value())).kind ==
              Kind::rejected);
    }
}
