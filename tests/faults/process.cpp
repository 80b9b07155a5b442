#include "tests/faults/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Process::Process(const std::vector<std::string>& command, const Environment& environment,
                 const std::filesystem::path& output, Limits limits) {
    // Made before the fork: behind it only what is safe in a copy of one thread may be called.
    std::vector<std::string> texts;
    for (char** entry = environ; *entry; ++entry) {
        const std::string text{*entry};
        if (!environment.contains(text.substr(0, text.find('=')))) texts.push_back(text);
    }
    for (const auto& [name, value] : environment) texts.push_back(name + '=' + value);
    std::vector<char*> variables, arguments;
    for (auto& text : texts) variables.push_back(text.data());
    variables.push_back(nullptr);
    auto words = command;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) throw std::runtime_error("cannot write " + output.string());

    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("no process");
    if (id_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        // A copy of a proxy's socket would keep a connection alive that both its ends have closed.
        ::close_range(STDERR_FILENO + 1, ~0U, 0);
        if (limits.descriptors > 0) {
            const rlimit limit{limits.descriptors, limits.descriptors};
            ::setrlimit(RLIMIT_NOFILE, &limit);
        }
        ::execve(arguments[0], arguments.data(), variables.data());
        ::_exit(127);
    }
    ::close(file);
}

Process::~Process() { kill(); }

void Process::signal(int number) const {
    if (!end_) ::kill(id_, number);
}

std::optional<int> Process::poll() {
    if (end_) return end_;
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) == id_)
        end_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return end_;
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    for (const auto until = Clock::now() + patience; !poll() && Clock::now() < until;)
        std::this_thread::sleep_for(5ms);
    return end_;
}

void Process::kill() {
    if (poll()) return;
    signal(SIGKILL);
    signal(SIGCONT);
    int status = 0;
    ::waitpid(id_, &status, 0);
    end_ = -SIGKILL;
}

Process::Usage Process::usage() const {
    Usage usage;
    const std::filesystem::path folder{"/proc/" + std::to_string(id_)};
    std::ifstream status{folder / "status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) usage.resident_bytes = std::stoull(line.substr(6)) << 10;
        if (line.starts_with("Threads:")) usage.threads = std::stoull(line.substr(8));
    }
    std::error_code ignored;
    for (auto entry = std::filesystem::directory_iterator{folder / "fd", ignored};
         entry != std::filesystem::directory_iterator{}; entry.increment(ignored))
        ++usage.descriptors;
    return usage;
}

} // namespace faults
