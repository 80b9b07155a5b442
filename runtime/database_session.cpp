#include "runtime/database_session.hpp"

#include "runtime/postgres/keep_alive.hpp"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace runtime {

std::string with_deadlines(const std::string& conninfo) {
    char* fault = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> given{
        PQconninfoParse(conninfo.c_str(), &fault), PQconninfoFree};
    if (fault) PQfreemem(fault);
    if (!given) return conninfo;
    std::map<std::string, std::string> options{{"connect_timeout", "10"}};
    options.insert(keep_alive.begin(), keep_alive.end());
    for (const auto* option = given.get(); option->keyword; ++option)
        if (option->val) options[option->keyword] = option->val;
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

} // namespace runtime
