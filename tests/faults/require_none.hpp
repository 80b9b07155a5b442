/// How a test asks for the proof.
#pragma once

#include "tests/faults/proof.hpp"

#include <catch2/catch.hpp>

namespace faults {

inline constexpr Expectations nothing_lost{.every_intent_is_accepted = true};

inline void require_none(const std::vector<std::string>& wrong) {
    for (const auto& line : wrong) UNSCOPED_INFO(line);
    CHECK(wrong.empty());
}

} // namespace faults
