#include "runtime/commands/commands.hpp"

#include "runtime/archive.hpp"
#include "runtime/commands/installation.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/database.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/printable.hpp"
#include "runtime/publications.hpp"
#include "runtime/suppressions.hpp"
#include "runtime/timeline_text.hpp"
#include "schema/timeline_json.hpp"
#include "schema/timestamp_text.hpp"

#include "journeys/local_time.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string id, search, config = "config/sojourn.yaml";
    std::string since;
    bool timeline = false, json = false, all = false;
};

/// With no service running the database is read: what the last flush wrote.
int read_database(const Options& options) {
    const auto fail = [](const std::string& why) {
        std::fprintf(stderr, "sojourn: %s\n", why.c_str());
        return exit_environment;
    };
    auto database = open_database(options.config);
    if (!database) return fail(database.error().detail);
    Archive archive{database->conninfo};
    if (!options.search.empty()) {
        const auto ids = archive.search(options.search);
        if (!ids) return fail(ids.error().detail);
        for (const auto& id : *ids) std::printf("%s\n", printable(id).c_str());
        return exit_done;
    }
    Publications publications{fs::path{options.config}.parent_path()};
    const auto stored = archive.publications();
    if (!stored) return fail(stored.error().detail);
    for (const auto& text : *stored) publications.add_stored(text);
    publications.add(database->files);

    std::vector<journeys::CustomerId> candidates;
    if (const auto id = journeys::parse_customer_id(options.id)) candidates.push_back(*id);
    candidates.push_back({journeys::IdNamespace::anonymous, options.id});
    for (std::size_t i = 0; i < candidates.size() && i < 10; ++i) {
        const auto block = archive.snapshot(journeys::to_text(candidates[i]));
        if (!block) return fail(block.error().detail);
        if (!*block) continue;
        const auto customer = journeys::unpack(**block);
        if (!customer) return fail(customer.error().detail);
        if (customer->forward_to) {
            candidates.push_back(*customer->forward_to);
            continue;
        }
        const auto catalog = publications.newest();
        const auto now = customer->accepted_at;
        const int limit = options.all ? timeline_lines_max : timeline_lines;
        auto lines = archive.timeline(journeys::to_text(customer->id), limit);
        if (!lines) return fail(lines.error().detail);
        auto rows = whole_timeline(std::move(*lines), *customer, *catalog);
        const auto since = schema::parse_producer_time(options.since);
        if (!options.since.empty() && !since)
            return fail("--since is a day (2026-03-01) or an ISO time");
        if (since)
            std::erase_if(rows, [&](const TimelineRow& row) { return row.entry.at < *since; });
        if (options.json && options.timeline) {
            for (const auto& row : rows)
                std::printf("%s\n",
                            printable(schema::to_json_line(row.customer, row.entry)).c_str());
        } else if (options.json) {
            std::printf("%s\n", printable(customer_json(*customer, *catalog, now)).c_str());
        } else {
            const auto key = service_key(database->conninfo, "suppressions");
            if (!key) return fail(key.error().detail);
            const auto suppressions = Suppressions::open(database->conninfo, *key);
            if (!suppressions) return fail(suppressions.error().detail);
            const auto text =
                customer_text(*customer, *catalog, now, [&](std::string_view kind, auto address) {
                    return (*suppressions)->contains(kind, address);
                });
            std::printf("%s", text.c_str());
            if (options.timeline) {
                const auto outcomes = archive.outcomes(journeys::to_text(customer->id), limit);
                if (!outcomes) return fail(outcomes.error().detail);
                std::printf("\n%s",
                            timeline_text(rows, *outcomes, *customer, *catalog, now).c_str());
            }
        }
        return exit_done;
    }
    std::fprintf(stderr, "no such customer: %s\n", options.id.c_str());
    return exit_input;
}

int customer(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    std::string target;
    if (!options.search.empty())
        target = "/admin/customers?search=" + url_encode(options.search);
    else if (options.json && options.timeline)
        target = "/v1/customers/" + url_encode(options.id) + "/timeline?limit=" +
                 std::to_string(options.all ? timeline_lines_max : timeline_lines) +
                 (options.since.empty() ? "" : "&since=" + url_encode(options.since));
    else if (options.json)
        target = "/v1/customers/" + url_encode(options.id);
    else
        target = "/admin/customers/" + url_encode(options.id) + "/text" +
                 (options.timeline ? "?timeline=1" : "") +
                 (options.timeline && options.all ? "&all=1" : "") +
                 (options.timeline && !options.since.empty() ? "&since=" + url_encode(options.since)
                                                             : "");
    const auto answer = ask_service(found->socket(), "GET", target);
    if (answer) {
        const auto text = printable_lines(*answer);
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
        return exit_done;
    }
    if (answer.error().code == journeys::ErrorCode::not_found) {
        std::fprintf(stderr, "no such customer: %s\n", options.id.c_str());
        return exit_input;
    }
    return read_database(options);
}

} // namespace

void add_customer(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const one = app.add_subcommand(
        "customer",
        "What is known of a customer, open runs, and why each message was or was not sent");
    one->add_option("id", options->id, "Any of the customer's ids: 42, anonymous:7f0c…")
        ->required();
    one->add_flag("--timeline", options->timeline, "What happened, newest last");
    one->add_option("--since", options->since, "Of the timeline: from this day or time on (UTC)");
    one->add_flag("--all", options->all, "Of the timeline: more than the newest 200 lines");
    one->add_flag("--json", options->json, "For programs");
    one->add_option("--config", options->config, "The configuration")->capture_default_str();
    one->callback([options, &exit_code] { exit_code = customer(*options); });
    auto* const many = app.add_subcommand("customers", "Search customers by a part of an id");
    many->add_option("--search", options->search, "Part of an id")->required();
    many->add_option("--config", options->config, "The configuration")->capture_default_str();
    many->callback([options, &exit_code] { exit_code = customer(*options); });
}

} // namespace runtime
