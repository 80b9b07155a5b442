/// What our connections are called on the server: `sojourn/<instance>/<role>/<number>`.
#pragma once

#include <string>
#include <string_view>

namespace runtime {

/// What the names of all connections of `instance` begin with, and no other's.
inline std::string name_prefix(std::string_view instance) {
    return "sojourn/" + std::string{instance} + '/';
}

} // namespace runtime
