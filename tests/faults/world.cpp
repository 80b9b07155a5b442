#include "tests/faults/world.hpp"

#include "journeys/local_time.hpp"
#include "tests/faults/options.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

namespace {

template <class Value> Value must(journeys::Result<Value> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

fs::path new_folder() {
    std::string name = (fs::temp_directory_path() / "sojourn-faults-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    ::chmod(name.c_str(), 0755); // As root the server is another user, who has to pass.
    return name;
}

std::uint16_t free_port() {
    using asio::ip::tcp;
    asio::io_context context;
    return tcp::acceptor{context, {asio::ip::address_v4::loopback(), 0}}.local_endpoint().port();
}

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream{file} << text;
}

/// More than any test gives out, an overload of a minute too.
constexpr int codes_max = 200'000;

/// When a provider answers is no matter of the log, so nothing here hangs on it: each run sends at
/// most once, and whether a run is entered does not depend on whether the one before has ended.
constexpr auto cart_journey = R"(
id: cart
status: live
enter: { on: [Product Added], key: cart.id, reentry: never }
exit: [{ on: Order Completed, reason: purchased }]
steps:
  - name: wait
    wait: { for: 30m, restart_on: [Product Added], at_most: 2h }
  - name: touch
    send:
      channel: crm
      template: cart
      topic: shop
      expires: 30d
      data:
        total: cart.value
)";
constexpr auto browse_journey = R"(
id: browse
status: live
enter:
  on: [Product Viewed]
  key: event.properties.url
  when: size(cart.items) == 0
  reentry: { after: 30d, per: customer }
exit: [{ on: [Product Added, Order Completed], reason: went-on }]
steps:
  - name: wait
    wait: { for: 20m }
  - name: touch
    send: { channel: sms, template: browse, topic: shop, expires: 30d }
)";
constexpr auto welcome_journey = R"(
id: welcome
status: live
enter: { on: [Signed Up], key: event.properties.number, reentry: always }
steps:
  - name: touch
    send:
      channel: crm
      template: welcome
      topic: shop
      expires: 30d
      coupon: gifts
      data:
        code: coupon.code
)";
constexpr auto hello_journey = R"(
id: hello
status: live
enter: { on: [Signed Up], key: event.properties.number, reentry: always }
steps:
  - name: touch
    send: { channel: sms, template: hello, topic: shop, expires: 30d }
)";

std::size_t append_body(char* data, std::size_t, std::size_t size, void* body) {
    static_cast<std::string*>(body)->append(data, size);
    return size;
}

} // namespace

World::World(Shape shape) : shape_(std::move(shape)), folder_(new_folder()) {
    storage_folder_ = shape_.storage_folder.empty() ? folder_ / "pg" : shape_.storage_folder;
    server_.emplace(must(runtime::EmbeddedPostgres::start(storage_folder_)));
    provider = std::make_unique<Provider>(loop);
    calls = Proxy::before_port(loop, provider->port());
    fs::create_directories(folder_ / "proxy");
    // The server's socket is where its conninfo says.
    const auto info = server_->conninfo();
    const auto begin = info.find('\'') + 1;
    storage = Proxy::before_postgres(loop, folder_ / "proxy",
                                     info.substr(begin, info.find('\'', begin) - begin));
    port_ = free_port();
    second_port_ = free_port();
    write_files();
}

World::~World() {
    service_.reset();
    storage.reset();
    calls.reset();
    provider.reset();
    server_.reset();
    if (options().keep) {
        std::fprintf(stderr, "left behind: %s\n", folder_.c_str());
        return;
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void World::write_files() {
    const auto channel = [&](const std::string& path, const char* more) {
        return "{ type: webhook, url: \"http://127.0.0.1:" + std::to_string(calls->port()) + path +
               "\", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3, address: none, opt_in: false" +
               more + shape_.channel + " }\n";
    };
    auto more = shape_.more_channels;
    for (auto at = more.find("PROVIDER"); at != more.npos; at = more.find("PROVIDER"))
        more.replace(at, 8, "http://127.0.0.1:" + std::to_string(calls->port()));
    const auto config = [&](std::uint16_t port) {
        return "listen: { port: " + std::to_string(port) +
               " }\n"
               "storage: { url: \"postgresql://sojourn@/postgres?host=" +
               (folder_ / "proxy").string() +
               "&port=5432\", checkpoint: 1s }\n"
               "public_url: https://shop.example\n" // Of both: it is in the payloads.
               "journeys: journeys\n"
               "keys: [{ name: shop, key: test-key, scopes: [ingest, decide, admin] }]\n"
               "topics: [shop]\n"
               "channels:\n"
               "  crm: " +
               channel("/crm", ", deduplicates: true") + "  sms: " + channel("/sms", "") + more +
               (shape_.limits.empty() ? "" : "limits: { " + shape_.limits + " }\n");
    };
    write(folder_ / "sojourn.yaml", config(port_));
    write(folder_ / "second.yaml", config(second_port_));
    add_journey("cart", cart_journey);
    add_journey("browse", browse_journey);
    add_journey("welcome", welcome_journey);
    add_journey("hello", hello_journey);
    write(folder_ / "events.yaml", "events:\n  Signed Up:\n    properties: { number: string }\n");
    write(folder_ / "coupons.yaml", "gifts: { file: gifts.csv }\n");
    std::string codes = "code\n";
    for (int i = 0; i < codes_max; ++i) codes += "GIFT-" + std::to_string(i) + '\n';
    write(folder_ / "gifts.csv", codes);
    for (const char* name : {"cart", "browse", "welcome", "hello"})
        write(folder_ / "templates" / (std::string{name} + ".mustache"), "Hello");
}

void World::add_journey(const std::string& name, const std::string& text) const {
    write(folder_ / "journeys" / (name + ".yaml"), text);
}

void World::launch(const Environment& environment) {
    service_.reset();
    ++launches_;
    service_ = std::make_unique<Process>(
        std::vector<std::string>{options().binary, "serve", "--config", config().string(),
                                 "--clock-speed", std::to_string(shape_.clock_speed)},
        environment, log(), Process::Limits{.descriptors = shape_.descriptors});
}

std::unique_ptr<Process> World::launch_second(const Environment& environment) {
    ++launches_;
    return std::make_unique<Process>(std::vector<std::string>{options().binary, "serve", "--config",
                                                              (folder_ / "second.yaml").string(),
                                                              "--clock-speed",
                                                              std::to_string(shape_.clock_speed)},
                                     environment, second_log(), Process::Limits{});
}

void World::start(const Environment& environment) {
    launch(environment);
    if (wait_until_ready(60s)) return;
    std::ifstream file{log()};
    const std::string said{std::istreambuf_iterator<char>{file}, {}};
    throw std::runtime_error("the service does not become ready:\n" +
                             said.substr(said.size() - std::min<std::size_t>(said.size(), 4000)));
}

bool World::wait_until_ready(std::chrono::milliseconds patience) {
    for (const auto until = Clock::now() + patience; Clock::now() < until;) {
        if (service_->poll()) return false;
        if (get("/readyz").status == 200) {
            usage_when_ready_ = service_->usage();
            return true;
        }
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

std::optional<int> World::stop(std::chrono::milliseconds patience) {
    service_->signal(SIGTERM);
    return service_->wait(patience);
}

World::Answer World::get(const std::string& path, std::uint16_t port) const {
    return ask(path, port, false);
}

World::Answer World::post(const std::string& path, std::uint16_t port) const {
    return ask(path, port, true);
}

World::Answer World::ask(const std::string& path, std::uint16_t port, bool is_post) const {
    static const auto initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialised;
    Answer answer;
    auto* const handle = curl_easy_init();
    const auto url = "http://127.0.0.1:" + std::to_string(port == 0 ? port_ : port) + path;
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 3000L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, append_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{
        curl_slist_append(nullptr, "authorization: Bearer test-key"), curl_slist_free_all};
    if (is_post) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    }
    if (curl_easy_perform(handle) == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
        answer.status = static_cast<int>(status);
    }
    curl_easy_cleanup(handle);
    return answer;
}

std::optional<double> World::metric(const std::string& series) const {
    const auto text = "\n" + get("/metrics").body;
    const auto at = text.find("\n" + series + ' ');
    if (at == text.npos) return std::nullopt;
    return std::strtod(text.c_str() + at + series.size() + 2, nullptr);
}

std::optional<journeys::Timestamp> World::service_time() const {
    const auto health = nlohmann::json::parse(get("/healthz", calm_port_).body, nullptr, false);
    if (!health.is_object()) return std::nullopt;
    return journeys::parse_timestamp(health.at("service_time").get<std::string>(), true);
}

std::string World::wait_for_calm(std::chrono::milliseconds patience) {
    // Our waits end within two hours. A stored time may be too early: one that lies further off is
    // that of an intent which would have expired, and one that has passed is corrected at leisure.
    const std::string unrest =
        "SELECT (SELECT count(*) FROM log_positions l JOIN progress p USING (partition) "
        "        WHERE p.watermark < l.last_offset), "
        "(SELECT count(*) FROM transfers), "
        "(SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')), "
        "(SELECT count(*) FROM snapshots WHERE wake_at BETWEEN $1 - interval '30 minutes' AND "
        "$1 + interval '12 hours'), "
        "(SELECT count(*) FROM walks WHERE over_at IS NULL)";
    std::string why = "storage does not answer";
    int calm = 0;
    for (const auto until = Clock::now() + patience; Clock::now() < until;) {
        std::this_thread::sleep_for(100ms);
        auto connected = runtime::Connection::open(
            {.conninfo = server_->conninfo(), .instance = "harness"}, "calm");
        if (!connected) continue;
        const auto now = service_time();
        if (!now) continue;
        runtime::SqlParams params;
        params.add(*now);
        const auto rows = connected->run(unrest.c_str(), params);
        if (!rows) continue;
        why = "partitions behind " + std::to_string(rows->int8(0, 0)) + ", transfers " +
              std::to_string(rows->int8(0, 1)) + ", open intents " +
              std::to_string(rows->int8(0, 2)) + ", waiting customers " +
              std::to_string(rows->int8(0, 3)) + ", walks " + std::to_string(rows->int8(0, 4));
        bool is_calm = true;
        for (int column = 0; column < 5; ++column) is_calm = is_calm && rows->int8(0, column) == 0;
        calm = is_calm ? calm + 1 : 0;
        if (calm == 3) return {};
    }
    return why;
}

void World::kill_storage() {
    const int postmaster = server_->server_pid();
    if (postmaster == 0) return;
    // Its children first are stopped with it, so that none of them does anything by itself.
    std::ifstream children{"/proc/" + std::to_string(postmaster) + "/task/" +
                           std::to_string(postmaster) + "/children"};
    std::vector<pid_t> all{postmaster};
    for (pid_t child = 0; children >> child;) all.push_back(child);
    for (const auto process : all) ::kill(process, SIGKILL);
    while (::kill(postmaster, 0) == 0) std::this_thread::sleep_for(5ms);
}

void World::restart_storage() {
    if (server_) server_->leave_running();
    for (const auto until = Clock::now() + 30s;;) {
        auto again = runtime::EmbeddedPostgres::start(storage_folder_);
        if (again) {
            server_.reset();
            server_.emplace(std::move(*again));
            return;
        }
        if (Clock::now() > until) throw std::runtime_error(again.error().detail);
        std::this_thread::sleep_for(50ms);
    }
}

void World::set_storage(const std::string& setting, const std::string& value) {
    auto connection = connect();
    must(connection.run_script("ALTER SYSTEM SET " + setting + " = '" + value + "'"));
    must(connection.run_script("SELECT pg_reload_conf()"));
}

runtime::Connection World::connect() const {
    return must(runtime::Connection::open({.conninfo = server_->conninfo(), .instance = "harness"},
                                          "test"));
}

std::string World::sql(const std::string& query) const {
    auto connection = connect();
    auto rows = connection.run_script(query);
    if (!rows) throw std::runtime_error(rows.error().detail);
    return rows->empty() || rows->is_null(0, 0) ? std::string{} : std::string{rows->bytes(0, 0)};
}

std::unique_ptr<Producers> start_traffic(World& world, const Mix& mix, Producers::Options given,
                                         int first_lane) {
    if (given.port == 0) given.port = world.port();
    return std::make_unique<Producers>(
        world.loop, given, traffic_of(options().seed, mix, given.connections, first_lane));
}

std::function<std::string()> earlier_in(const World& world, std::chrono::minutes by) {
    const auto asked = world.service_time();
    const auto began = Clock::now();
    return [at = *asked, began, by, speed = world.shape().clock_speed] {
        const std::chrono::duration<double, std::milli> passed = (Clock::now() - began) * speed;
        return journeys::to_text(at + std::chrono::duration_cast<journeys::Duration>(passed) - by);
    };
}

} // namespace faults
