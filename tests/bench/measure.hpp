/// What every benchmark shares: rounds that take turns, the figures they give, and what the machine
/// has spent.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace bench {

struct Spread {
    double median = 0, least = 0, most = 0;
};
/// Of at least one value.
Spread spread_of(std::vector<double> values);
/// The value that `part` of them, 0 to 1, do not pass. Of at least one.
double share_of(std::vector<double> values, double part);

/// What we cost or give beside the raw part that was measured in the same run.
struct Figure {
    std::string name, unit;
    Spread ours, raw, ratio; ///< `ratio`: of ours to the raw part, by round.
    std::string goal;        ///< As text; empty: none.
    bool reached = true;
    std::map<std::string, double> details; ///< Medians of what was measured beside it.
};

/// Runs ours and the raw part in turns, `rounds` times. Each gives one value a round.
Figure compare(std::string name, std::string unit, int rounds, const std::function<double()>& ours,
               const std::function<double()>& raw);

/// The same from what was measured by round, as many values of both.
Figure figure_of(std::string name, std::string unit, const std::vector<double>& ours,
                 const std::vector<double>& raw);

void print_table(std::ostream& out, const std::vector<Figure>& figures);
/// One JSON object: the machine and the figures.
std::string to_json(const std::vector<Figure>& figures);

/// Processor, cores, memory, kernel and load, in one line.
std::string describe_machine();

double seconds_now(); ///< Of a clock that never goes back.
/// User and system seconds of this process, of the calling thread, and of a process with its
/// children.
double process_cpu();
double thread_cpu();
double tree_cpu(int pid);
/// Resident bytes of this process, after what is free has been given back.
double resident_bytes();
/// The same as it stands, which disturbs nobody.
double resident_bytes_as_is();

/// A folder of its own for one run, gone with it. Others may pass through it, since a private
/// PostgreSQL runs as another user where we are root.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::filesystem::path& below);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// What `work` returns, run in a process of its own: resident memory starts from nothing there.
/// Empty where that process fails. To be called while this process has no other threads.
std::vector<double> in_own_process(const std::function<std::vector<double>()>& work);

} // namespace bench
