#include "runtime/service_channels.hpp"

#include <catch2/catch.hpp>

namespace runtime::test {

TEST_CASE("there are connections enough for all that the channels may send at once", "[channels]") {
    const auto channel = [](int concurrency) {
        schema::ChannelConfig made;
        made.concurrency = concurrency;
        return made;
    };
    schema::Config config;
    CHECK(connections_of(config) >= 1); // libcurl takes none for "as many as you like".
    config.channels = {channel(8), channel(1), channel(300)};
    CHECK(connections_of(config) >= 309);
    CHECK(connections_of(config) < 320);
    config.channels.push_back(channel(0)); // It is called all the same.
    CHECK(connections_of(config) >= 310);
}

} // namespace runtime::test
