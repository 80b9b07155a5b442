#include "journeys/cel/overloads.hpp"

#include "journeys/cel/functions.hpp"
#include "journeys/cel/nearest.hpp"

#include <algorithm>
#include <set>

namespace journeys::cel {
namespace {

bool fits(const Type& given, KindSet wanted) {
    if (given.is_dyn()) return true;
    return is_in(given.kind(), wanted) || (given.is_nullable() && is_in(Kind::null, wanted));
}

bool is_extreme(const Expr& call) {
    return call.name == "math.greatest" || call.name == "math.least";
}

/// The functions whose result depends on what their arguments hold.
Type refined(const Expr& call, Type type) {
    const auto& arguments = call.arguments;
    if (call.name == "optional.of" || call.name == "optional.ofNonZeroValue") {
        return Type::optional(arguments[0]->type);
    }
    if (call.name == "optional.none") return Type::optional(Type::free());
    if (call.name == "value")
        return arguments[0]->type.is(Kind::optional) ? arguments[0]->type.item() : Type{};
    if (call.name == "orValue") {
        if (!arguments[0]->type.is(Kind::optional)) return {};
        return Type::join(arguments[0]->type.item(), arguments[1]->type);
    }
    if (call.name == "distinct" || call.name == "sort") {
        const auto given = arguments[0]->type.without_null();
        return given.is(Kind::list) ? given : type;
    }
    if (call.name == "or") return Type::join(arguments[0]->type, arguments[1]->type);
    return type;
}

std::string counts_text(const std::set<std::size_t>& counts) {
    std::string out;
    std::size_t index = 0;
    for (const auto count : counts) {
        if (index > 0) out += index + 1 == counts.size() ? " or " : ", ";
        out += std::to_string(count);
        ++index;
    }
    return out + (counts.size() == 1 && *counts.begin() == 1 ? " argument" : " arguments");
}

/// "string.startsWith(string)"
std::string form_text(const std::string& name, bool is_member, const std::vector<Type>& types) {
    std::string out = is_member && !types.empty() ? types[0].text() + "." : "";
    out += name + "(";
    for (std::size_t i = is_member ? 1 : 0; i < types.size(); ++i) {
        if (i > (is_member ? 1u : 0u)) out += ", ";
        out += types[i].text();
    }
    return out + ")";
}

struct FormList {
    std::set<std::size_t> counts; ///< Without the receiver.
    std::string texts;
    bool is_of_other_style = false; ///< A member called as a function, or the reverse.
    void add(const std::string& text) {
        if (texts.find(text) != std::string::npos) return;
        if (!texts.empty()) texts += ", ";
        texts += text;
    }
};

Chosen no_form(const Expr& call, const FormList& forms) {
    const auto given = call.arguments.size() - (call.has_receiver ? 1 : 0);
    if (forms.counts.empty()) {
        if (!forms.is_of_other_style) return {};
        return {{},
                call.has_receiver
                    ? "no member " + call.name + ": write " + call.name + "(value)"
                    : "no function " + call.name + ": write value." + call.name + "(...)"};
    }
    if (!forms.counts.contains(given)) {
        return {{},
                call.name + " takes " + counts_text(forms.counts) + ", not " +
                    std::to_string(given)};
    }
    std::vector<Type> types;
    for (const auto& argument : call.arguments) types.push_back(argument->type);
    return {{},
            "no " + form_text(call.name, call.has_receiver, types) + ". There is: " + forms.texts};
}

Chosen choose_host(Expr& call, const FunctionDeclaration& function, bool is_strict) {
    call.host = &function;
    FormList forms;
    Chosen chosen;
    bool is_found = false;
    for (const auto& overload : function.overloads) {
        if (overload.member != call.has_receiver) {
            forms.is_of_other_style = true;
            continue;
        }
        const auto& wanted = overload.arguments;
        forms.counts.insert(wanted.size() - (overload.member ? 1 : 0));
        if (wanted.size() != call.arguments.size()) continue;
        forms.add(form_text(call.name, overload.member, wanted));
        bool is_match = true;
        for (std::size_t i = 0; i < wanted.size() && is_match; ++i) {
            const auto& given = call.arguments[i]->type;
            is_match = fits(given, kinds_of(wanted[i], is_strict)) &&
                       (given.is_number() || given.without_null().may_be(wanted[i]) ||
                        given.is(Kind::null));
        }
        if (!is_match) continue;
        chosen.type = is_found ? Type::join(chosen.type, overload.result) : overload.result;
        is_found = true;
    }
    return is_found ? chosen : no_form(call, forms);
}

Chosen choose_built_in(Expr& call, std::span<const BuiltIn> all, bool is_strict) {
    FormList forms;
    Chosen chosen;
    for (const auto& form : all) {
        if (form.is_member != call.has_receiver) {
            forms.is_of_other_style = true;
            continue;
        }
        forms.counts.insert(form.arguments.size() - (form.is_member ? 1 : 0));
        if (form.arguments.size() != call.arguments.size()) continue;
        std::vector<Type> wanted;
        bool is_match = true;
        for (std::size_t i = 0; i < form.arguments.size(); ++i) {
            is_match =
                is_match && fits(call.arguments[i]->type, kinds_of(form.arguments[i], is_strict));
        }
        if (!is_match) continue;
        const auto type = type_of(form.result);
        chosen.type = call.built_in ? Type::join(chosen.type, type) : type;
        if (call.built_in == nullptr) call.built_in = &form;
    }
    if (call.built_in != nullptr) return {refined(call, chosen.type), {}};
    for (const auto& form : all) {
        if (form.is_member != call.has_receiver) continue;
        if (form.arguments.size() != call.arguments.size()) continue;
        std::vector<Type> wanted;
        for (const char letter : form.arguments) wanted.push_back(type_of(letter));
        forms.add(form_text(call.name, form.is_member, wanted));
    }
    return no_form(call, forms);
}

Chosen choose_extreme(Expr& call, const BuiltIn& form) {
    call.built_in = &form;
    auto& arguments = call.arguments;
    if (arguments.empty()) return {{}, call.name + " needs a number, or a list of numbers"};
    Type type = arguments[0]->type.without_null();
    if (arguments.size() == 1 && type.is(Kind::list)) {
        if (!type.item().is_dyn() && !type.item().is_number()) {
            return {{}, call.name + " needs numbers, not " + type.text()};
        }
        return {type.item(), {}};
    }
    for (const auto& argument : arguments) {
        const auto given = argument->type.without_null();
        if (!given.is_dyn() && !given.is_number()) {
            return {{}, call.name + " needs numbers, not " + given.text()};
        }
        type = Type::join(type, given);
    }
    return {type, {}};
}

} // namespace

Chosen choose_overload(Expr& call, const Environment& environment) {
    const bool is_strict = environment.strict_numbers;
    if (const auto* const host = environment.find_function(call.name)) {
        return choose_host(call, *host, is_strict);
    }
    const auto all = find_built_in(call.name);
    if (!all.empty() && !(all.front().is_extension && is_strict)) {
        if (is_extreme(call) && !call.has_receiver) return choose_extreme(call, all.front());
        auto chosen = choose_built_in(call, all, is_strict);
        if (call.built_in == nullptr && !environment.check_types) call.built_in = &all.front();
        return chosen;
    }
    if (const auto* const sentence = environment.find_unavailable(call.name))
        return {{}, *sentence};
    auto candidates = built_in_names();
    std::sort(candidates.begin(), candidates.end());
    for (const auto& function : environment.functions()) candidates.push_back(function.name);
    return {{}, "no function " + call.name + suggest(call.name, candidates)};
}

} // namespace journeys::cel
