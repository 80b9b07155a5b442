/// What a proof has found to be wrong.
#pragma once

#include "tests/faults/options.hpp"

#include <map>
#include <string>
#include <vector>

namespace faults {

/// The first few cases of each broken invariant, and how many there are.
class Findings {
public:
    void add(const std::string& invariant, const std::string& what) {
        auto& finding = findings_[invariant];
        if (finding.count++ < 3) finding.text += (finding.text.empty() ? "" : "; ") + what;
    }
    /// One for each invariant, with the seed of the run.
    std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const auto& [invariant, finding] : findings_)
            all.push_back(invariant + " (" + std::to_string(finding.count) + "): " + finding.text +
                          "; --seed " + std::to_string(options().seed));
        return all;
    }

private:
    struct Finding {
        std::size_t count = 0;
        std::string text;
    };
    std::map<std::string, Finding> findings_;
};

} // namespace faults
