/// Commands that pass a request to the running service and print its answer.
#pragma once

#include "runtime/commands/commands.hpp"
#include "runtime/commands/installation.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/printable.hpp"

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace runtime {

/// Prints the answer; says on stderr why there is none. `what` is missing where the service does
/// not know it.
/// `without`: what to do instead where no service runs.
inline int ask_and_print(const std::string& config, std::string_view method,
                         const std::string& target, std::string_view what,
                         const std::function<int()>& without = {},
                         std::chrono::milliseconds patience = std::chrono::seconds{90}) {
    int failure = exit_done;
    const auto found = find_installation(config, failure);
    if (!found) return failure;
    const auto answer = ask_service(found->socket(), method, target, {}, patience);
    if (answer) {
        const auto text = printable_lines(*answer);
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
        return exit_done;
    }
    const auto& error = answer.error();
    if (error.code == journeys::ErrorCode::not_found) {
        std::fprintf(stderr, "sojourn: no such %s\n", std::string{what}.c_str());
        return exit_input;
    }
    if (without && error.code == journeys::ErrorCode::unavailable) return without();
    std::fprintf(stderr, "sojourn: %s\n", printable_lines(error.detail).c_str());
    return error.code == journeys::ErrorCode::invalid_argument ? exit_input : exit_environment;
}

} // namespace runtime
