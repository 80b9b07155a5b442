#include "tests/bench/svg_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace bench {
namespace {

constexpr double width = 720, height = 420, left = 84, right = 24, top = 72, bottom = 64;
constexpr double legend_width = 150;
constexpr int ticks_wanted = 6;
/// Told from each other on white and on black, and by those who see few colours (Okabe and Ito).
constexpr std::array<std::string_view, 6> colours{"#0072b2", "#d55e00", "#009e73",
                                                  "#cc79a7", "#b8860b", "#56b4e9"};
constexpr std::string_view style = R"(<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.axis { stroke: #57606a; fill: none; }
.grid { stroke: #d0d7de; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.axis { stroke: #8b949e; }
.grid { stroke: #30363d; }
}
</style>
)";

std::string escaped(std::string_view text) {
    std::string made;
    for (const char one : text) switch (one) {
        case '&': made += "&amp;"; break;
        case '<': made += "&lt;"; break;
        case '>': made += "&gt;"; break;
        case '"': made += "&quot;"; break;
        default: made += one;
        }
    return made;
}

/// At most one digit behind the point.
std::string coordinate(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

/// 20k, 1.5M.
std::string tick_text(double value) {
    char text[32];
    const auto print = [&](double scaled, const char* unit) {
        std::snprintf(text, sizeof text, "%.4g%s", scaled, unit);
    };
    if (value >= 1e6)
        print(value / 1e6, "M");
    else if (value >= 1e3)
        print(value / 1e3, "k");
    else
        print(value, "");
    return text;
}

/// What an axis shows, and where.
class Scale {
public:
    /// `from` and `to`: the picture's coordinates of its ends.
    Scale(const Axis& axis, const std::vector<double>& values, double from, double to)
        : is_logarithmic_(axis.is_logarithmic), from_(from), to_(to) {
        double least = 0, most = 0;
        for (const auto value : values) {
            if (!shows(value)) continue;
            least = least == 0 ? value : std::min(least, value);
            most = std::max(most, value);
        }
        if (most == 0) least = most = 1; // Nothing to show.
        is_logarithmic_ ? make_decades(least, most) : make_steps(most);
    }

    bool shows(double value) const {
        return std::isfinite(value) && (is_logarithmic_ ? value > 0 : value >= 0);
    }
    double at(double value) const {
        const auto part = is_logarithmic_ ? std::log(value / ticks_.front()) /
                                                std::log(ticks_.back() / ticks_.front())
                                          : value / ticks_.back();
        return from_ + part * (to_ - from_);
    }
    const std::vector<double>& ticks() const { return ticks_; }

private:
    void make_decades(double least, double most) {
        const auto first = std::floor(std::log10(least) + 1e-9);
        const auto last = std::max(first + 1, std::ceil(std::log10(most) - 1e-9));
        for (auto decade = first; decade <= last; ++decade) ticks_.push_back(std::pow(10, decade));
    }
    void make_steps(double most) {
        const auto raw = most / ticks_wanted;
        const auto decade = std::pow(10, std::floor(std::log10(raw)));
        auto step = 10 * decade;
        for (const auto times : {5.0, 2.0, 1.0})
            if (times * decade >= raw * (1 - 1e-9)) step = times * decade;
        const auto count = std::ceil(most / step - 1e-9);
        for (double i = 0; i <= count; ++i) ticks_.push_back(i * step);
    }

    bool is_logarithmic_;
    double from_, to_;
    std::vector<double> ticks_; ///< From one end to the other.
};

std::string line(std::string_view kind, double x1, double y1, double x2, double y2) {
    return "<line class=\"" + std::string{kind} + "\" x1=\"" + coordinate(x1) + "\" y1=\"" +
           coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\"/>\n";
}

std::string text_at(double x, double y, std::string_view text, std::string_view more) {
    return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + std::string{more} +
           ">" + escaped(text) + "</text>\n";
}

std::string axes(const Plot& plot, const Scale& x, const Scale& y) {
    std::string svg;
    for (const auto tick : x.ticks()) {
        svg += line("grid", x.at(tick), top, x.at(tick), height - bottom);
        svg += text_at(x.at(tick), height - bottom + 20, tick_text(tick), "text-anchor=\"middle\"");
    }
    for (const auto tick : y.ticks()) {
        svg += line("grid", left, y.at(tick), width - right, y.at(tick));
        svg += text_at(left - 8, y.at(tick) + 4, tick_text(tick), "text-anchor=\"end\"");
    }
    svg += line("axis", left, height - bottom, width - right, height - bottom);
    svg += line("axis", left, top, left, height - bottom);
    svg += text_at((left + width - right) / 2, height - 18, plot.x.label, "text-anchor=\"middle\"");
    const auto middle = (top + height - bottom) / 2;
    svg +=
        text_at(20, middle, plot.y.label,
                "text-anchor=\"middle\" transform=\"rotate(-90 20 " + coordinate(middle) + ")\"");
    return svg;
}

std::string curve(const Series& series, std::string_view colour, const Scale& x, const Scale& y) {
    std::string path, dots;
    for (const auto& [at, value] : series.points) {
        if (!x.shows(at) || !y.shows(value)) continue;
        const auto place_x = coordinate(x.at(at)), place_y = coordinate(y.at(value));
        path += (path.empty() ? "M" : " L") + place_x + "," + place_y;
        dots += "<circle cx=\"" + place_x + "\" cy=\"" + place_y + "\" r=\"3.5\" fill=\"" +
                std::string{colour} + "\"/>\n";
    }
    if (path.empty()) return {};
    return "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + std::string{colour} +
           "\" stroke-width=\"2\"/>\n" + dots;
}

} // namespace

std::string to_svg(const Plot& plot) {
    std::vector<double> xs, ys;
    for (const auto& series : plot.series)
        for (const auto& [at, value] : series.points) {
            xs.push_back(at);
            ys.push_back(value);
        }
    const Scale x{plot.x, xs, left, width - right};
    const Scale y{plot.y, ys, height - bottom, top};
    const auto size = coordinate(width) + " " + coordinate(height);
    auto svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + "\" width=\"" +
               coordinate(width) + "\" height=\"" + coordinate(height) +
               "\" role=\"img\">\n<title>" + escaped(plot.title) + "</title>\n" +
               std::string{style} + text_at(left, 26, plot.title, "class=\"title\"") +
               axes(plot, x, y);
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        const auto colour = colours[i % colours.size()];
        svg += curve(plot.series[i], colour, x, y);
        if (plot.series.size() == 1) continue; // Its name is the title's.
        const auto place = left + legend_width * static_cast<double>(i);
        svg += "<rect x=\"" + coordinate(place) + "\" y=\"48\" width=\"14\" height=\"4\" fill=\"" +
               std::string{colour} + "\"/>\n" + text_at(place + 22, 54, plot.series[i].name, "");
    }
    return svg + "</svg>\n";
}

} // namespace bench
