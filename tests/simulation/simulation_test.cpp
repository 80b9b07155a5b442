/// Partitions, customers, flushes and channels under scheduling and faults by chance; then the
/// faults end, and all must be as the core alone would have it.
#include "tests/simulation/scenario.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <string>

namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// How many lives a mutant gets to betray itself.
constexpr std::uint64_t seeds_for_a_mutant = 400;
constexpr std::uint64_t seeds_at_once = 500;

/// Whether it says that something was lost, doubled, sent wrongly or kept open. A service that is
/// slow, stands still or counts wrongly would betray no mutant.
bool is_promise(const std::string& violation) {
    const bool has_number =
        violation.size() > 1 && violation[0] == 'I' && violation[1] >= '1' && violation[1] <= '6';
    const bool is_about_exits = violation.find(" outlived ") != violation.npos ||
                                violation.ends_with(" is open behind an order");
    return has_number || is_about_exits;
}

void live(std::uint64_t first, std::uint64_t count) {
    std::map<std::string, std::size_t> entered;
    for (auto seed = first; seed < first + count; ++seed) {
        const auto result = simulation::run(seed);
        INFO("SOJOURN_SEED=" << seed);
        REQUIRE(result.violation == "");
        for (const auto& [journey, runs] : result.entered) entered[journey] += runs;
    }
    if (count < 100) return;
    for (const auto* journey : {"cart-abandon", "browse", "post-purchase", "chained", "goodbye",
                                "visit", "cheaper", "parcel", "full-cart", "renewal", "silence"}) {
        INFO(journey);
        CHECK(entered[journey] >= count / 10); // By whatever way in.
    }
}

} // namespace

TEST_CASE("whatever happens in whatever order, it comes to what the core alone makes of it",
          "[simulation]") {
    const bool is_one = std::getenv("SOJOURN_SEED") != nullptr;
    live(number_of("SOJOURN_SEED", 1), is_one ? 1 : number_of("SOJOURN_SEEDS", seeds_at_once));
}

// The same for more of them, apart, so that they run side by side.
TEST_CASE("whatever happens in whatever order: from seed 501", "[simulation]") {
    live(1 + seeds_at_once, seeds_at_once);
}
TEST_CASE("whatever happens in whatever order: from seed 1,001", "[simulation]") {
    live(1 + 2 * seeds_at_once, seeds_at_once);
}
TEST_CASE("whatever happens in whatever order: from seed 1,501", "[simulation]") {
    live(1 + 3 * seeds_at_once, seeds_at_once);
}

TEST_CASE("a seed lives the same life again, to the bit", "[simulation]") {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u}) {
        const auto once = simulation::run(seed), again = simulation::run(seed);
        CHECK(once.digest == again.digest);
        CHECK(once.steps == again.steps);
    }
    CHECK(simulation::run(1).digest != simulation::run(2).digest);
}

TEST_CASE("every deliberate bug is seen", "[simulation]") {
    for (const auto& [name, mutant] : simulation::mutant_names) {
        INFO(name);
        std::string seen;
        for (std::uint64_t seed = 1; seed <= seeds_for_a_mutant && !is_promise(seen); ++seed)
            seen = simulation::run(seed, mutant).violation;
        INFO(seen);
        CHECK(is_promise(seen));
    }
}
