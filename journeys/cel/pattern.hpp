/// Regular expressions: RE2's, with bounds of ours on what they may take.
#pragma once

#include <cstddef>
#include <string_view>

#include <re2/re2.h>

namespace journeys::cel {

/// A compiled pattern. Its instructions and automata take at most 1 MiB.
class Pattern {
public:
    /// Longer ones are invalid: RE2 takes up to 0.15 ms a byte (`\pL\pL...`) to read one.
    static constexpr std::size_t bytes_max = 1000;

    explicit Pattern(std::string_view text);
    bool is_valid() const { return pattern_.ok(); }
    /// Whether it is found in the text. Needs a valid one.
    bool is_in(std::string_view text) const {
        return RE2::PartialMatch({text.data(), text.size()}, pattern_);
    }
    /// What a search takes, in steps of a budget. Where the automaton outgrows its memory, RE2
    /// tries each byte against every instruction, which is slow enough to be counted.
    std::size_t search_cost(std::string_view text) const {
        return 1 + text.size() / 16 + text.size() * instructions_ / 8;
    }
    /// What compiling one takes.
    static std::size_t compile_cost(std::string_view text) { return 1000 + 128 * text.size(); }

private:
    RE2 pattern_;
    std::size_t instructions_;
};

/// The constant patterns of one expression, which are kept compiled as long as it is.
class PatternAllowance {
public:
    static constexpr std::size_t count_max = 32;
    static constexpr std::size_t bytes_max = 2000;
    /// False where this one would be too much.
    bool take(std::string_view pattern) {
        bytes_ += pattern.size();
        return ++count_ <= count_max && bytes_ <= bytes_max;
    }

private:
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace journeys::cel
