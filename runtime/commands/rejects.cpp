// `sojourn rejects`: what was refused at the door, and why.

#include "runtime/commands/commands.hpp"

#include "journeys/local_time.hpp"
#include "runtime/commands/installation.hpp"
#include "runtime/database.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/listener/local_socket.hpp"
#include "schema/timestamp_text.hpp"
#include "schema/yaml_values.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml", since;
    DeadLetterFilter filter;
    bool counts = false, json = false;
};

/// An instant, or how long ago: `2026-11-20T10:00:00Z`, `15m`, `2d`.
std::optional<journeys::Timestamp> instant(const std::string& text) {
    if (const auto ago = schema::parse_duration(text))
        return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now()) - *ago;
    return schema::parse_producer_time(text);
}

std::string query_of(const Options& options) {
    std::string query = "/admin/rejects?limit=" + std::to_string(options.filter.limit);
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) query.append("&").append(name).append("=").append(url_encode(value));
    };
    add("reason", options.filter.reason);
    add("source", options.filter.source);
    add("message", options.filter.message_id);
    add("customer", options.filter.customer);
    if (options.filter.since) add("since", journeys::to_text(*options.filter.since));
    if (options.counts) query += "&counts=1";
    if (options.json) query += "&json=1";
    return query;
}

int rejects(Options options) {
    if (!options.since.empty()) {
        options.filter.since = instant(options.since);
        if (!options.filter.since) {
            std::fprintf(stderr, "--since: a time such as 2026-11-20T10:00:00Z, or 15m, 2h, 3d\n");
            return exit_usage;
        }
    }
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    auto text = ask_service(found->socket(), "GET", query_of(options));
    if (!text) { // None is running: the table says it.
        auto database = open_database(options.config);
        if (!database) {
            std::fprintf(stderr, "sojourn: %s\n", database.error().detail.c_str());
            return exit_environment;
        }
        DeadLetters letters{database->conninfo};
        text = dead_letters_text(letters, options.filter, options.counts, options.json);
    }
    if (!text) {
        std::fprintf(stderr, "sojourn: %s\n", text.error().detail.c_str());
        return exit_environment;
    }
    std::fwrite(text->data(), 1, text->size(), stdout);
    return exit_done;
}

} // namespace

void add_rejects(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const command = app.add_subcommand(
        "rejects",
        "Messages refused at the door: when, whose, why, and how they began; newest first");
    command->add_flag("--counts", options->counts, "How many, by producer and reason");
    command->add_option("--reason", options->filter.reason, "As in the metric: no_identity, …");
    command->add_option("--source", options->filter.source, "The name of the producer's key");
    command->add_option("--message", options->filter.message_id, "A messageId");
    command->add_option("--customer", options->filter.customer, "An id of whom it was");
    command->add_option("--since", options->since, "A time, or how long ago: 15m, 2h, 3d");
    command->add_option("--limit", options->filter.limit, "Lines at most")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command->add_flag("--json", options->json, "For programs: one object a line");
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] { exit_code = rejects(*options); });
}

} // namespace runtime
