// `sojourn coupons`: what is left of the pools of codes; `sojourn import coupons`: more of them.

#include "journeys/local_time.hpp"
#include "runtime/commands/ask.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/database.hpp"
#include "runtime/printable.hpp"
#include "schema/coupon_csv.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace runtime {
namespace {

/// In one request to the service.
constexpr std::size_t codes_per_request = 10'000;

struct Options {
    std::string pool, file, config = "config/sojourn.yaml";
    bool json = false;
};

/// Without a service nobody's clock runs but the wall's.
journeys::Timestamp wall_clock() {
    return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
}

int fail(const journeys::Error& error) {
    std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
    return error.code == journeys::ErrorCode::invalid_argument ? exit_input : exit_environment;
}

std::map<std::string, schema::CouponPool> pools_of(const Files& files) {
    if (!files.coupons) return {};
    return schema::load_coupons(files.coupons->name, files.coupons->text).pools;
}

int show_from_database(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return fail(database.error());
    const auto stands = CouponBook{database->conninfo}.stands(wall_clock());
    if (!stands) return fail(stands.error());
    const auto pools = pools_of(database->files);
    const auto text =
        options.json ? coupons_json(pools, *stands) + '\n' : coupons_text(pools, *stands);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

/// As `read_coupon_codes` reads it back.
std::string table_of(const std::vector<schema::CouponCode>& codes, std::size_t from,
                     std::size_t to) {
    std::string text = "code,expires\n";
    for (auto i = from; i < to; ++i) {
        text += '"';
        for (const char c : codes[i].code) text += c == '"' ? std::string{"\"\""} : std::string{c};
        text += "\",";
        if (codes[i].expires_at) text += journeys::to_text(*codes[i].expires_at);
        text += '\n';
    }
    return text;
}

/// How many were new.
journeys::Result<std::int64_t> add_by_service(const std::filesystem::path& socket,
                                              const Options& options,
                                              const std::vector<schema::CouponCode>& codes) {
    std::int64_t added = 0;
    for (std::size_t from = 0; from < codes.size(); from += codes_per_request) {
        const auto body = table_of(codes, from, std::min(codes.size(), from + codes_per_request));
        const auto answer =
            ask_service(socket, "POST", "/admin/coupons/" + url_encode(options.pool), body,
                        std::chrono::seconds{90});
        if (!answer) return answer.error();
        const auto json = nlohmann::json::parse(*answer, nullptr, false);
        if (json.is_object()) added += json.value("added", std::int64_t{0});
    }
    return added;
}

journeys::Result<std::int64_t> add_to_database(const Options& options,
                                               const std::vector<schema::CouponCode>& codes) {
    auto database = open_database(options.config);
    if (!database) return database.error();
    const auto pools = pools_of(database->files);
    if (!pools.contains(options.pool)) {
        std::vector<std::string> known;
        for (const auto& [name, pool] : pools) known.push_back(name);
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "no pool \"" + options.pool + "\"." +
                                   schema::did_you_mean(options.pool, known) +
                                   " Pools stand in config/coupons.yaml: " + schema::listed(known)};
    }
    return CouponBook{database->conninfo}.add(options.pool, codes);
}

int import(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    std::ifstream file{options.file, std::ios::binary};
    if (!file) {
        std::fprintf(stderr, "%s: cannot be read\n", options.file.c_str());
        return exit_input;
    }
    const auto read = schema::read_coupon_codes(file);
    if (!read) {
        std::fprintf(stderr, "%s:1: %s\n", options.file.c_str(), read.error().detail.c_str());
        return exit_input;
    }
    for (const auto& refused : read->refused)
        std::fprintf(stderr, "%s:%llu: %s\n", options.file.c_str(),
                     static_cast<unsigned long long>(refused.line), printable(refused.why).c_str());
    const bool is_running = ask_service(found->socket(), "GET", "/healthz").has_value();
    const auto added = is_running ? add_by_service(found->socket(), options, read->codes)
                                  : add_to_database(options, read->codes);
    if (!added) return fail(added.error());
    std::printf("coupons %zu codes  new %lld  known %lld  rejected %zu\n", read->codes.size(),
                static_cast<long long>(*added),
                static_cast<long long>(std::ssize(read->codes) - *added), read->refused.size());
    return read->refused.empty() ? exit_done : exit_input;
}

} // namespace

void add_coupons(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const show = app.add_subcommand(
        "coupons", "The pools of codes that messages give away: what is left, and for how long");
    show->add_flag("--json", options->json, "For programs");
    show->add_option("--config", options->config, "The configuration")->capture_default_str();
    show->callback([options, &exit_code] {
        exit_code = ask_and_print(options->config, "GET",
                                  std::string{"/admin/coupons"} + (options->json ? "?json=1" : ""),
                                  "pool", [options] { return show_from_database(*options); });
    });

    const auto adding = std::make_shared<Options>();
    auto* const more = app.get_subcommand("import")->add_subcommand(
        "coupons", "More codes for a pool of config/coupons.yaml");
    more->footer(
        "Columns, by the names in the header, in any order; others are not looked at:\n"
        "code      required; one that the pool has already, given or not, changes nothing\n"
        "expires   optional; a day (2026-12-31, good through its end in UTC) or an ISO "
        "time\n");
    more->add_option("pool", adding->pool, "The pool's name")->required();
    more->add_option("file", adding->file, "Comma-separated (or ; or tab), UTF-8, a header first")
        ->required();
    more->add_option("--config", adding->config, "The configuration")->capture_default_str();
    more->callback([adding, &exit_code] { exit_code = import(*adding); });
}

} // namespace runtime
