#include "runtime/database_session.hpp"

#include "runtime/postgres/connection_name.hpp"
#include "runtime/postgres/keep_alive.hpp"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <utility>

namespace runtime {

namespace {

using Options = std::map<std::string, std::string>;

/// `conninfo` with `options` where it names none of its own, and with `fixed` whatever it names.
std::string with(const std::string& conninfo, Options options, const Options& fixed) {
    char* fault = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> given{
        PQconninfoParse(conninfo.c_str(), &fault), PQconninfoFree};
    if (fault) PQfreemem(fault);
    if (!given) return conninfo;
    for (const auto* option = given.get(); option->keyword; ++option)
        if (option->val) options[option->keyword] = option->val;
    for (const auto& [name, value] : fixed) options[name] = value;
    std::string text;
    for (const auto& [name, value] : options) {
        text += (text.empty() ? "" : " ") + name + "='";
        for (const char c : value) {
            if (c == '\\' || c == '\'') text += '\\';
            text += c;
        }
        text += '\'';
    }
    return text;
}

} // namespace

std::string with_deadlines(const std::string& conninfo) {
    Options options{{"connect_timeout", "10"}};
    options.insert(keep_alive.begin(), keep_alive.end());
    return with(conninfo, std::move(options), {});
}

std::string of_instance(const std::string& conninfo, const std::string& instance) {
    return with(conninfo, {}, {{"application_name", name_prefix(instance) + "desk/0"}});
}

} // namespace runtime
