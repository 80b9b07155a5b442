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

/// Whether it says that something was lost, doubled, sent wrongly or kept open. A service that is
/// slow, stands still or counts wrongly would betray no mutant.
bool is_promise(const std::string& violation) {
    const bool has_number =
        violation.size() > 1 && violation[0] == 'I' && violation[1] >= '1' && violation[1] <= '6';
    const bool is_about_exits = violation.find(" outlived ") != violation.npos ||
                                violation.ends_with(" is open behind an order");
    return has_number || is_about_exits;
}

/// All of them; or those that the environment names, in the place of the first.
void live(std::uint64_t first, std::uint64_t count) {
    if (std::getenv("SOJOURN_SEED") || std::getenv("SOJOURN_SEEDS")) {
        if (first != 1) return;
        first = number_of("SOJOURN_SEED", 1);
        count = number_of("SOJOURN_SEEDS", 1);
    }
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

// Whatever happens in whatever order, it comes to what the core alone makes of it. In parts, which
// run side by side.
TEST_CASE("seeds 1 to 500 come to what the core alone makes of them", "[simulation]") {
    live(1, 500);
}
TEST_CASE("seeds 501 to 1,000 come to what the core alone makes of them", "[simulation]") {
    live(501, 500);
}
TEST_CASE("seeds 1,001 to 1,500 come to what the core alone makes of them", "[simulation]") {
    live(1'001, 500);
}
TEST_CASE("seeds 1,501 to 2,000 come to what the core alone makes of them", "[simulation]") {
    live(1'501, 500);
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
