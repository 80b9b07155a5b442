#include "actors/failpoint.hpp"

#ifdef SOJOURN_FAILPOINTS

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

namespace actors {

namespace {

struct Armed {
    std::string name, action;
    long delay_ms = 0;
};

Armed read_environment() {
    Armed armed;
    const char* text = std::getenv("SOJOURN_FAILPOINT");
    if (!text) return armed;
    std::string_view rest{text};
    const auto colon = rest.find(':');
    armed.name = rest.substr(0, colon);
    if (colon == std::string_view::npos) return armed;
    rest.remove_prefix(colon + 1);
    const auto second = rest.find(':');
    armed.action = rest.substr(0, second);
    if (second != std::string_view::npos)
        armed.delay_ms = std::strtol(rest.substr(second + 1).data(), nullptr, 10);
    return armed;
}

} // namespace

bool failpoint(std::string_view name) {
    static const Armed armed = read_environment();
    if (name != armed.name) return false;
    if (armed.action == "kill") std::raise(SIGKILL);
    if (armed.action == "delay")
        std::this_thread::sleep_for(std::chrono::milliseconds{armed.delay_ms});
    while (armed.action == "hang") std::this_thread::sleep_for(std::chrono::hours{1});
    return armed.action == "error";
}

} // namespace actors

#endif
