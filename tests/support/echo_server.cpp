// The listener as an echo: what a fuzzing client of the WebSocket protocol needs.
//
//   echo_server [PORT] [--deflate]      ws://127.0.0.1:PORT/v1/stream?write_key=echo, 9001 by
//   default
//
// Ends with its standard input, or by a signal.

#include "runtime/listener/listener.hpp"
#include "tests/support/fake_log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
    FakeLog log;
    const actors::Credit credit{1, {.total = 1, .partition = 1, .customer = 1}};
    runtime::ListenerConfig config;
    config.port = 9001;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view{argv[i]} == "--deflate")
            config.deflate = true;
        else
            config.port = static_cast<std::uint16_t>(std::atoi(argv[i]));
    }
    config.keys = runtime::KeyRing{{runtime::make_key("echo", "echo", {runtime::Scope::ingest})}};
    config.limits.messages.frame_bytes_max = config.limits.bytes_in_flight_max =
        config.limits.unsent_bytes_max = 64 * 1024 * 1024;
    auto listener = runtime::Listener::open(config, {.log = log,
                                                     .credit = credit,
                                                     .now = [] { return journeys::Timestamp{}; },
                                                     .handlers = {},
                                                     .echoes = true});
    if (!listener) {
        std::fprintf(stderr, "%s\n", listener.error().detail.c_str());
        return 3;
    }
    std::printf("ws://127.0.0.1:%d/v1/stream?write_key=echo\n", (*listener)->port());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
}
