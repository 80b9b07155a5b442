#include "tests/bench/guarded.hpp"

#include "tests/bench/measure.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {
namespace fs = std::filesystem;

namespace {

constexpr auto patience = std::chrono::seconds{10};

volatile std::sig_atomic_t worker = 0;

/// Those who typed ^C in a terminal have told the worker already; twice does no harm.
extern "C" void pass_on(int signal) {
    if (worker > 0) ::kill(static_cast<pid_t>(worker), signal);
}

class PassedOn {
public:
    explicit PassedOn(int signal) : signal_(signal) {
        struct sigaction action {};
        action.sa_handler = pass_on;
        ::sigaction(signal, &action, &before_);
    }
    ~PassedOn() { ::sigaction(signal_, &before_, nullptr); }
    PassedOn(const PassedOn&) = delete;
    PassedOn& operator=(const PassedOn&) = delete;

private:
    int signal_;
    struct sigaction before_ {};
};

bool is_running(pid_t process) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto name_end = text.rfind(") ");
    return name_end != text.npos && text.at(name_end + 2) != 'Z';
}

/// SIGQUIT ends PostgreSQL at once; its data are going to be removed.
void stop_servers(const fs::path& folder) {
    for (const auto server : servers_below(folder)) {
        ::kill(server, SIGQUIT);
        for (const auto until = std::chrono::steady_clock::now() + patience;
             is_running(server) && std::chrono::steady_clock::now() < until;)
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

} // namespace

std::vector<int> servers_below(const fs::path& folder) {
    std::vector<int> servers;
    std::error_code error;
    for (fs::recursive_directory_iterator
             at{folder, fs::directory_options::skip_permission_denied, error},
         end;
         !error && at != end; at.increment(error)) {
        if (at->path().filename() != "postmaster.pid") continue;
        int server = 0;
        std::ifstream{at->path()} >> server;
        if (server > 1) servers.push_back(server);
    }
    return servers;
}

int guarded(const fs::path& below, const std::function<int(const fs::path& folder)>& work) {
    const TemporaryFolder folder{below};
    std::cout.flush();
    std::fflush(nullptr);
    worker = 0;
    const PassedOn interrupt{SIGINT}, terminate{SIGTERM};
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error{"cannot begin a process"};
    if (child == 0) {
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
        int code = 1;
        try {
            code = work(folder.path());
        } catch (const std::exception& error) {
            std::fprintf(stderr, "sojourn: %s\n", error.what());
        }
        std::exit(code); // Only the stack stays as it is: the folder is the parent's.
    }
    worker = child;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    worker = 0;
    stop_servers(folder.path());
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace bench
