/// What `simulate --summary` and `--diff` print.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/comparison.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace runtime {

struct FileChanges {
    std::vector<std::string> changed; ///< `cart-abandon (line 7 when, line 14 wait)`
    std::vector<std::string> added, removed;
    std::size_t same = 0;
};

/// By file name, without folder and ending.
FileChanges changes_between(const std::map<std::string, std::string>& before,
                            const std::map<std::string, std::string>& after);

struct SimulationSummary {
    std::string before_name, after_name;
    std::uint64_t events = 0, customers = 0;
    journeys::Timestamp first{}, last{};
    std::chrono::duration<double> took{};
    FileChanges changes;
    /// Of `enter.when`, by journey and line of its file: what stands there in the second folder.
    using Conditions = std::map<std::pair<std::string, std::string>, std::string>;
    Conditions conditions;
};

SimulationSummary::Conditions conditions_of(const journeys::Catalog& catalog);

std::string summary_text(const SimulationSummary& summary, const journeys::RunRecord& run);
std::string summary_text(const SimulationSummary& summary, const journeys::RunRecord& before,
                         const journeys::Comparison& comparison);
/// One JSON object per message that only one of the two sends, or at another time, in a stable
/// order:
/// `{"change":"no_longer|added|moved","customer",…,"at","new_at"}`.
std::string diff_lines(const journeys::RunRecord& before, const journeys::RunRecord& after);

} // namespace runtime
