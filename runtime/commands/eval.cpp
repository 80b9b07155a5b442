#include "runtime/commands/commands.hpp"

#include "journeys/cel/conformance.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"
#include "runtime/commands/installation.hpp"
#include "runtime/event_files.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/printable.hpp"
#include "schema/packed_json.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

namespace runtime {
namespace {

namespace cel = journeys::cel;

struct Options {
    std::string expression, bindings, conformance, customer, config = "config/sojourn.yaml";
    bool strict = false;
};

int conform(const std::string& file) {
    std::ifstream in{file};
    if (!in) {
        std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
        return exit_environment;
    }
    return cel::run_conformance(in, std::cout).failed == 0 ? exit_done : exit_input;
}

/// Null where the expression is wrong; then every mistake was said on stderr.
std::shared_ptr<const cel::Program> compile_or_say(const std::string& expression,
                                                   const cel::Environment& environment) {
    auto compiled = cel::compile(expression, environment);
    for (const auto& issue : compiled.issues)
        std::fprintf(stderr, "%u:%u: %s\n", issue.line, issue.column, issue.message.c_str());
    return std::move(compiled.program);
}

/// The sentence in the service's `{"error":"…"}`.
std::string reason_in(const std::string& answer) {
    const auto parsed = nlohmann::json::parse(answer, nullptr, false);
    return parsed.is_object() ? parsed.value("error", answer) : answer;
}

/// Asks the service, which alone knows the customer as of now.
int eval_customer(const Options& options) {
    // A mistake in the expression needs no service to be found.
    if (!compile_or_say(options.expression, journeys::environment(journeys::Scope::entry)))
        return exit_input;
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    const auto answer = ask_service(found->socket(), "POST",
                                    "/admin/customers/" + url_encode(options.customer) + "/eval",
                                    options.expression);
    if (answer) {
        const auto text = printable_lines(*answer);
        std::fwrite(text.data(), 1, text.size(), stdout);
        return exit_done;
    }
    switch (answer.error().code) {
    case journeys::ErrorCode::not_found:
        std::fprintf(stderr, "no such customer: %s\n", options.customer.c_str());
        return exit_input;
    case journeys::ErrorCode::invalid_argument:
        std::fprintf(stderr, "error: %s\n", reason_in(answer.error().detail).c_str());
        return exit_input;
    default:
        std::fprintf(stderr, "sojourn: no service answers: %s\n",
                     reason_in(answer.error().detail).c_str());
        return exit_environment;
    }
}

/// Evaluates over the members of a JSON object, each a variable of its own.
int eval_bindings(const Options& options) {
    std::string packed;
    if (!options.bindings.empty()) {
        const auto text = read_file(options.bindings);
        if (!text) {
            std::fprintf(stderr, "%s\n", text.error().detail.c_str());
            return exit_environment;
        }
        auto parsed = schema::packed_from_json(*text);
        if (!parsed || !journeys::PackedView{*parsed}.is_map()) {
            std::fprintf(stderr, "%s: %s\n", options.bindings.c_str(),
                         parsed ? "bindings are one JSON object" : parsed.error().detail.c_str());
            return exit_input;
        }
        packed = std::move(*parsed);
    }
    cel::Environment environment;
    environment.strict_numbers = options.strict;
    environment.missing_is_null = !options.strict;
    std::vector<cel::Value> variables;
    for (const auto& [name, value] : journeys::PackedView{packed}.entries()) {
        environment.add_variable(std::string{name}, cel::Type::dyn());
        variables.push_back(cel::Value::packed(value));
    }
    const auto program = compile_or_say(options.expression, environment);
    if (!program) return exit_input;
    cel::Arena arena;
    const auto result = program->evaluate({variables, nullptr, {}}, arena);
    if (result.is_error()) {
        std::fprintf(stderr, "error: %s\n", std::string{result.error_text()}.c_str());
        return exit_input;
    }
    std::printf("%s : %s\n", printable(cel::to_text(result)).c_str(),
                cel::type_name(result).c_str());
    return exit_done;
}

} // namespace

void add_eval(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("eval", "Evaluate an expression, or run conformance cases");
    const auto options = std::make_shared<Options>();
    command->add_option("expression", options->expression, "e.g. 'cart.value > 20.0'");
    auto* const bindings = command->add_option("--bindings", options->bindings,
                                               "A JSON object: its members are the variables");
    command
        ->add_option("--customer", options->customer,
                     "Any of a customer's ids: asks the running service")
        ->excludes(bindings);
    command->add_option("--config", options->config, "The configuration of that service")
        ->capture_default_str();
    command->add_option("--conformance", options->conformance, "Cases, one JSON object a line");
    command->add_flag("--strict", options->strict,
                      "The standard's rules: no mixed arithmetic, a missing key is an error");
    command->callback([options, &exit_code] {
        if (!options->conformance.empty())
            exit_code = conform(options->conformance);
        else if (options->expression.empty()) {
            std::fprintf(stderr, "eval: an expression, or --conformance FILE\n");
            exit_code = exit_usage;
        } else
            exit_code =
                options->customer.empty() ? eval_bindings(*options) : eval_customer(*options);
    });
}

} // namespace runtime
