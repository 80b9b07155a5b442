#include "journeys/cel/environment.hpp"

#include <stdexcept>

namespace journeys::cel {
namespace {

template <class Index> std::size_t position(const Index& index, std::string_view name) {
    const auto found = index.find(name);
    return found == index.end() ? std::string_view::npos : found->second;
}

template <class Index> void declare(Index& index, const std::string& name, std::size_t at) {
    // Declarations are code of the host; one given twice is its mistake.
    if (!index.emplace(name, at).second) throw std::logic_error("declared twice: " + name);
}

std::string cell(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
        text.insert(at, "\\");
    }
    return text;
}

std::string signature(const std::string& name, const Overload& overload) {
    std::string out;
    std::size_t first = 0;
    if (overload.member && !overload.arguments.empty()) {
        out = overload.arguments.front().text() + ".";
        first = 1;
    }
    out += name + "(";
    for (std::size_t i = first; i < overload.arguments.size(); ++i) {
        if (i > first) out += ", ";
        out += overload.arguments[i].text();
    }
    return out + ") → " + overload.result.text();
}

} // namespace

void Environment::add_object(ObjectType type) {
    declare(object_index_, type.name, objects_.size());
    objects_.push_back(std::make_unique<const ObjectType>(std::move(type)));
}

unsigned Environment::add_variable(std::string name, Type type, std::string doc) {
    declare(variable_index_, name, variables_.size());
    const auto slot = static_cast<unsigned>(variables_.size());
    variables_.push_back({std::move(name), std::move(type), std::move(doc), slot});
    return slot;
}

void Environment::add_function(FunctionDeclaration function) {
    declare(function_index_, function.name, functions_.size());
    functions_.push_back(std::move(function));
}

void Environment::add_unavailable(std::string name, std::string sentence) {
    unavailable_.insert_or_assign(std::move(name), std::move(sentence));
}

const ObjectType* Environment::find_object(std::string_view name) const {
    const auto at = position(object_index_, name);
    return at == std::string_view::npos ? nullptr : objects_[at].get();
}

const Variable* Environment::find_variable(std::string_view name) const {
    const auto at = position(variable_index_, name);
    return at == std::string_view::npos ? nullptr : &variables_[at];
}

const FunctionDeclaration* Environment::find_function(std::string_view name) const {
    const auto at = position(function_index_, name);
    return at == std::string_view::npos ? nullptr : &functions_[at];
}

const std::string* Environment::find_unavailable(std::string_view name) const {
    const auto found = unavailable_.find(name);
    return found == unavailable_.end() ? nullptr : &found->second;
}

std::string markdown(const Environment& environment) {
    std::string out = "| name | type | what |\n| --- | --- | --- |\n";
    for (const auto& variable : environment.variables()) {
        out += "| `" + variable.name + "` | " + cell(variable.type.text()) + " | " +
               cell(variable.doc) + " |\n";
    }
    for (const auto& object : environment.objects()) {
        out += "\n**" + object->name + "**";
        if (!object->doc.empty()) out += ": " + object->doc;
        out += "\n\n| field | type | what |\n| --- | --- | --- |\n";
        for (const auto& field : object->fields) {
            out += "| `" + field.name + "` | " + cell(field.type.text()) + " | " + cell(field.doc) +
                   " |\n";
        }
    }
    if (environment.functions().empty()) return out;
    out += "\n| function | what |\n| --- | --- |\n";
    for (const auto& function : environment.functions()) {
        std::string forms;
        for (const auto& overload : function.overloads) {
            if (!forms.empty()) forms += "<br>";
            forms += "`" + signature(function.name, overload) + "`";
        }
        out += "| " + forms + " | " + cell(function.doc) + " |\n";
    }
    return out;
}

} // namespace journeys::cel
