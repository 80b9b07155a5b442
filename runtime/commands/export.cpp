#include "runtime/commands/ask.hpp"

#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "schema/log_json.hpp"

#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string id, config = "config/sojourn.yaml";
    bool log = false;
};

int export_log(const Options& options) {
    auto database = open_database(options.config);
    if (!database) {
        std::fprintf(stderr, "sojourn: %s\n", database.error().detail.c_str());
        return exit_environment;
    }
    Archive archive{database->conninfo};
    const auto read = archive.read_log([](const schema::StoredRecord& record) {
        const auto line = schema::to_log_line(record);
        std::fwrite(line.data(), 1, line.size(), stdout);
        std::fputc('\n', stdout);
    });
    if (read) return exit_done;
    std::fprintf(stderr, "sojourn: %s\n", read.error().detail.c_str());
    return exit_environment;
}

} // namespace

void add_export(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "export",
        "All that is stored of a customer, as JSON; or, with --log, the recorded log, one "
        "JSON object a line, for simulate --log");
    const auto options = std::make_shared<Options>();
    auto* const id = command->add_option("id", options->id, "Any of the customer's ids");
    command->add_flag("--log", options->log, "All records, by the time of their acceptance")
        ->excludes(id);
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->callback([options, &exit_code] {
        if (options->id.empty() && !options->log)
            throw CLI::RequiredError{"A customer's id, or --log,"};
        exit_code = options->log
                        ? export_log(*options)
                        : ask_and_print(options->config, "GET",
                                        "/v1/customers/" + url_encode(options->id) + "/export",
                                        "customer: " + options->id);
    });
}

} // namespace runtime
