#include "tests/simulation/world.hpp"

#include "tests/simulation/catalogs.hpp"

namespace simulation {

World::World(std::uint64_t seed_, actors::Partition partitions, Mutant mutant_)
    : seed(seed_), mutant(mutant_), chance(seed_),
      clock(std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::hours{12}) {
    disk.partitions.resize(partitions);
    for (auto& partition : disk.partitions) partition.publication = 1;
    for (const auto& catalog : catalogs()) disk.publications[catalog->publication()] = catalog;
}

} // namespace simulation
