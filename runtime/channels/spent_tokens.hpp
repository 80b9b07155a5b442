/// Tokens that have signed something: where a signature covers a token and a time, but not what
/// came with them, each token is good for one content, once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace runtime {

/// Any thread. Remembers in memory only: after a restart a token counts as new until it is too old.
class SpentTokens {
public:
    struct Bounds {
        std::chrono::seconds age_max;
        std::chrono::seconds ahead_max; ///< Of a clock before ours.
        std::size_t tokens_max;         ///< About 64 bytes each.
    };
    explicit SpentTokens(Bounds bounds) : bounds_(bounds) {}

    /// Spends a token that was signed at `at`. False where it is too old, from the future, or was
    /// spent for something else; with the same content it may come again, because a sender repeats
    /// what was not answered. Where there are too many the oldest are forgotten, and from then on
    /// what is not younger than they were is too old.
    bool spend(std::chrono::sys_seconds at, std::string_view token, std::uint64_t content,
               std::chrono::sys_seconds now);

private:
    using Token = std::pair<std::chrono::sys_seconds, std::uint64_t>; ///< When, and its hash.

    const Bounds bounds_;
    std::mutex mutex_;
    std::map<Token, std::uint64_t> contents_; ///< Guarded by `mutex_`, as what follows.
    std::chrono::sys_seconds forgotten_ = std::chrono::sys_seconds::min();
};

} // namespace runtime
