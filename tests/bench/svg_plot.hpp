/// Lines over two axes as an SVG, which looks right on light and on dark ground.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Axis {
    std::string label;           ///< With its unit.
    bool is_logarithmic = false; ///< Then what is not above zero is left out.
};

struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points; ///< In the order in which they are joined.
};

struct Plot {
    std::string title;
    Axis x, y;
    std::vector<Series> series; ///< At most four, for the legend is one line.
};

/// A whole document. Linear axes begin at zero; values below it are left out, and so is what is no
/// number.
std::string to_svg(const Plot& plot);

} // namespace bench
