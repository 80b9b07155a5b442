/// Larger public data sets that are not part of the repository: the folder `shared/data` beside it,
/// or below the folder that SOJOURN_SHARED names. Tests that need them skip with a notice where it
/// is missing.
#pragma once

#include <catch2/catch.hpp>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace support {

/// The path of `name`, e.g. `cdnow/CDNOW_master.txt.gz`; nothing, and a notice, where it is
/// missing.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) {
    const auto* const named = std::getenv("SOJOURN_SHARED");
    const auto folder = named ? std::filesystem::path{named}
                              : std::filesystem::path{SOJOURN_SOURCE_DIR} / ".." / "shared";
    const auto path = folder / "data" / name;
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
    WARN("skipped: " << path.string() << " is not here");
    return std::nullopt;
}

/// The lines of a file, gzipped or not, without their ends.
inline std::vector<std::string> read_lines(const std::filesystem::path& path) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{gzopen(path.c_str(), "rb"), gzclose};
    REQUIRE(file);
    std::string text;
    char buffer[65536];
    for (int read = 0; (read = gzread(file.get(), buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(read));
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.find('\n', at);
        if (end == text.npos) end = text.size();
        auto line = text.substr(at, end - at);
        while (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(std::move(line));
        at = end + 1;
    }
    return lines;
}

} // namespace support
