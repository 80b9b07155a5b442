#include "journeys/cel/checker.hpp"

#include "journeys/cel/functions.hpp"
#include "journeys/cel/nearest.hpp"
#include "journeys/cel/overloads.hpp"
#include "journeys/cel/pattern.hpp"

#include <algorithm>
#include <array>

namespace journeys::cel {
namespace {

constexpr std::array<std::string_view, 13> type_names{"bool",
                                                      "int",
                                                      "uint",
                                                      "double",
                                                      "string",
                                                      "bytes",
                                                      "list",
                                                      "map",
                                                      "null_type",
                                                      "type",
                                                      "optional_type",
                                                      "google.protobuf.Timestamp",
                                                      "google.protobuf.Duration"};

/// A static text for the name of a type, or nothing.
std::string_view type_named(std::string_view name) {
    const auto* const found = std::find(type_names.begin(), type_names.end(), name);
    return found == type_names.end() ? std::string_view{} : *found;
}

bool is_in_capitals(std::string_view name) {
    return name.size() > 1 && name.front() >= 'A' && name.front() <= 'Z' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
           });
}

/// `a.b.c` as one name; "" for anything but plain selections of a name.
std::string dotted(const Expr& expression) {
    if (expression.kind == ExprKind::name) return expression.name;
    if (expression.kind != ExprKind::select || expression.is_optional) return {};
    auto name = dotted(*expression.arguments[0]);
    return name.empty() ? name : name + "." + expression.name;
}

const Expr& root_of(const Expr& expression) {
    const Expr* at = &expression;
    while (at->kind == ExprKind::select) at = at->arguments[0].get();
    return *at;
}

bool is_text_literal(const Expr& expression) {
    return expression.kind == ExprKind::literal && expression.value.is(Kind::string);
}

/// The path that a chain of selections reads, if it starts at a variable.
bool path_of(const Expr& expression, std::vector<std::string>& segments) {
    switch (expression.kind) {
    case ExprKind::name:
        if (expression.resolution != Resolution::variable) return false;
        segments.push_back(expression.name);
        return true;
    case ExprKind::select:
        if (!path_of(*expression.arguments[0], segments)) return false;
        segments.push_back(expression.name);
        return true;
    case ExprKind::index:
        if (!is_text_literal(*expression.arguments[1])) return false;
        if (!path_of(*expression.arguments[0], segments)) return false;
        segments.emplace_back(expression.arguments[1]->value.as_string());
        return true;
    default: return false;
    }
}

class Checker {
public:
    Checker(const Environment& environment, Checked& result)
        : environment_(environment), result_(result) {}

    void root(Expr& expression, Expect expect) {
        check(expression);
        if (!environment_.check_types) return;
        const auto type = expression.type.without_null();
        const auto wants = [&](const Type& wanted) { return type.may_be(wanted); };
        switch (expect) {
        case Expect::any: return;
        case Expect::boolean:
            if (!wants(Type::boolean())) {
                fail(expression, "a condition is true or false; this is " + type.text() +
                                     (type.is(Kind::string) ? ": compare it with something" : ""));
            }
            return;
        case Expect::string:
            if (!wants(Type::string()) && !type.is_number()) {
                fail(expression, "a text is needed here; this is " + type.text());
            }
            return;
        case Expect::list:
            if (!wants(Type::list({}))) {
                fail(expression, "a list is needed here; this is " + type.text());
            }
            return;
        case Expect::timestamp:
            if (!wants(Type::timestamp())) {
                fail(expression, "a point in time is needed here; this is " + type.text() +
                                     (type.is(Kind::string) ? ": write date(...)" : ""));
            }
            return;
        }
    }

private:
    struct Local {
        std::string_view name;
        Type type;
        unsigned slot;
    };

    /// `is_inner`: the expression is selected from, so its path goes on.
    void check(Expr& expression, bool is_inner = false) {
        switch (expression.kind) {
        case ExprKind::literal: expression.type = type_of_literal(expression.value); return;
        case ExprKind::name: name(expression); break;
        case ExprKind::select: select(expression); break;
        case ExprKind::index: index(expression); break;
        case ExprKind::has: has(expression); return;
        case ExprKind::call: call(expression); return;
        case ExprKind::list: list(expression); return;
        case ExprKind::map: map(expression); return;
        case ExprKind::unary: unary(expression); return;
        case ExprKind::binary: binary(expression); return;
        case ExprKind::logic:
            for (auto& operand : expression.arguments) {
                check(*operand);
                needs_bool(*operand);
            }
            expression.type = Type::boolean();
            return;
        case ExprKind::conditional:
            for (auto& part : expression.arguments) check(*part);
            needs_bool(*expression.arguments[0]);
            expression.type =
                Type::join(expression.arguments[1]->type, expression.arguments[2]->type);
            return;
        case ExprKind::macro: macro(expression); return;
        }
        if (!is_inner) record_path(expression);
    }

    static Type type_of_literal(Value value) {
        switch (value.kind()) {
        case Kind::null: return Type::null();
        case Kind::boolean: return Type::boolean();
        case Kind::integer: return Type::integer();
        case Kind::unsigned_integer: return Type::unsigned_integer();
        case Kind::floating: return Type::floating();
        case Kind::string: return Type::string();
        case Kind::bytes: return Type::bytes();
        default: return {};
        }
    }

    // Names
    // ------------------------------------------------------------------------------------------

    const Local* find_local(std::string_view name) const {
        for (auto at = locals_.rbegin(); at != locals_.rend(); ++at) {
            if (at->name == name) return &*at;
        }
        return nullptr;
    }

    /// Tries `name` in the container, in what the container is in, and at the root.
    template <class Try> bool in_namespaces(const std::string& name, bool is_rooted, Try attempt) {
        auto space = is_rooted ? std::string{} : environment_.container;
        for (;;) {
            if (attempt(space.empty() ? name : space + "." + name)) return true;
            if (space.empty()) return false;
            const auto dot = space.rfind('.');
            space.resize(dot == std::string::npos ? 0 : dot);
        }
    }

    /// Makes the expression the variable or type of that name, if there is one.
    bool resolve(Expr& expression, const std::string& name, bool is_rooted) {
        return in_namespaces(name, is_rooted, [&](const std::string& candidate) {
            if (const auto* const variable = environment_.find_variable(candidate)) {
                expression.resolution = Resolution::variable;
                expression.slot = variable->slot;
                if (variable->slot < 64) result_.reads |= std::uint64_t{1} << variable->slot;
                expression.type = variable->type;
                expression.name = variable->name;
                return true;
            }
            const auto type = type_named(candidate);
            if (type.empty()) return false;
            expression.resolution = Resolution::type;
            expression.value = Value::type(type);
            expression.type = Type::type();
            return true;
        });
    }

    void name(Expr& expression) {
        const auto* const local = expression.is_rooted ? nullptr : find_local(expression.name);
        if (local != nullptr) {
            expression.resolution = Resolution::local;
            expression.slot = local->slot;
            expression.type = local->type;
            return;
        }
        if (resolve(expression, expression.name, expression.is_rooted)) return;
        expression.resolution = Resolution::unknown;
        if (const auto* const sentence = environment_.find_unavailable(expression.name)) {
            return fail(expression, *sentence);
        }
        if (is_in_capitals(expression.name) && expression.name != "TRUE" &&
            expression.name != "FALSE" && expression.name != "NULL") {
            return fail(expression, "no name " + expression.name +
                                        ". Values under data are expressions; a fixed text needs "
                                        "inner quotes: \"'" +
                                        expression.name + "'\"");
        }
        std::vector<std::string_view> candidates;
        for (const auto& known : locals_) candidates.push_back(known.name);
        for (const auto& known : environment_.variables()) candidates.push_back(known.name);
        std::string hint = suggest(expression.name, {"true", "false", "null"});
        if (!hint.starts_with(". Nearest")) hint = suggest(expression.name, candidates);
        if (!find_built_in(expression.name).empty() ||
            environment_.find_function(expression.name)) {
            hint = ". There is a function of this name: " + expression.name + "(...)";
        }
        fail(expression, "no name " + expression.name + hint);
    }

    /// A chain of selections may be one dotted name.
    bool select_is_name(Expr& expression) {
        const Expr& root = root_of(expression);
        if (root.kind != ExprKind::name || (!root.is_rooted && find_local(root.name))) return false;
        const auto whole = dotted(expression);
        if (whole.empty() || !resolve(expression, whole, root.is_rooted)) return false;
        if (expression.resolution == Resolution::type) expression.name = whole;
        expression.kind = ExprKind::name;
        expression.arguments.clear();
        return true;
    }

    // Selections
    // -------------------------------------------------------------------------------------

    void select(Expr& expression) {
        if (select_is_name(expression)) return;
        auto& operand = *expression.arguments[0];
        check(operand, true);
        if (operand.kind == ExprKind::call)
            for (auto& call : result_.calls)
                if (call.offset == operand.offset && call.function == operand.name)
                    call.selected.push_back(expression.name);
        expression.type = selected(expression, operand.type, expression.name);
        if (expression.is_optional && !expression.type.is(Kind::optional)) {
            expression.type = Type::optional(expression.type);
        }
    }

    Type selected(Expr& expression, const Type& from, const std::string& field) {
        if (from.is_dyn()) return {};
        const bool may_be_null = from.is_nullable() || environment_.missing_is_null;
        const auto or_null = [&](Type type) {
            return may_be_null && !type.is_dyn() ? Type::nullable(std::move(type)) : type;
        };
        switch (from.kind()) {
        case Kind::map: return or_null(from.mapped());
        case Kind::optional: {
            auto type = selected(expression, from.item(), field);
            expression.field = -1; // Read by name, behind the optional.
            return type.is(Kind::optional) ? type : Type::optional(std::move(type));
        }
        case Kind::null:
            if (environment_.missing_is_null) return {};
            break;
        case Kind::object: {
            const auto* const object = environment_.find_object(from.object_name());
            if (object == nullptr) return {};
            for (std::size_t i = 0; i < object->fields.size(); ++i) {
                if (object->fields[i].name != field) continue;
                expression.field = static_cast<int>(i);
                return from.is_nullable() ? or_null(object->fields[i].type)
                                          : object->fields[i].type;
            }
            std::vector<std::string_view> candidates;
            for (const auto& known : object->fields) candidates.push_back(known.name);
            auto prefix = dotted(*expression.arguments[0]);
            if (prefix.empty()) prefix = object->name;
            fail(expression,
                 "no name " + prefix + "." + field + suggest(field, candidates, prefix + "."));
            return {};
        }
        default: break;
        }
        fail(expression, from.text() + " has no field " + field);
        return {};
    }

    void index(Expr& expression) {
        auto& operand = *expression.arguments[0];
        auto& key = *expression.arguments[1];
        check(operand, is_text_literal(key));
        check(key);
        const auto type = operand.type;
        if (type.is(Kind::object) && is_text_literal(key)) {
            // A record's field, written like a map's key.
            expression.kind = ExprKind::select;
            expression.name = key.value.as_string();
            expression.arguments.pop_back();
            expression.type = selected(expression, type, expression.name);
            if (expression.is_optional) expression.type = Type::optional(expression.type);
            return;
        }
        expression.type = indexed(expression, type, key);
        if (expression.is_optional && !expression.type.is(Kind::optional)) {
            expression.type = Type::optional(expression.type);
        }
    }

    Type indexed(const Expr& expression, const Type& from, const Expr& key) {
        if (from.is_dyn()) return {};
        const auto key_type = key.type.without_null();
        switch (from.kind()) {
        case Kind::list:
            if (!key_type.is_dyn() && !key_type.is_number()) {
                fail(key, "a list is indexed by a number, not by " + key_type.text());
            }
            return from.item();
        case Kind::map: {
            const auto wanted = from.key();
            const bool fits = wanted.is_dyn() || key_type.is_dyn() || wanted.may_be(key_type) ||
                              (wanted.is_number() && key_type.is_number());
            if (!fits)
                fail(key, "the keys of this map are " + wanted.text() + ", not " + key_type.text());
            const auto type = from.mapped();
            return environment_.missing_is_null && !type.is_dyn() ? Type::nullable(type) : type;
        }
        case Kind::optional: return Type::optional(indexed(expression, from.item(), key));
        case Kind::null:
            if (environment_.missing_is_null) return {};
            break;
        default: break;
        }
        fail(expression, from.text() + " has no [ ]");
        return {};
    }

    void has(Expr& expression) {
        auto& field = *expression.arguments[0];
        expression.type = Type::boolean();
        check(*field.arguments[0], true);
        field.type = selected(field, field.arguments[0]->type, field.name);
        record_path(field);
    }

    void record_path(const Expr& expression) {
        std::vector<std::string> segments;
        if (!path_of(expression, segments)) return;
        const auto is_same = [&](const Path& known) { return known.segments == segments; };
        if (std::none_of(result_.paths.begin(), result_.paths.end(), is_same)) {
            result_.paths.push_back({std::move(segments), start_of(expression)});
        }
    }

    static std::size_t start_of(const Expr& expression) {
        const Expr* at = &expression;
        while (at->kind == ExprKind::select || at->kind == ExprKind::index) {
            at = at->arguments[0].get();
        }
        return at->offset;
    }

    // Literals and operators
    // -------------------------------------------------------------------------

    Type entry_type(const Expr& expression, std::size_t entry, const Expr& value) {
        if (expression.optional_entries.empty() || !expression.optional_entries[entry])
            return value.type;
        if (!value.type.is_dyn() && !value.type.is(Kind::optional)) {
            fail(value, "an entry with \"?\" needs an optional, not " + value.type.text());
        }
        return value.type.is(Kind::optional) ? value.type.item() : Type{};
    }

    void list(Expr& expression) {
        auto item = Type::free();
        for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
            check(*expression.arguments[i]);
            const auto type = entry_type(expression, i, *expression.arguments[i]);
            item = Type::join(item, type);
        }
        expression.type = Type::list(item);
    }

    void map(Expr& expression) {
        auto key = Type::free();
        auto value = Type::free();
        for (std::size_t i = 0; i < expression.arguments.size(); i += 2) {
            auto& its_key = *expression.arguments[i];
            check(its_key);
            check(*expression.arguments[i + 1]);
            const auto& type = its_key.type;
            const bool is_key = type.is_dyn() || type.is(Kind::boolean) || type.is(Kind::integer) ||
                                type.is(Kind::unsigned_integer) || type.is(Kind::string);
            if (!is_key)
                fail(its_key, type.text() + " is no key of a map: bool, int, uint or string");
            const auto entry = entry_type(expression, i / 2, *expression.arguments[i + 1]);
            key = Type::join(key, type);
            value = Type::join(value, entry);
        }
        expression.type = Type::map(key, value);
    }

    void unary(Expr& expression) {
        auto& operand = *expression.arguments[0];
        check(operand);
        if (expression.operation == Operation::logical_not) {
            needs_bool(operand);
            expression.type = Type::boolean();
            return;
        }
        const auto type = operand.type.without_null();
        expression.type = type;
        if (!type.is_dyn() && !type.is(Kind::integer) && !type.is(Kind::floating)) {
            fail(expression, "\"-\" has no meaning for " + type.text());
            expression.type = {};
        }
    }

    void binary(Expr& expression) {
        auto& left = *expression.arguments[0];
        auto& right = *expression.arguments[1];
        check(left);
        check(right);
        const auto type = type_of_operation(expression.operation, left.type, right.type,
                                            environment_.strict_numbers);
        if (type) {
            expression.type = *type;
        } else {
            fail(expression, mistake_in_operation(expression.operation, left.type, right.type));
        }
        record_comparison(expression);
    }

    static Side side_of(const Expr& expression) {
        Side side{expression.type, {}, {}};
        if (!path_of(expression, side.path)) side.path.clear();
        if (is_text_literal(expression)) side.texts.emplace_back(expression.value.as_string());
        if (expression.kind == ExprKind::list)
            for (const auto& item : expression.arguments)
                if (is_text_literal(*item)) side.texts.emplace_back(item->value.as_string());
        return side;
    }

    void record_comparison(const Expr& expression) {
        const auto& left = *expression.arguments[0];
        const auto& right = *expression.arguments[1];
        auto sides = std::pair{side_of(left), side_of(right)};
        if (sides.first.path.empty() && sides.second.path.empty()) return;
        const auto offset = start_of(sides.first.path.empty() ? right : left);
        result_.comparisons.push_back(
            {expression.operation, std::move(sides.first), std::move(sides.second), offset});
    }

    void needs_bool(const Expr& expression) {
        if (!expression.type.may_be(Type::boolean()) || expression.type.is(Kind::null)) {
            fail(expression, "true or false is needed here; this is " + expression.type.text());
        }
    }

    // Macros
    // -----------------------------------------------------------------------------------------

    void macro(Expr& expression) {
        auto& range = *expression.arguments[0];
        check(range);
        auto types = types_of_variables(expression, range.type);
        const auto depth = locals_.size();
        for (std::size_t i = 0; i < expression.variables.size(); ++i) {
            locals_.push_back(
                {expression.variables[i], types[i], static_cast<unsigned>(depth + i)});
        }
        expression.slot = static_cast<unsigned>(depth);
        result_.locals = std::max(result_.locals, static_cast<unsigned>(locals_.size()));
        for (std::size_t i = 1; i < expression.arguments.size(); ++i)
            check(*expression.arguments[i]);
        locals_.resize(depth);
        expression.type = type_of_macro(expression);
    }

    std::array<Type, 2> types_of_variables(const Expr& expression, const Type& range) {
        const auto type = range.without_null();
        if (expression.macro == Macro::bind) return {range, {}};
        const bool is_optional =
            expression.macro == Macro::opt_map || expression.macro == Macro::opt_flat_map;
        if (type.is_dyn()) return {};
        if (is_optional) {
            if (!type.is(Kind::optional)) {
                fail(expression, expression.name + " needs an optional, not " + type.text());
            }
            return {type.item(), {}};
        }
        if (!type.is(Kind::list) && !type.is(Kind::map)) {
            fail(expression, expression.name + " goes through a list or a map, not " + type.text());
            return {};
        }
        const bool has_two = expression.variables.size() == 2;
        if (type.is(Kind::map)) return {type.key(), has_two ? type.mapped() : Type{}};
        if (has_two) return {Type::integer(), type.item()};
        return {type.item(), {}};
    }

    Type type_of_macro(Expr& expression) {
        auto& arguments = expression.arguments;
        const auto& last = arguments.back()->type;
        const auto& range = arguments[0]->type;
        if (arguments.size() > 2 && expression.macro != Macro::bind) needs_bool(*arguments[1]);
        switch (expression.macro) {
        case Macro::all:
        case Macro::exists:
        case Macro::exists_one: needs_bool(*arguments[1]); return Type::boolean();
        case Macro::filter:
            needs_bool(*arguments[1]);
            if (range.is(Kind::map)) return Type::list(range.key());
            return Type::list(range.is(Kind::list) ? range.item() : Type{});
        case Macro::sort_by:
            if (range.is(Kind::map)) return Type::list(range.key());
            return Type::list(range.is(Kind::list) ? range.item() : Type{});
        case Macro::map:
        case Macro::transform_list: return Type::list(last);
        case Macro::transform_map:
            if (range.is(Kind::list)) return Type::map(Type::integer(), last);
            return Type::map(range.key(), last);
        case Macro::transform_map_entry:
            if (!last.is_dyn() && !last.is(Kind::map)) {
                fail(*arguments.back(),
                     "transformMapEntry needs a map for each entry: {key: value}");
            }
            return last.is(Kind::map) ? last : Type::map({}, {});
        case Macro::bind: return last;
        case Macro::opt_map: return Type::optional(last);
        case Macro::opt_flat_map:
            if (!last.is_dyn() && !last.is(Kind::optional)) {
                fail(*arguments.back(), "optFlatMap needs an optional, not " + last.text());
            }
            return last.is(Kind::optional) ? last : Type::optional({});
        case Macro::none: break;
        }
        return {};
    }

    // Calls
    // ------------------------------------------------------------------------------------------

    /// `math.greatest(...)` is written like a member, and is a function.
    void join_namespace(Expr& expression) {
        const auto& receiver = *expression.arguments[0];
        const auto& root = root_of(receiver);
        if (root.kind != ExprKind::name || (!root.is_rooted && find_local(root.name))) return;
        const auto space = dotted(receiver);
        if (space.empty()) return;
        in_namespaces(space + "." + expression.name, root.is_rooted, [&](const std::string& name) {
            if (find_built_in(name).empty() && environment_.find_function(name) == nullptr)
                return false;
            expression.name = name;
            expression.has_receiver = false;
            expression.arguments.erase(expression.arguments.begin());
            return true;
        });
    }

    void call(Expr& expression) {
        if (expression.has_receiver) join_namespace(expression);
        for (auto& argument : expression.arguments) check(*argument);
        Call record{expression.name, {}, expression.offset, {}};
        for (const auto& argument : expression.arguments) {
            record.constant_strings.push_back(
                is_text_literal(*argument) ? std::optional<std::string>{argument->value.as_string()}
                                           : std::nullopt);
        }
        result_.calls.push_back(std::move(record));
        auto chosen = choose_overload(expression, environment_);
        expression.type = std::move(chosen.type);
        if (!chosen.mistake.empty()) return fail(expression, std::move(chosen.mistake));
        check_constants(expression);
    }

    void check_constants(const Expr& expression) {
        for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
            const auto& argument = *expression.arguments[i];
            if (!is_text_literal(argument)) continue;
            const auto text = argument.value.as_string();
            if (expression.host != nullptr) {
                if (!expression.host->check_constant) continue;
                auto mistake = expression.host->check_constant(i, text);
                if (!mistake.empty()) fail(argument, std::move(mistake));
                continue;
            }
            if (expression.name == "matches" && i == 1 && !patterns_.take(text)) {
                fail(argument, "an expression holds at most " +
                                   std::to_string(PatternAllowance::count_max) + " patterns, of " +
                                   std::to_string(PatternAllowance::bytes_max) + " bytes together");
                continue;
            }
            const auto mistake = mistake_in_constant(expression.name, i, text);
            if (!mistake.empty()) {
                fail(argument, "\"" + std::string{text} + "\" " + std::string{mistake});
            }
        }
    }

    void fail(const Expr& expression, std::string message) {
        if (environment_.check_types)
            result_.faults.push_back({expression.offset, std::move(message)});
    }

    const Environment& environment_;
    Checked& result_;
    std::vector<Local> locals_;
    PatternAllowance patterns_;
};

} // namespace

Checked check(Expr& root, const Environment& environment, Expect expect) {
    Checked result;
    Checker{environment, result}.root(root, expect);
    std::stable_sort(result.faults.begin(), result.faults.end(),
                     [](const Fault& a, const Fault& b) { return a.offset < b.offset; });
    return result;
}

} // namespace journeys::cel
