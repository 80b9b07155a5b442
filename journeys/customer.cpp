#include "journeys/customer.hpp"

#include <algorithm>

namespace journeys {

Money Cart::value() const {
    Money sum;
    for (const auto& line : lines)
        if (line.quantity > 0) sum += line.price * line.quantity;
    return sum;
}

bool Cart::is_empty() const {
    return std::none_of(lines.begin(), lines.end(),
                        [](const CartLine& line) { return line.quantity > 0; });
}

Timestamp next_date(const Customer& customer) {
    auto earliest = no_time;
    for (const auto& timer : customer.dates) earliest = std::min(earliest, timer.due);
    return earliest;
}

} // namespace journeys
