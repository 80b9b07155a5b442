#include "journeys/definition.hpp"

#include "journeys/ids.hpp"

namespace journeys {

std::string version_text(std::uint64_t version) { return to_hex(version, 0).substr(0, 8); }

} // namespace journeys
