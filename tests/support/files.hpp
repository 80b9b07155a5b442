/// Files of the source tree, for tests.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace support {

inline std::filesystem::path source_path(const std::string& relative) {
    return std::filesystem::path{SOJOURN_SOURCE_DIR} / relative;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The files of a folder whose names end in `ending`, by name.
inline std::vector<std::filesystem::path> files_of(const std::string& folder,
                                                   const std::string& ending) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator{source_path(folder)})
        if (entry.path().filename().string().ends_with(ending)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace support
