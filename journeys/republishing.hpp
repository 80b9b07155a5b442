/// What a publication does to an open run.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"

#include <cstdint>
#include <string_view>

namespace journeys {

struct RunFate {
    enum class Kind : std::uint8_t {
        stays, ///< On the version that it has.
        moves, ///< To `wait` of the journey's version of today.
        ends,
    } kind = Kind::stays;
    const Step* wait = nullptr;
    std::string_view reason; ///< Of `ends`.
};

/// What becomes of the run when its customer meets `catalog`.
RunFate fate_of(const Run& run, const Catalog& catalog);

} // namespace journeys
