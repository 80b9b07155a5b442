#include "tests/bench/calling_journey.hpp"

#include "schema/timestamp_text.hpp"
#include "tests/bench/live_service.hpp"

namespace bench {
namespace {

constexpr std::uint64_t customers = 20'000;

constexpr const char* journey = R"(id: bench-trigger
status: live
enter: { on: Bench Trigger, key: event.properties.n, reentry: always }
steps:
  - name: at-once
    call:
      channel: bench
      data:
        n: run.event.properties.n
)";
constexpr const char* event = "Bench Trigger: { properties: { n: number } }";

} // namespace

void add_calling_journey(const std::filesystem::path& config) {
    add_journey(config, "bench-trigger", journey, event);
}

std::string calling_message(std::uint64_t n, journeys::Timestamp now) {
    return R"({"type":"track","event":"Bench Trigger","userId":"t)" +
           std::to_string(n % customers) + R"(","messageId":"bench-trigger-)" + std::to_string(n) +
           R"(","timestamp":")" + schema::timestamp_text(now) + R"(","properties":{"n":)" +
           std::to_string(n) + "}}";
}

} // namespace bench
