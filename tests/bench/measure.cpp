#include "tests/bench/measure.hpp"

#include "runtime/free_memory.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double used_by(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/// The value of the first line that starts with `key`, behind its colon.
std::string line_of(const char* file, std::string_view key) {
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key)) continue;
        const auto value = line.find_first_not_of(" \t", line.find(':') + 1);
        return value == line.npos ? "" : line.substr(value);
    }
    return "unknown";
}

struct ProcessStat {
    int parent = 0;
    double own = 0, children = 0; ///< Seconds.
};

bool read_stat(const std::string& file, ProcessStat& stat) {
    std::ifstream in{file};
    std::string text;
    if (!std::getline(in, text)) return false;
    const auto name_end = text.rfind(')'); // The name may hold anything.
    if (name_end == text.npos) return false;
    std::istringstream rest{text.substr(name_end + 1)};
    std::string state, skipped;
    rest >> state >> stat.parent;
    for (int i = 5; i <= 13; ++i) rest >> skipped;
    double user = 0, system = 0, children_user = 0, children_system = 0;
    rest >> user >> system >> children_user >> children_system;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    stat.own = (user + system) / ticks;
    stat.children = (children_user + children_system) / ticks;
    return true;
}

nlohmann::json json_of(const Spread& spread) {
    return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

} // namespace

Spread spread_of(std::vector<double> values) {
    if (values.empty()) throw std::runtime_error{"there is nothing to take the middle of"};
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    const auto median = values.size() % 2 != 0 ? values.at(middle)
                                               : (values.at(middle - 1) + values.at(middle)) / 2;
    return {median, values.front(), values.back()};
}

double share_of(std::vector<double> values, double part) {
    if (values.empty()) throw std::runtime_error{"there is nothing to take a share of"};
    std::sort(values.begin(), values.end());
    return values.at(std::min(values.size() - 1,
                              static_cast<std::size_t>(part * static_cast<double>(values.size()))));
}

Figure compare(std::string name, std::string unit, int rounds, const std::function<double()>& ours,
               const std::function<double()>& raw) {
    std::vector<double> our_values, raw_values;
    for (int round = 0; round < rounds; ++round) {
        our_values.push_back(ours());
        raw_values.push_back(raw());
    }
    return figure_of(std::move(name), std::move(unit), our_values, raw_values);
}

Figure figure_of(std::string name, std::string unit, const std::vector<double>& ours,
                 const std::vector<double>& raw) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / raw.at(i));
    return {.name = std::move(name),
            .unit = std::move(unit),
            .ours = spread_of(ours),
            .raw = spread_of(raw),
            .ratio = spread_of(ratios),
            .goal = "",
            .details = {}};
}

void print_table(std::ostream& out, const std::vector<Figure>& figures) {
    out << std::left << std::setw(26) << "figure" << std::right << std::setw(12) << "ours"
        << std::setw(12) << "raw part"
        << "  " << std::left << std::setw(12) << "unit" << std::right << std::setw(8) << "ratio"
        << std::setw(16) << "min - max"
        << "  goal\n";
    for (const auto& figure : figures) {
        std::ostringstream span;
        span << std::fixed << std::setprecision(2) << figure.ratio.least << " - "
             << figure.ratio.most;
        out << std::left << std::setw(26) << figure.name << std::right << std::fixed
            << std::setprecision(1) << std::setw(12) << figure.ours.median << std::setw(12)
            << figure.raw.median << "  " << std::left << std::setw(12) << figure.unit << std::right
            << std::setprecision(2) << std::setw(8) << figure.ratio.median << std::setw(16)
            << span.str() << "  ";
        if (!figure.goal.empty()) out << figure.goal << (figure.reached ? ": reached" : ": MISSED");
        out << '\n';
        for (const auto& [name, value] : figure.details)
            out << "    " << std::left << std::setw(44) << name << std::right
                << std::setprecision(2) << std::setw(14) << value << '\n';
    }
    out.flush();
}

std::string to_json(const std::vector<Figure>& figures) {
    nlohmann::json all = {{"machine", describe_machine()}, {"figures", nlohmann::json::array()}};
    for (const auto& figure : figures)
        all["figures"].push_back({{"name", figure.name},
                                  {"unit", figure.unit},
                                  {"ours", json_of(figure.ours)},
                                  {"raw", json_of(figure.raw)},
                                  {"ratio", json_of(figure.ratio)},
                                  {"goal", figure.goal},
                                  {"reached", figure.reached},
                                  {"details", figure.details}});
    return all.dump(2);
}

std::string describe_machine() {
    utsname name{};
    ::uname(&name);
    double loads[3] = {};
    ::getloadavg(loads, 3);
    std::ostringstream text;
    text << line_of("/proc/cpuinfo", "model name") << ", " << std::thread::hardware_concurrency()
         << " cores, " << line_of("/proc/meminfo", "MemTotal") << ", " << name.sysname << ' '
         << name.release << ", load " << std::fixed << std::setprecision(2) << loads[0];
    return text.str();
}

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
double process_cpu() { return used_by(RUSAGE_SELF); }
double thread_cpu() { return used_by(RUSAGE_THREAD); }

double tree_cpu(int pid) {
    double all = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != name.npos) continue;
        ProcessStat stat;
        if (!read_stat(entry.path() / "stat", stat)) continue; // It has ended meanwhile.
        if (name == std::to_string(pid))
            all += stat.own + stat.children;
        else if (stat.parent == pid)
            all += stat.own;
    }
    return all;
}

double resident_bytes() {
    runtime::give_memory_back();
    return resident_bytes_as_is();
}

double resident_bytes_as_is() {
    std::ifstream in{"/proc/self/statm"};
    double all = 0, resident = 0;
    in >> all >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& below) {
    auto pattern = (below / "sojourn-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
        throw std::runtime_error{"cannot make a folder in " + below.string()};
    path_ = pattern;
    std::filesystem::permissions(
        path_, std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
        std::filesystem::perm_options::add);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::vector<double> in_own_process(const std::function<std::vector<double>()>& work) {
    int ends[2];
    if (::pipe(ends) != 0) return {};
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        std::vector<double> values;
        try {
            values = work();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "sojourn: %s\n", error.what());
            ::_exit(1);
        }
        const auto size = values.size() * sizeof(double);
        const bool written = ::write(ends[1], values.data(), size) == static_cast<ssize_t>(size);
        ::_exit(written ? 0 : 1); // Without destructors: the parent's are its own.
    }
    ::close(ends[1]);
    std::vector<double> values;
    for (double value = 0; ::read(ends[0], &value, sizeof value) == sizeof value;)
        values.push_back(value);
    ::close(ends[0]);
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return {};
    return values;
}

} // namespace bench
