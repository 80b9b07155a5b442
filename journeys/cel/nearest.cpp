#include "journeys/cel/nearest.hpp"

#include "journeys/lower_case.hpp"

#include <algorithm>

namespace journeys::cel {
namespace {

constexpr std::size_t listed_max = 20;
constexpr std::size_t compared_bytes_max = 64;

/// Edits between two names, swapped neighbours as one, case aside.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool is_same = to_lower(a[i - 1]) == to_lower(b[j - 1]);
            row[j] = std::min({row[j - 1] + 1, last[j] + 1, last[j - 1] + (is_same ? 0 : 1)});
            if (i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) &&
                to_lower(a[i - 2]) == to_lower(b[j - 1])) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

} // namespace

std::string suggest(std::string_view name, const std::vector<std::string_view>& candidates,
                    std::string_view prefix) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const auto candidate : candidates) {
        if (candidate.size() > compared_bytes_max || name.size() > compared_bytes_max) continue;
        const auto found = distance(name, candidate);
        if (found < best_distance ||
            (found == best_distance && !best.empty() && candidate < best)) {
            best = candidate;
            best_distance = found;
        }
    }
    if (!best.empty()) return ". Nearest: " + std::string{prefix} + std::string{best};
    if (candidates.empty() || candidates.size() > listed_max) return {};
    std::string out = ". Known: ";
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i > 0) out += ", ";
        out += std::string{prefix} + std::string{candidates[i]};
    }
    return out;
}

} // namespace journeys::cel
