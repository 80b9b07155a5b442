#include "journeys/cel/macros.hpp"

#include <algorithm>
#include <array>

namespace journeys::cel {
namespace {

struct Form {
    std::string_view name;
    Macro macro;
    std::size_t variables;
    std::size_t least; ///< Arguments without the range, variables included.
    std::size_t most;
    std::string_view example;
};

constexpr std::array<Form, 18> forms{{
    {"all", Macro::all, 1, 2, 2, "list.all(x, x > 1)"},
    {"all", Macro::all, 2, 3, 3, "list.all(x, x > 1)"},
    {"exists", Macro::exists, 1, 2, 2, "list.exists(x, x > 1)"},
    {"exists", Macro::exists, 2, 3, 3, "list.exists(x, x > 1)"},
    {"exists_one", Macro::exists_one, 1, 2, 2, "list.exists_one(x, x > 1)"},
    {"exists_one", Macro::exists_one, 2, 3, 3, "list.exists_one(x, x > 1)"},
    {"existsOne", Macro::exists_one, 1, 2, 2, "list.existsOne(x, x > 1)"},
    {"existsOne", Macro::exists_one, 2, 3, 3, "list.existsOne(x, x > 1)"},
    {"map", Macro::map, 1, 2, 3, "list.map(x, x + 1)"},
    {"filter", Macro::filter, 1, 2, 2, "list.filter(x, x > 1)"},
    {"sortBy", Macro::sort_by, 1, 2, 2, "list.sortBy(x, x.price)"},
    {"transformList", Macro::transform_list, 2, 3, 4, "list.transformList(i, x, x + i)"},
    {"transformMap", Macro::transform_map, 2, 3, 4, "map.transformMap(k, v, v + 1)"},
    {"transformMapEntry", Macro::transform_map_entry, 2, 3, 4,
     "map.transformMapEntry(k, v, {v: k})"},
    {"optMap", Macro::opt_map, 1, 2, 2, "m.?a.optMap(x, x + 1)"},
    {"optFlatMap", Macro::opt_flat_map, 1, 2, 2, "m.?a.optFlatMap(x, x.?b)"},
    {"bind", Macro::bind, 1, 3, 3, "cel.bind(x, 1 + 1, x * x)"},
    {"", Macro::none, 0, 0, 0, ""},
}};

bool is_bind(const Expr& call) {
    return call.name == "bind" && call.arguments.front()->kind == ExprKind::name &&
           call.arguments.front()->name == "cel";
}

std::optional<Fault> expand_has(Expr& call) {
    if (call.arguments.size() != 1 || call.arguments[0]->kind != ExprKind::select) {
        return Fault{call.offset, "has asks for a field: write has(a.b)"};
    }
    if (call.arguments[0]->is_optional) {
        return Fault{call.offset, "has asks for a field without \"?\": write has(a.b)"};
    }
    call.kind = ExprKind::has;
    return std::nullopt;
}

} // namespace

std::optional<Fault> expand_macro(Expr& call) {
    if (!call.has_receiver) return call.name == "has" ? expand_has(call) : std::nullopt;
    const auto given = call.arguments.size() - 1;
    const Form* near = nullptr;
    for (const auto& form : forms) {
        if (form.name != call.name || form.macro == Macro::none) continue;
        if (form.macro == Macro::bind && !is_bind(call)) return std::nullopt;
        near = &form;
        if (given >= form.least && given <= form.most) break;
    }
    if (near == nullptr) return std::nullopt;
    const auto example = std::string{near->example};
    if (given < near->least || given > near->most) {
        return Fault{call.offset, call.name + " is written so: " + example};
    }
    for (std::size_t i = 1; i <= near->variables; ++i) {
        auto& variable = *call.arguments[i];
        const bool is_name = variable.kind == ExprKind::name && !variable.is_rooted;
        if (!is_name) {
            return Fault{variable.offset,
                         call.name + " starts with the name of its variable: " + example};
        }
        if (std::count(call.variables.begin(), call.variables.end(), variable.name) > 0) {
            return Fault{variable.offset,
                         "the variables of " + call.name + " need different names"};
        }
        call.variables.push_back(variable.name);
    }
    const auto first = call.arguments.begin();
    const auto behind = first + 1 + static_cast<std::ptrdiff_t>(near->variables);
    call.arguments.erase(near->macro == Macro::bind ? first : first + 1, behind);
    call.kind = ExprKind::macro;
    call.macro = near->macro;
    return std::nullopt;
}

std::vector<std::string_view> macro_names() {
    std::vector<std::string_view> names{"has"};
    for (const auto& form : forms) {
        const bool is_known = std::find(names.begin(), names.end(), form.name) != names.end();
        if (form.macro != Macro::none && !is_known) names.push_back(form.name);
    }
    return names;
}

std::string_view macro_name(const Expr& macro) { return macro.name; }

} // namespace journeys::cel
