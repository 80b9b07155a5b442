/// Runs cases of the language's conformance suite, in the form of tests/cel/conformance.
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <ostream>
#include <string>

namespace journeys::cel {

struct ConformanceSummary {
    std::size_t passed = 0;
    std::size_t failed = 0;
};

struct ConformanceResult {
    std::string id;
    std::string group;
    bool passed;
    std::string got;
};

/// Evaluates every case of `cases` (one JSON object a line) with the standard's rules, and prints
/// for each
/// `{"id":…,"pass":…,"got":…}`, at the end `N passed, N failed`. A line that is no case counts as
/// failed.
ConformanceSummary run_conformance(std::istream& cases, std::ostream& out);

/// The same, case by case.
ConformanceSummary run_conformance(std::istream& cases,
                                   const std::function<void(const ConformanceResult&)>& report);

} // namespace journeys::cel
