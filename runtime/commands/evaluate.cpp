#include "runtime/commands/commands.hpp"

#include "runtime/fitting/evaluation.hpp"

#include <cstdio>
#include <fstream>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string log;
    fitting::EvaluationQuestion question;
    double propensity_value = 0;
    bool json = false;
};

int evaluate_log(Options options) {
    std::ifstream file{options.log};
    if (!file) {
        std::fprintf(stderr, "%s: cannot be read\n", options.log.c_str());
        return exit_environment;
    }
    const auto table = fitting::read_table(file, options.log);
    if (!table) {
        std::fprintf(stderr, "%s\n", table.error().detail.c_str());
        return exit_input;
    }
    if (options.propensity_value > 0) options.question.propensity_value = options.propensity_value;
    const auto evaluation = fitting::evaluate(*table, options.question);
    if (!evaluation) {
        std::fprintf(stderr, "%s: %s\n", options.log.c_str(), evaluation.error().detail.c_str());
        return exit_input;
    }
    const auto text =
        options.json ? fitting::to_json(*evaluation) + "\n" : fitting::to_text(*evaluation);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

} // namespace

void add_evaluate(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "evaluate",
        "Judges a policy by logged decisions and their propensities: IPS, SNIPS, doubly robust");
    const auto options = std::make_shared<Options>();
    auto& question = options->question;
    command->add_option("--log", options->log, "CSV with a header, one decision a row")->required();
    command->add_option("--action", question.action, "The column of what was done")
        ->capture_default_str();
    command
        ->add_option("--propensity", question.propensity,
                     "The column of the chance with which it was chosen")
        ->capture_default_str();
    command->add_option("--propensity-value", options->propensity_value,
                        "That chance, where it was always the same");
    command->add_option("--reward", question.reward, "The column of what came of it")
        ->capture_default_str();
    command
        ->add_option(
            "--policy", question.policy,
            "uniform, always:ACTION, or learned (on one half of the rows, judged on the other)")
        ->capture_default_str();
    command->add_option("--context", question.context, "Columns that a learned policy may look at")
        ->delimiter(',');
    command->add_option("--control", question.control,
                        "Compares the mean of every action with this one's");
    command->add_option("--qini", question.qini,
                        "Qini of a column of scores: whether the highest gain most by any action "
                        "but --control, in a randomised test");
    command
        ->add_option("--effective-samples-min", question.effective_samples_min,
                     "Below so many effective samples nothing is said of the policy")
        ->capture_default_str();
    command->add_option("--surface", question.surface,
                        "Only decisions of this surface (column surface of export --decisions)");
    command->add_flag("--json", options->json, "One JSON object");
    command->callback([options, &exit_code] { exit_code = evaluate_log(*options); });
}

} // namespace runtime
