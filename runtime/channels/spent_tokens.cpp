#include "runtime/channels/spent_tokens.hpp"

#include "journeys/ids.hpp"

namespace runtime {

bool SpentTokens::spend(std::chrono::sys_seconds at, std::string_view token, std::uint64_t content,
                        std::chrono::sys_seconds now) {
    const auto oldest = now - bounds_.age_max;
    if (at < oldest || at > now + bounds_.ahead_max) return false;
    const std::scoped_lock lock{mutex_};
    contents_.erase(contents_.begin(), contents_.lower_bound({oldest, 0}));
    const Token spent{at, journeys::hash(token)};
    if (const auto known = contents_.find(spent); known != contents_.end())
        return known->second == content;
    if (at <= forgotten_) return false;
    contents_.emplace(spent, content);
    if (contents_.size() > bounds_.tokens_max) {
        forgotten_ = contents_.begin()->first.first;
        contents_.erase(contents_.begin());
    }
    return true;
}

} // namespace runtime
