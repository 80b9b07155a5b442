#include "tests/faults/sizes.hpp"

#include "tests/faults/options.hpp"

#include <cstdio>

namespace faults {

namespace {

const char* to_text(Size::Unit unit) {
    switch (unit) {
    case Size::Unit::cycles: return "times";
    case Size::Unit::seconds: return "s";
    case Size::Unit::customers: return "customers";
    case Size::Unit::connections: return "connections";
    }
    return "";
}

} // namespace

int count_of(const Size& size) {
    const bool lasts = size.unit == Size::Unit::seconds;
    if (lasts && options().minutes > 0) return static_cast<int>(options().minutes * 60);
    if (!lasts && options().cycles > 0) return options().cycles;
    return options().full ? size.full : size.few;
}

std::chrono::milliseconds span_of(const Size& size) { return std::chrono::seconds{count_of(size)}; }

bool is_full(const Size& size) { return count_of(size) >= size.full; }

void print_sizes() {
    std::printf("How large the faults are; those that are not here have one size.\n"
                "  %-34s %10s %10s\n",
                "", "default", "--full");
    for (const auto& size : sizes::all)
        std::printf("  %-34s %10d %10d %s\n", size.what, size.few, size.full, to_text(size.unit));
}

} // namespace faults
