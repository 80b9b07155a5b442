#include "tests/bench/svg_plot.hpp"

#include <catch2/catch.hpp>

#include <limits>

using bench::Plot;
using bench::to_svg;

namespace {

int count_of(const std::string& text, const std::string& part) {
    int count = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

bool shows(const std::string& svg, const std::string& text) {
    return svg.find(">" + text + "</text>") != svg.npos;
}

const Plot plot{.title = "Throughput",
                .x = {.label = "offered, events/s"},
                .y = {.label = "acked, events/s"},
                .series = {{.name = "ours", .points = {{10'000, 10'000}, {50'000, 40'000}}}}};

} // namespace

TEST_CASE("a plot names its axes with their units, from zero to beyond the largest", "[bench]") {
    const auto svg = to_svg(plot);
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(shows(svg, "Throughput"));
    CHECK(shows(svg, "offered, events/s"));
    CHECK(shows(svg, "acked, events/s"));
    CHECK(shows(svg, "0"));
    CHECK(shows(svg, "50k"));
    CHECK(count_of(svg, "<circle") == 2);
    CHECK(count_of(svg, "<path") == 1);
    CHECK_FALSE(shows(svg, "ours")); // One series needs no legend.
}

TEST_CASE("a plot is readable on light and on dark ground", "[bench]") {
    CHECK(to_svg(plot).find("prefers-color-scheme: dark") != std::string::npos);
}

TEST_CASE("a logarithmic axis shows decades, and nothing that is not above zero", "[bench]") {
    auto wide = plot;
    wide.x.is_logarithmic = true;
    wide.series[0].points = {{1'000, 1}, {0, 5}, {2'000'000, 3}};
    const auto svg = to_svg(wide);
    for (const auto* tick : {"1k", "10k", "100k", "1M", "10M"}) CHECK(shows(svg, tick));
    CHECK_FALSE(shows(svg, "100"));
    CHECK(count_of(svg, "<circle") == 2);
}

TEST_CASE("a point lies where its values say", "[bench]") {
    auto one = plot;
    one.series[0].points = {{0, 0}, {60, 30}};
    const auto svg = to_svg(one); // 0 to 60 by 10, 0 to 30 by 5.
    CHECK(svg.find("d=\"M84.0,356.0 L696.0,72.0\"") != std::string::npos);
}

TEST_CASE("what is no number is left out, and an empty plot is one still", "[bench]") {
    auto odd = plot;
    odd.series[0].points = {{1, std::numeric_limits<double>::quiet_NaN()},
                            {std::numeric_limits<double>::infinity(), 2},
                            {-1, 2},
                            {1, 2}};
    CHECK(count_of(to_svg(odd), "<circle") == 1);
    odd.series[0].points.clear();
    const auto empty = to_svg(odd);
    CHECK(count_of(empty, "<path") == 0);
    CHECK(empty.find("nan") == std::string::npos);
    odd.series.clear();
    CHECK(shows(to_svg(odd), "Throughput"));
}

TEST_CASE("several series have a legend, and their names may hold anything", "[bench]") {
    auto two = plot;
    two.title = "a < b & \"c\"";
    two.series.push_back({.name = "raw > ours", .points = {{1, 1}}});
    const auto svg = to_svg(two);
    CHECK(shows(svg, "ours"));
    CHECK(shows(svg, "raw &gt; ours"));
    CHECK(svg.find("a &lt; b &amp; &quot;c&quot;") != std::string::npos);
    CHECK(svg.find("a < b") == std::string::npos);
}
