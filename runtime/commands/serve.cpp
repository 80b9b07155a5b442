#include "runtime/commands/commands.hpp"

#include "runtime/service.hpp"

#include <CLI/Validators.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

namespace runtime {
namespace {

constexpr std::chrono::seconds watchdog_margin{10};
constexpr timespec look_every{.tv_sec = 0, .tv_nsec = 500'000'000};

bool is_asked_to_end() {
    sigset_t waiting;
    sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

/// Ends the process where stopping hangs: what is acknowledged is in the log.
class Watchdog {
public:
    explicit Watchdog(std::chrono::milliseconds patience)
        : thread_([this, patience] { watch(patience); }) {}
    ~Watchdog() {
        {
            const std::scoped_lock lock{mutex_};
            is_over_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    void watch(std::chrono::milliseconds patience) {
        std::unique_lock lock{mutex_};
        if (changed_.wait_for(lock, patience, [this] { return is_over_; })) return;
        std::fprintf(stderr, "sojourn: stopping hangs; what is acknowledged is in the log\n");
        std::fflush(nullptr);
        std::_Exit(exit_environment);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_over_ = false; ///< Guarded by `mutex_`.
    std::thread thread_;
};

int serve(ServiceOptions options) {
    options.gives_up = is_asked_to_end;
    // Every thread inherits the mask, so signals are taken here and nowhere else.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    std::vector<schema::Mistake> mistakes;
    auto service = Service::start(options, mistakes);
    if (!service) {
        for (const auto& mistake : mistakes)
            std::fprintf(stderr, "%s\n", schema::to_text(mistake).c_str());
        if (mistakes.empty()) std::fprintf(stderr, "sojourn: %s\n", service.error().detail.c_str());
        return mistakes.empty() ? exit_environment : exit_input;
    }
    if (!*service) return exit_done; // It stood by, and was asked to end.
    while (true) {
        const int signal = sigtimedwait(&signals, nullptr, &look_every);
        if ((*service)->has_been_replaced()) {
            std::fprintf(stderr, "sojourn: another process has taken over\n");
            std::fflush(nullptr);
            std::_Exit(exit_environment); // Nothing of ours counts any more, and nothing may hang.
        }
        if (signal < 0) continue;
        if (signal == SIGHUP) {
            (*service)->reload();
            continue;
        }
        // Beside what a clean end may take there are desks that wait for the database.
        const Watchdog watchdog{(*service)->shutdown_timeout() + watchdog_margin};
        if (!(*service)->stop()) {
            std::fflush(nullptr);
            std::_Exit(exit_environment); // Something hangs: destructors would hang with it.
        }
        service->reset();
        return exit_done;
    }
}

} // namespace

void add_serve(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand("serve", "Run the service");
    const auto options = std::make_shared<ServiceOptions>();
    const auto config = std::make_shared<std::string>("config/sojourn.yaml");
    command->add_option("--config", *config, "The configuration")->capture_default_str();
    command
        ->add_option("--clock-speed", options->clock_speed,
                     "Service time runs so many times faster; for demonstrations")
        ->check(CLI::Range(0.001, 1e6));
    command->add_flag("--show-triggers", options->show_triggers,
                      "Print a line for each message that goes out or is held back");
    command->callback([options, config, &exit_code] {
        options->config = *config;
        exit_code = serve(*options);
    });
}

} // namespace runtime
