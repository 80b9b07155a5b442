#include "tests/bench/outbox_bench.hpp"

#include "runtime/postgres/embedded.hpp"
#include "tests/bench/calling_journey.hpp"
#include "tests/bench/live_service.hpp"
#include "tests/bench/loaded_pipeline.hpp"
#include "tests/bench/produce.hpp"
#include "tests/bench/receiver.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr std::size_t frame_messages = 100;
constexpr double patience = 120, goal = 1;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"outbox: " + what};
}

class Ours {
public:
    explicit Ours(const OutboxOptions& options)
        : folder_(options.folder / "ours"),
          calls_(options.customers / frame_messages * frame_messages),
          service_(options.config, folder_,
                   [&](std::string& text) {
                       add_bench_channel(text, receiver_.port());
                       add_calling_journey(folder_ / "config");
                   }),
          database_(service_.connect()) {}

    double round() {
        receiver_.forget();
        const auto postgres = tree_cpu(service_.server_pid());
        const auto others = process_cpu() - receiver_.cpu();
        const auto begin = seconds_now();
        const auto sent = produce(service_.port(),
                                  {.connections = 4,
                                   .frame_messages = frame_messages,
                                   .seconds = 1e9,
                                   .frames_max = calls_ / frame_messages},
                                  [&](std::size_t messages) { return frame(messages); });
        check(sent.rejected == 0 && sent.accepted == calls_, "events were refused");
        wait_for([&] { return receiver_.count() >= calls_; }, "calls are missing");
        wait_for([&] { return number_of(database_, open_rows) == 0; }, "rows stay open");
        const auto took = seconds_now() - begin;
        const auto spent = process_cpu() - receiver_.cpu() - others - sent.cpu +
                           tree_cpu(service_.server_pid()) - postgres;
        for (const auto& [n, call] : receiver_.calls()) check(call.times == 1, "a call came twice");
        settled_ += static_cast<double>(calls_);
        check(number_of(database_, "SELECT count(*) FROM outbox WHERE state = 'accepted' "
                                   "AND journey = 'bench-trigger'") == settled_,
              "not all were settled");
        cpu_micros.push_back(spent / static_cast<double>(calls_) * 1e6);
        return static_cast<double>(calls_) / took;
    }

    std::size_t calls() const { return calls_; }
    std::vector<double> cpu_micros; ///< Without the producer's and the receiver's.

private:
    static constexpr const char* open_rows =
        "SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')";

    std::string frame(std::size_t messages) {
        std::string text{"["};
        const auto now = wall_now();
        for (std::size_t i = 0; i < messages; ++i) {
            if (i > 0) text += ',';
            text += calling_message(next_++, now);
        }
        return text + ']';
    }
    static void wait_for(const std::function<bool()>& is_so, const char* what) {
        const auto until = seconds_now() + patience;
        while (!is_so()) {
            check(seconds_now() < until, what);
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }

    std::filesystem::path folder_;
    std::size_t calls_;
    Receiver receiver_;
    LiveService service_;
    runtime::Connection database_;
    std::uint64_t next_ = 0;
    double settled_ = 0;
};

/// graphile-worker, each round in a Node of its own on the same PostgreSQL.
class Peer {
public:
    Peer(const OutboxOptions& options, std::size_t jobs)
        : script_(options.peer / "jobs.mjs"), jobs_(jobs),
          server_(start_postgres(options.folder / "peer")) {}

    static bool is_installed(const OutboxOptions& options) {
        return std::filesystem::exists(options.peer / "node_modules/graphile-worker") &&
               std::system("command -v node > /dev/null") == 0;
    }

    double round() {
        const auto postgres = tree_cpu(server_.server_pid());
        const auto said = output_of("exec node '" + script_.string() + "' '" + socket_folder() +
                                    "' " + std::to_string(jobs_));
        const auto answer = nlohmann::json::parse(said, nullptr, false);
        check(answer.is_object() && answer.value("done", std::size_t{0}) == jobs_,
              "graphile-worker failed: " + said);
        cpu_micros.push_back(
            (answer["cpu"].get<double>() + tree_cpu(server_.server_pid()) - postgres) /
            static_cast<double>(jobs_) * 1e6);
        return static_cast<double>(jobs_) / answer["seconds"].get<double>();
    }

    std::vector<double> cpu_micros;

private:
    std::string socket_folder() const {
        auto connection = runtime::Connection::open(
            {.conninfo = server_.conninfo(), .instance = "bench"}, "bench");
        if (!connection) throw std::runtime_error{connection.error().detail};
        const auto rows = connection->run_script("SHOW unix_socket_directories");
        if (!rows) throw std::runtime_error{rows.error().detail};
        return std::string{rows->bytes(0, 0)};
    }
    static std::string output_of(const std::string& command) {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{
            ::popen(command.c_str(), "r"), [](std::FILE* file) { return ::pclose(file); }};
        check(pipe != nullptr, "cannot start " + command);
        std::string text;
        std::array<char, 4096> part;
        while (const auto read = std::fread(part.data(), 1, part.size(), pipe.get()))
            text.append(part.data(), read);
        // The worker's own log comes on the same stream; the figures are its last line.
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text.substr(text.rfind('\n') + 1);
    }

    std::filesystem::path script_;
    std::size_t jobs_;
    runtime::EmbeddedPostgres server_;
};

} // namespace

Figure bench_outbox(const OutboxOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    ours.round(); // Brings the customers in.
    ours.cpu_micros.clear();
    Figure figure;
    if (Peer::is_installed(options)) {
        Peer peer{options, ours.calls()};
        figure = compare(
            "outbox", "calls/s", options.rounds, [&] { return ours.round(); },
            [&] { return peer.round(); });
        figure.goal = ">= 1";
        figure.reached = figure.ratio.median >= goal;
        figure.details["raw: CPU us/job, PostgreSQL included"] = spread_of(peer.cpu_micros).median;
    } else {
        std::cerr << "outbox: NOT COMPARED: graphile-worker is not installed (cd "
                  << options.peer.string() << " && npm install)\n";
        std::vector<double> rates;
        for (int round = 0; round < options.rounds; ++round) rates.push_back(ours.round());
        figure.name = "outbox";
        figure.unit = "calls/s";
        figure.ours = spread_of(rates);
    }
    figure.details["calls of a round"] = static_cast<double>(ours.calls());
    figure.details["ours: CPU us/call, PostgreSQL included"] = spread_of(ours.cpu_micros).median;
    return figure;
}

} // namespace bench
