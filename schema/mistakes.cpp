#include "schema/mistakes.hpp"

#include "journeys/lower_case.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace schema {
namespace {

std::string folded(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == ' ' || c == '_' || c == '-') continue;
        made += journeys::to_lower(c);
    }
    return made;
}

/// Insertions, deletions, replacements and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min(
                {last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

} // namespace

std::string to_text(const Mistake& mistake) {
    const auto place = mistake.line == 0 ? std::string{}
                                         : ':' + std::to_string(mistake.line) + ':' +
                                               std::to_string(mistake.column);
    return mistake.file + place + ": " + (mistake.is_warning ? "warning: " : "") + mistake.message;
}

void Mistakes::put(Place at, std::string message, bool is_warning) {
    if (!is_warning) ++errors_;
    if (list_.size() > mistakes_max) return;
    if (list_.size() == mistakes_max) message = "and more; mend these first";
    list_.push_back({file_, at.line, at.column, std::move(message), is_warning});
}

std::vector<Mistake> Mistakes::take() {
    std::stable_sort(list_.begin(), list_.end(), [](const Mistake& a, const Mistake& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    const auto same = [](const Mistake& a, const Mistake& b) {
        return a.line == b.line && a.column == b.column && a.message == b.message;
    };
    list_.erase(std::unique(list_.begin(), list_.end(), same), list_.end());
    return std::exchange(list_, {});
}

std::string_view nearest(std::string_view name, std::span<const std::string> known) {
    if (name.empty() || name.size() > 64) return {};
    const auto wanted = folded(name);
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const auto& candidate : known) {
        if (candidate.size() > 128) continue;
        const auto found = distance(wanted, folded(candidate));
        if (found < best_distance) {
            best = candidate;
            best_distance = found;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
    const auto near = nearest(name, known);
    return near.empty() ? std::string{} : " Did you mean " + quoted(near) + '?';
}

std::string listed(std::span<const std::string> names) {
    constexpr std::size_t shown_max = 12;
    if (names.empty()) return "none";
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < shown_max; ++i)
        text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > shown_max)
        text += " and " + std::to_string(names.size() - shown_max) + " more";
    return text;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t bytes_max = 120;
    std::string made = "\"";
    for (const char c : text.substr(0, bytes_max))
        made += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? ' ' : c;
    if (text.size() > bytes_max) {
        while (made.size() > 1 && (static_cast<unsigned char>(made.back()) & 0xc0) == 0x80)
            made.pop_back();
        made += "…";
    }
    return made + '"';
}

} // namespace schema
