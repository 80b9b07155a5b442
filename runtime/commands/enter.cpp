#include "runtime/commands/ask.hpp"

#include <CLI/Validators.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace runtime {
namespace {

struct Options {
    std::string journey, audience, config = "config/sojourn.yaml";
    std::optional<std::uint64_t> limit;
    bool is_dry = false;
};

constexpr std::int64_t limit_max = 1'000'000'000'000;

/// A dry run looks at everybody.
constexpr auto patience = std::chrono::minutes{10};

std::string target_of(const Options& options) {
    auto target = "/admin/journeys/" + url_encode(options.journey) +
                  "/enter?audience=" + url_encode(options.audience);
    if (options.limit) target += "&limit=" + std::to_string(*options.limit);
    if (options.is_dry) target += "&dry_run=1";
    return target;
}

} // namespace

void add_enter(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("enter", "Let an audience into a journey now, at the journey's pace");
    const auto options = std::make_shared<Options>();
    command->add_option("journey", options->journey, "A journey whose enter has an audience")
        ->required();
    command->add_option("--audience", options->audience,
                        "One of config/audiences.yaml; by default the journey's own");
    command->add_flag("--dry-run", options->is_dry, "Only count who would be let in");
    command->add_option("--limit", options->limit, "Let in no more than so many")
        ->check(CLI::Range(std::int64_t{1}, limit_max)); // Else -1 is read as nearly everybody.
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] {
        exit_code = ask_and_print(options->config, "POST", target_of(*options),
                                  "journey: " + options->journey, {}, patience);
    });
}

} // namespace runtime
