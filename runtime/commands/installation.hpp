/// What a command that asks the service needs: where it runs, by its configuration.
#pragma once

#include "runtime/publications.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

struct Installation {
    Files files;
    schema::Config config;
    std::filesystem::path data_dir;
    std::filesystem::path socket() const { return data_dir / "sojourn.sock"; }
};

/// Nothing where the configuration cannot be read or is wrong; then that was said on stderr, and
/// `exit_code` is set.
std::optional<Installation> find_installation(const std::string& config, int& exit_code);

/// `text` as a segment of a path or a value in a query.
std::string url_encode(std::string_view text);

} // namespace runtime
