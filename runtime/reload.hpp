/// What came of reading the files of a running service again.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace runtime {

/// The mistakes that a reload tells; the log has all of them.
inline constexpr std::size_t reload_mistakes_max = 100;

struct Reload {
    std::string said;        ///< In words.
    bool is_refused = false; ///< What ran before stays.
    /// Of the files, as `file:line:column: message`, at most `reload_mistakes_max`. None where it
    /// is refused: the environment is at fault, and the log says why.
    std::vector<std::string> mistakes{};
};

} // namespace runtime
