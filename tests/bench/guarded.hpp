/// Nothing of a bench stays behind, however it ends.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

namespace bench {

/// Of the PostgreSQL servers whose data lies below `folder`, as far as it can be read.
std::vector<int> servers_below(const std::filesystem::path& folder);

/// Runs `work` in a process of its own, on a new folder in `below`, and answers what it returns;
/// 128 and the signal's number where a signal has ended it. SIGINT and SIGTERM are passed on.
/// Behind it the PostgreSQL servers whose data lies in the folder are stopped, and the folder is
/// removed. To be called while this process has no other threads. Throws where there is no folder
/// or process.
int guarded(const std::filesystem::path& below,
            const std::function<int(const std::filesystem::path& folder)>& work);

} // namespace bench
