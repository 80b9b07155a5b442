#include "tests/bench/live_service.hpp"

#include "runtime/database.hpp"
#include "runtime/event_files.hpp"
#include "runtime/producer/stream_producer.hpp"
#include "runtime/publication.hpp"
#include "tests/bench/guarded.hpp"
#include "tests/bench/measure.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace bench {
namespace fs = std::filesystem;

namespace {

/// A load belongs into no database that somebody uses, and its messages reach nobody.
void refuse_what_is_real(const fs::path& config) {
    const auto files = runtime::read_files(config / "sojourn.yaml", std::nullopt);
    if (!files) throw std::runtime_error{files.error().detail};
    const auto settings = runtime::settings_of(*files, config);
    if (!settings) throw std::runtime_error{"sojourn.yaml has mistakes; see `sojourn check`"};
    if (!settings->storage.url.is_empty())
        throw std::runtime_error{"sojourn.yaml has a storage.url; a load is only put on a "
                                 "PostgreSQL that is made for it"};
    for (const auto& channel : settings->channels)
        if (channel.type != "sandbox")
            throw std::runtime_error{"channel " + channel.name +
                                     " is no sandbox; a load calls no provider"};
}

} // namespace

LiveService::LiveService(const fs::path& config, const fs::path& folder,
                         const std::function<void(std::string&)>& change) {
    const auto copy = folder / "config";
    copy_config(config, copy);
    refuse_what_is_real(copy);
    auto text = runtime::read_file(copy / "sojourn.yaml").value();
    const auto port = text.find("port: 8080");
    if (port == text.npos) throw std::runtime_error{"sojourn.yaml names no port 8080"};
    text.replace(port, 10, "port: 0");
    if (change) change(text);
    std::ofstream{copy / "sojourn.yaml"} << text;

    config_ = copy / "sojourn.yaml";
    start();
}

void LiveService::start() {
    std::vector<schema::Mistake> mistakes;
    runtime::ServiceOptions options;
    options.config = config_;
    auto started = runtime::Service::start(options, mistakes);
    if (!started) {
        auto why = started.error().detail;
        for (const auto& mistake : mistakes) why += '\n' + schema::to_text(mistake);
        throw std::runtime_error{why};
    }
    service_ = std::move(*started);
    server_pid_ = find_server(config_.parent_path().parent_path());
    // Else its CPU would count as nothing.
    if (server_pid_ == 0) throw std::runtime_error{"the service has no PostgreSQL of its own here"};
}

void LiveService::stop() {
    service_->stop();
    service_.reset();
}

LiveService::~LiveService() {
    if (service_) service_->stop();
}

double LiveService::metric(const std::string& name) const {
    const runtime::StreamUrl url{"127.0.0.1", std::to_string(port()), "/"};
    const auto text = runtime::get_from_host(url, "/metrics");
    if (!text) throw std::runtime_error{text.error().detail};
    std::istringstream lines{*text};
    double all = 0;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name) && (line[name.size()] == ' ' || line[name.size()] == '{'))
            all += std::stod(line.substr(line.rfind(' ') + 1));
    return all;
}

bool LiveService::wait_until_applied(double records, double patience) const {
    const auto until = seconds_now() + patience;
    while (metric("sojourn_applied_total") < records) {
        if (seconds_now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

bool LiveService::wait_until_flushed(double patience) const {
    const auto until = seconds_now() + patience;
    while (metric("sojourn_lag_events") > 0) {
        if (seconds_now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    return true;
}

double LiveService::sql(const std::string& query) const {
    auto connection = connect();
    return number_of(connection, query);
}

runtime::Connection LiveService::connect() const {
    const auto database = runtime::open_database(config_);
    if (!database) throw std::runtime_error{database.error().detail};
    auto connection =
        runtime::Connection::open({.conninfo = database->conninfo, .instance = "bench"}, "bench");
    if (!connection) throw std::runtime_error{connection.error().detail};
    return std::move(*connection);
}

double number_of(runtime::Connection& connection, const std::string& query) {
    const auto rows = connection.run_script(query);
    if (!rows) throw std::runtime_error{rows.error().detail};
    return rows->empty() || rows->is_null(0, 0) ? 0 : std::stod(std::string{rows->bytes(0, 0)});
}

Sent send_load(std::uint16_t port, Load& load, std::size_t messages, double seconds,
               std::size_t frames_max) {
    Sent sent;
    std::string failure;
    std::thread producer{[&] {
        const auto cpu = thread_cpu();
        const auto begin = seconds_now();
        std::size_t frames = 0;
        runtime::StreamProducer::Options options;
        options.url = {"127.0.0.1", std::to_string(port), "/v1/stream"};
        options.write_key = "demo";
        runtime::StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<runtime::StreamProducer::Frame> {
            if (frames == frames_max || seconds_now() - begin >= seconds) return std::nullopt;
            ++frames;
            const auto now =
                std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
            return runtime::StreamProducer::Frame{load.frame(messages, now), messages};
        };
        const auto totals = runtime::StreamProducer::run(options, callbacks);
        sent.took = seconds_now() - begin;
        sent.cpu = thread_cpu() - cpu;
        if (!totals) {
            failure = totals.error().detail;
            return;
        }
        sent.accepted = totals->accepted;
        sent.rejected = totals->rejected;
    }};
    producer.join();
    if (!failure.empty()) throw std::runtime_error{failure};
    return sent;
}

void copy_config(const fs::path& from, const fs::path& to) {
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator{from})
        if (!entry.path().filename().string().starts_with('.')) // Data that a service keeps.
            fs::copy(entry.path(), to / entry.path().filename(), fs::copy_options::recursive);
}

void add_bench_channel(std::string& text, std::uint16_t port) {
    const std::string channels{"\nchannels:\n"};
    const auto at = text.find(channels);
    if (at == text.npos) throw std::runtime_error{"sojourn.yaml has no channels"};
    text.insert(
        at + channels.size(),
        "  bench: { type: webhook, address: none, concurrency: 64, url: \"http://127.0.0.1:" +
            std::to_string(port) +
            "/\", secret: \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\" }\n");
}

void add_journey(const fs::path& config, const std::string& id, const std::string& journey,
                 const std::string& event, bool alone) {
    if (alone) {
        fs::remove_all(config / "journeys");
        fs::create_directory(config / "journeys");
    }
    std::ofstream{config / "journeys" / (id + ".yaml")} << journey;
    std::ofstream{config / "events.yaml", std::ios::app} << "\n  " << event << '\n';
}

int find_server(const fs::path& folder) {
    const auto servers = servers_below(folder);
    return servers.empty() ? 0 : servers.front();
}

} // namespace bench
