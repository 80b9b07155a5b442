#include "tests/bench/seven_journeys.hpp"

#include "tests/bench/live_service.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 7> seven{
    "browse-abandon",  "cart-abandon",  "checkout-abandon", "post-purchase",
    "price-conscious", "replenishment", "win-back"};

} // namespace

void copy_with_seven_journeys(const fs::path& config, const fs::path& to) {
    copy_config(config, to);
    const auto journeys = to / "journeys";
    for (const auto id : seven)
        if (!fs::exists(journeys / (std::string{id} + ".yaml")))
            throw std::runtime_error{config.string() + " has no journey " + std::string{id} +
                                     "; --all-journeys measures those that are there"};
    std::vector<fs::path> others;
    for (const auto& entry : fs::directory_iterator{journeys})
        if (std::ranges::count(seven, entry.path().stem().string()) == 0)
            others.push_back(entry.path());
    for (const auto& other : others) fs::remove_all(other);
}

} // namespace bench
