#include "runtime/commands/commands.hpp"

#include "runtime/archive.hpp"
#include "runtime/commands/installation.hpp"
#include "runtime/database.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/printable.hpp"

#include "journeys/local_time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace runtime {
namespace {

constexpr auto patience = std::chrono::seconds{60};

struct Options {
    std::vector<std::string> customers;
    std::string config = "config/sojourn.yaml";
    int limit = 100;
};

int fail(const std::string& why) {
    std::fprintf(stderr, "sojourn: %s\n", why.c_str());
    return exit_environment;
}

int list(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return fail(database.error().detail);
    Archive archive{database->conninfo};
    const auto rows = archive.parked(options.limit);
    if (!rows) return fail(rows.error().detail);
    for (const auto& row : *rows)
        std::printf("%s  %s  %lld records since %s\n", printable(row.customer).c_str(),
                    printable(row.reason).c_str(), static_cast<long long>(row.records),
                    row.offset > 0 ? ("partition " + std::to_string(row.partition) + " offset " +
                                      std::to_string(row.offset))
                                         .c_str()
                                   : "a timer");
    if (rows->empty()) std::fprintf(stderr, "nothing is parked\n");
    return exit_done;
}

/// Whom to try again: those who are named, or everybody.
journeys::Result<std::vector<std::string>> wanted(const Options& options, Archive& archive) {
    std::vector<std::string> customers;
    for (const auto& text : options.customers)
        if (const auto id = journeys::parse_customer_id(text))
            customers.push_back(journeys::to_text(*id));
    if (!options.customers.empty()) return customers;
    const auto rows = archive.parked(options.limit);
    if (!rows) return rows.error();
    for (const auto& row : *rows) customers.push_back(row.customer);
    return customers;
}

int retry(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    auto database = open_database(options.config);
    if (!database) return fail(database.error().detail);
    Archive archive{database->conninfo};
    const auto customers = wanted(options, archive);
    if (!customers) return fail(customers.error().detail);
    int exit_code = exit_done;
    for (const auto& customer : *customers) {
        const auto shown = printable(customer);
        const auto answer =
            ask_service(found->socket(), "POST", "/admin/parked/" + url_encode(customer) + "/retry",
                        {}, patience);
        if (answer) {
            std::printf("%s  released\n", shown.c_str());
        } else if (answer.error().code == journeys::ErrorCode::invalid_argument) {
            std::printf("%s  still parked: %s\n", shown.c_str(),
                        printable(answer.error().detail).c_str());
            exit_code = exit_input;
        } else { // Nobody serves.
            const auto count = archive.release_at_start({customer});
            if (!count) return fail(count.error().detail);
            std::printf("%s  %s\n", shown.c_str(),
                        *count > 0 ? "will be tried again when the service starts"
                                   : "nothing is parked");
        }
    }
    return exit_code;
}

} // namespace

void add_parked(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    auto* const parked = app.add_subcommand(
        "parked", "Customers whose records were set aside because one could not be applied, and "
                  "why; `retry` applies them after all");
    parked->add_option("--config", options->config, "The configuration")->capture_default_str();
    parked->add_option("--limit", options->limit, "At most so many customers")
        ->capture_default_str();
    auto* const listing = parked->add_subcommand("list", "Those longest set aside first");
    auto* const again = parked->add_subcommand("retry", "Tries them again, in order");
    again->add_option("id", options->customers, "Only these customers");
    parked->require_subcommand(0, 1);
    parked->callback([options, again, listing, &exit_code] {
        (void)listing;
        exit_code = again->parsed() ? retry(*options) : list(*options);
    });
}

} // namespace runtime
