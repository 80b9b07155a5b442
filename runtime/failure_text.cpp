#include "runtime/failure_text.hpp"

#include "journeys/packed.hpp"

#include <algorithm>

namespace runtime {

std::string failure_text(std::string_view packed, bool with_error) {
    if (packed.empty()) return {};
    const journeys::PackedView data{packed};
    const std::string error{data.string_at("error")};
    if (error.empty()) return {};
    if (const auto name = data.string_at("template"); !name.empty())
        return ", template " + std::string{name} + (with_error ? ": " + error : "");
    const auto line = data.find("line");
    std::string text = line.is_number() ? ", line " + std::to_string(line.as_int()) : "";
    if (const auto name = data.string_at("name"); !name.empty()) text += ", " + std::string{name};
    std::string expression{data.string_at("expression")};
    std::ranges::replace(expression, '\n', ' ');
    return text + ": " + expression + (with_error ? " (" + error + ')' : "");
}

} // namespace runtime
