#include "journeys/definition.hpp"

#include "journeys/ids.hpp"

namespace journeys {

bool is_wait(const Step& step) {
    return std::holds_alternative<WaitFor>(step.action) ||
           std::holds_alternative<WaitUntilTime>(step.action) ||
           std::holds_alternative<WaitUntilDate>(step.action) ||
           std::holds_alternative<WaitForEvent>(step.action) ||
           std::holds_alternative<WaitForCondition>(step.action) ||
           std::holds_alternative<WaitUntilRisk>(step.action);
}

std::string version_text(std::uint64_t version) { return to_hex(version, 0).substr(0, 8); }

} // namespace journeys
