#include "journeys/cel/program.hpp"

#include "journeys/cel/checker.hpp"
#include "journeys/cel/parser.hpp"
#include "journeys/cel/plan.hpp"
#include "journeys/cel/utf8.hpp"

#include <algorithm>
#include <exception>
#include <limits>

namespace journeys::cel {
namespace {

Issue issue_at(std::string_view source, const Fault& fault) {
    const auto before = source.substr(0, fault.offset);
    const auto line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto column = count_code_points(before.substr(line_start)) + 1;
    return {fault.offset, static_cast<unsigned>(line), static_cast<unsigned>(column),
            fault.message};
}

} // namespace

Program::Program(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Program::~Program() = default;

Value Program::evaluate(const Activation& activation, Arena& arena) const noexcept {
    constexpr auto steps_max = std::numeric_limits<std::int64_t>::max() / 2;
    const auto limit = arena.limit();
    const auto room = std::min(activation.limits.result_bytes, limit - arena.used());
    arena.set_limit(arena.used() + room);
    auto* const locals = plan_->locals > 0 ? arena.allocate_array<Value>(plan_->locals) : nullptr;
    Frame frame{
        activation.variables,
        activation.context,
        arena,
        {static_cast<std::int64_t>(std::min<std::uint64_t>(activation.limits.steps, steps_max))},
        locals};
    Value result;
    if (plan_->locals > 0 && locals == nullptr) {
        result = Value::error(too_large_result);
    } else {
        try {
            result = plan_->root->evaluate(frame);
        } catch (const std::exception&) { // Memory, of RE2 or of a text on its way.
            result = Value::error("the evaluation ran out of memory");
        }
    }
    arena.set_limit(limit);
    return result;
}

const Type& Program::type() const { return plan_->type; }
const std::vector<Path>& Program::paths() const { return plan_->paths; }
const std::vector<Call>& Program::calls() const { return plan_->calls; }
const std::vector<Comparison>& Program::comparisons() const { return plan_->comparisons; }
const std::string& Program::text() const { return plan_->source; }

bool Program::reads_slot(unsigned slot) const {
    return slot >= 64 || (plan_->reads >> slot & 1) != 0;
}

bool Program::uses_variable(std::string_view name) const {
    return std::any_of(plan_->paths.begin(), plan_->paths.end(),
                       [&](const Path& path) { return path.segments.front() == name; });
}

Compiled compile(std::string_view source, const Environment& environment, Expect expect) {
    Compiled compiled;
    auto parsed = parse(source);
    if (parsed.fault) {
        compiled.issues.push_back(issue_at(source, *parsed.fault));
        return compiled;
    }
    auto checked = check(*parsed.root, environment, expect);
    for (const auto& fault : checked.faults) compiled.issues.push_back(issue_at(source, fault));
    if (!compiled.issues.empty()) return compiled;
    auto made = std::make_unique<Plan>();
    made->source = source;
    made->root = plan(*parsed.root, environment, made->constants);
    made->locals = checked.locals;
    made->reads = checked.reads;
    made->type = parsed.root->type;
    made->paths = std::move(checked.paths);
    made->calls = std::move(checked.calls);
    made->comparisons = std::move(checked.comparisons);
    compiled.program = std::make_shared<const Program>(std::move(made));
    return compiled;
}

} // namespace journeys::cel
