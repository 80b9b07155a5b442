#include "journeys/cel/conformance.hpp"

#include "journeys/cel/base64.hpp"
#include "journeys/cel/compare.hpp"
#include "journeys/cel/cursor.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/cel/time_text.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace journeys::cel {
namespace {

using Json = nlohmann::json;

double read_double(const std::string& text) {
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return HUGE_VAL;
    if (text == "-Infinity") return -HUGE_VAL;
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// A value of a case: an object with one key, which names the type. Throws what the JSON library
/// throws.
Value decode(const Json& json, Arena& arena) {
    const auto first = json.begin(); // Of a map, or it throws.
    const std::string& kind = first.key();
    const Json& content = first.value();
    if (kind == "null") return Value::null();
    if (kind == "bool") return Value::boolean(content.get<bool>());
    if (kind == "list") {
        std::vector<Value> items;
        for (const auto& item : content) items.push_back(decode(item, arena));
        return Value::list(items, arena);
    }
    if (kind == "map") {
        std::vector<Value> entries;
        for (const auto& entry : content) {
            entries.push_back(decode(entry.at(0), arena));
            entries.push_back(decode(entry.at(1), arena));
        }
        return Value::map_of(Value::list(entries, arena).items());
    }
    const auto text = content.get<std::string>();
    if (kind == "int") return Value::integer(std::stoll(text));
    if (kind == "uint") return Value::unsigned_integer(std::stoull(text));
    if (kind == "double") return Value::floating(read_double(text));
    if (kind == "string") return Value::string(text, arena);
    if (kind == "bytes") return Value::bytes(read_base64(text).value(), arena);
    if (kind == "type") return Value::type(Value::string(text, arena).as_string());
    if (kind == "timestamp") return parse_timestamp(text).value();
    if (kind == "duration") return Value::duration(parse_duration(text).value());
    throw std::invalid_argument("a value of the unknown type " + kind);
}

/// The type as the suite writes it: "int", "list(dyn)", "map(string, int)",
/// "google.protobuf.Duration".
Type read_type(std::string_view text) {
    const auto open = text.find('(');
    const auto name = text.substr(0, open);
    std::vector<Type> parameters;
    if (open != std::string_view::npos) {
        auto start = open + 1;
        int depth = 0;
        for (auto at = start; at < text.size(); ++at) {
            if (text[at] == '(') ++depth;
            const bool is_end = depth == 0 && (text[at] == ',' || text[at] == ')');
            if (is_end) {
                parameters.push_back(read_type(text.substr(start, at - start)));
                start = at + 1;
                while (start < text.size() && text[start] == ' ') ++start;
            } else if (text[at] == ')') {
                --depth;
            }
        }
    }
    if (name == "bool") return Type::boolean();
    if (name == "int") return Type::integer();
    if (name == "uint") return Type::unsigned_integer();
    if (name == "double") return Type::floating();
    if (name == "string") return Type::string();
    if (name == "bytes") return Type::bytes();
    if (name == "google.protobuf.Timestamp") return Type::timestamp();
    if (name == "google.protobuf.Duration") return Type::duration();
    if (name == "list" && parameters.size() == 1) return Type::list(parameters[0]);
    if (name == "map" && parameters.size() == 2) return Type::map(parameters[0], parameters[1]);
    return {};
}

std::string type_text(const Type& type) {
    if (type.is_dyn()) return "dyn";
    if (type.is(Kind::null)) return "null_type";
    if (type.is(Kind::list)) return "list(" + type_text(type.item()) + ")";
    if (type.is(Kind::optional)) return "optional_type(" + type_text(type.item()) + ")";
    if (type.is(Kind::map))
        return "map(" + type_text(type.key()) + ", " + type_text(type.mapped()) + ")";
    return type.without_null().text();
}

/// The same type and the same value, unlike equality in the language: 1 is not 1.0, NaN is NaN.
bool is_same(Value got, Value wanted, Arena& arena) {
    if (got.kind() != wanted.kind()) return false;
    switch (got.kind()) {
    case Kind::floating:
        if (std::isnan(wanted.as_double())) return std::isnan(got.as_double());
        return got.as_double() == wanted.as_double() &&
               std::signbit(got.as_double()) == std::signbit(wanted.as_double());
    case Kind::list: {
        if (got.size() != wanted.size()) return false;
        for (std::size_t i = 0; i < got.size(); ++i) {
            if (!is_same(got.at(i, arena), wanted.at(i, arena), arena)) return false;
        }
        return true;
    }
    case Kind::map: {
        if (got.size() != wanted.size()) return false;
        for (Cursor at{wanted, arena}; at.next();) {
            Value found;
            if (!got.find(at.key(), found, arena) || !is_same(found, at.value(), arena))
                return false;
        }
        return true;
    }
    default: {
        Budget budget{1000};
        return equal(got, wanted, arena, budget).is_true();
    }
    }
}

void declare(const Json& test, Environment& environment, std::vector<Value>& variables,
             Arena& arena) {
    const auto bindings = test.value("bindings", Json::object());
    const auto types = test.value("type_env", Json::object());
    for (const auto& [name, type] : types.items()) {
        environment.add_variable(name, read_type(type.get<std::string>()));
        const auto bound = bindings.find(name);
        variables.push_back(bound == bindings.end() ? Value::error("no value")
                                                    : decode(*bound, arena));
    }
    for (const auto& [name, value] : bindings.items()) {
        if (types.contains(name)) continue;
        environment.add_variable(name, Type::dyn());
        variables.push_back(decode(value, arena));
    }
}

/// Functions of a case that takes and gives no more than types of ours; they are never called.
void declare_functions(const Json& test, Environment& environment) {
    const auto functions = test.value("function_env", Json::object());
    for (const auto& [name, overloads] : functions.items()) {
        FunctionDeclaration function{.name = name};
        for (const auto& overload : overloads) {
            auto& made = function.overloads.emplace_back();
            for (const auto& type : overload.at("params"))
                made.arguments.push_back(read_type(type.get<std::string>()));
            made.result = read_type(overload.at("result").get<std::string>());
            made.member = overload.value("instance", false);
        }
        function.call = [](const void*, std::span<const Value>, Arena&) {
            return Value::error("a function of the checker only");
        };
        environment.add_function(std::move(function));
    }
}

ConformanceResult run(const Json& test) {
    ConformanceResult result{test.at("id"), test.at("group"), false, {}};
    Arena arena;
    Environment environment;
    environment.strict_numbers = true;
    environment.missing_is_null = false;
    environment.check_types = !test.value("disable_check", false);
    environment.container = test.value("container", "");
    std::vector<Value> variables;
    declare(test, environment, variables, arena);
    declare_functions(test, environment);
    const auto& expect = test.at("expect");
    const auto compiled = compile(test.at("expr").get<std::string>(), environment);
    if (!compiled.program) {
        result.passed = expect.contains("error");
        result.got = "refused: " + compiled.issues.front().message;
        return result;
    }
    if (test.value("check_only", false)) {
        result.got = type_text(compiled.program->type());
        result.passed = result.got == expect.at("deduced_type").get<std::string>();
        return result;
    }
    const auto got = compiled.program->evaluate({variables}, arena);
    result.got = to_text(got);
    if (expect.contains("error")) {
        result.passed = got.is_error();
        return result;
    }
    result.passed = is_same(got, decode(expect.at("value"), arena), arena);
    if (expect.contains("deduced_type") && result.passed) {
        const auto type = type_text(compiled.program->type());
        result.passed = type == expect.at("deduced_type").get<std::string>();
        if (!result.passed) result.got += " of type " + type;
    }
    return result;
}

} // namespace

ConformanceSummary run_conformance(std::istream& cases,
                                   const std::function<void(const ConformanceResult&)>& report) {
    ConformanceSummary summary;
    std::string line;
    for (std::size_t number = 1; std::getline(cases, line); ++number) {
        if (line.empty()) continue;
        ConformanceResult result{"line " + std::to_string(number), {}, false, {}};
        try {
            result = run(Json::parse(line));
        } catch (const std::exception& failure) { // The JSON library throws for what is no case.
            result.got = std::string{"no case: "} + failure.what();
        }
        ++(result.passed ? summary.passed : summary.failed);
        report(result);
    }
    return summary;
}

ConformanceSummary run_conformance(std::istream& cases, std::ostream& out) {
    const auto print = [&](const ConformanceResult& result) {
        nlohmann::ordered_json line;
        line["id"] = result.id;
        line["pass"] = result.passed;
        line["got"] = result.got;
        out << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    };
    const auto summary = run_conformance(cases, print);
    out << summary.passed << " passed, " << summary.failed << " failed\n";
    return summary;
}

} // namespace journeys::cel
