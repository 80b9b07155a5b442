/// What an expression may name: variables, records and functions, with their types and their
/// documentation.
#pragma once

#include "journeys/cel/types.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// Called with `Activation::context` and checked arguments (no errors; nulls only where a type
/// allows them); the receiver of a member call comes first. Must not throw.
using HostFunction = Value (*)(const void* context, std::span<const Value> arguments, Arena& arena);

struct Overload {
    std::vector<Type> arguments; ///< The receiver first, where `member`.
    Type result;
    bool member = false;
};

/// Says what is wrong with a constant text given as an argument, or "".
using ConstantCheck = std::function<std::string(std::size_t argument, std::string_view text)>;

struct FunctionDeclaration {
    std::string name;
    std::vector<Overload> overloads;
    HostFunction call = nullptr;
    std::string doc;
    ConstantCheck check_constant = {}; ///< Optional; asked when an expression is compiled.
};

struct Variable {
    std::string name; ///< May hold dots.
    Type type;
    std::string doc;
    unsigned slot;
};

/// Declarations and the rules that go with them. Programs keep nothing of it but the addresses of
/// the host's functions, so it may go once everything is compiled.
class Environment {
public:
    void add_object(ObjectType type);
    /// Returns the slot of the variable's value in `Activation::variables`.
    unsigned add_variable(std::string name, Type type, std::string doc = {});
    void add_function(FunctionDeclaration function);
    /// A name that exists elsewhere: using it is answered with `sentence` instead of "no name ...".
    void add_unavailable(std::string name, std::string sentence);

    const ObjectType* find_object(std::string_view name) const;
    const Variable* find_variable(std::string_view name) const;
    const FunctionDeclaration* find_function(std::string_view name) const;
    const std::string* find_unavailable(std::string_view name) const;
    const std::vector<Variable>& variables() const { return variables_; }
    const std::vector<FunctionDeclaration>& functions() const { return functions_; }
    const std::vector<std::unique_ptr<const ObjectType>>& objects() const { return objects_; }
    const std::map<std::string, std::string, std::less<>>& unavailable() const {
        return unavailable_;
    }

    /// true: arithmetic never mixes int, uint and double, as the standard has it, and `days`,
    /// `hours` and `date` are unknown. false: an int or uint and a double are computed in double.
    bool strict_numbers = false;
    /// true: a missing key of a map is null, and so is whatever is selected from null. false: an
    /// error.
    bool missing_is_null = true;
    /// false: nothing is refused for its type or for an unknown name; both become errors of
    /// evaluation.
    bool check_types = true;
    /// The namespace that names are resolved in; "" is the root.
    std::string container;

private:
    std::vector<std::unique_ptr<const ObjectType>> objects_;
    std::vector<Variable> variables_;
    std::vector<FunctionDeclaration> functions_;
    std::map<std::string, std::size_t, std::less<>> object_index_;
    std::map<std::string, std::size_t, std::less<>> variable_index_;
    std::map<std::string, std::size_t, std::less<>> function_index_;
    std::map<std::string, std::string, std::less<>> unavailable_;
};

/// The reference of everything declared, as Markdown tables: variables, the fields of each record,
/// functions.
std::string markdown(const Environment& environment);

} // namespace journeys::cel
