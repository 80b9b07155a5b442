#include "runtime/commands/installation.hpp"

#include "runtime/commands/commands.hpp"
#include "runtime/database.hpp"

#include <cctype>
#include <cstdio>

namespace runtime {

namespace fs = std::filesystem;

std::optional<Installation> find_installation(const std::string& config, int& exit_code) {
    auto files = read_files(fs::path{config}, std::nullopt);
    if (!files) {
        std::fprintf(stderr, "%s\n", files.error().detail.c_str());
        exit_code = exit_environment;
        return std::nullopt;
    }
    CompileOptions compiling;
    compiling.directory = fs::path{config}.parent_path();
    auto compiled = compile(*files, compiling);
    if (!compiled.config) {
        for (const auto& mistake : compiled.mistakes)
            std::fprintf(stderr, "%s\n", schema::to_text(mistake).c_str());
        exit_code = exit_input;
        return std::nullopt;
    }
    auto data_dir = data_folder(config, *compiled.config);
    return Installation{std::move(*files), std::move(*compiled.config), std::move(data_dir)};
}

std::string url_encode(std::string_view text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || c == '-' || c == '_' || c == '.') {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(hex[byte >> 4]);
            out.push_back(hex[byte & 0xf]);
        }
    }
    return out;
}

} // namespace runtime
