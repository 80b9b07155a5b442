/// The functions of the language itself: their forms, and where they are found.
#pragma once

#include "journeys/cel/compare.hpp"
#include "journeys/cel/types.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// What a function of the language may use.
struct CallContext {
    Arena& arena;
    Budget& budget;
};

/// One form of a function. Types are written by letter: b(ool) i(nt) u(int) d(ouble) s(tring) y
/// (bytes) l(ist) m(ap) t(imestamp) D(uration) o(ptional) T(ype) x (anything); as a result S is
/// list(string); 0 is null.
struct BuiltIn {
    std::string_view name;
    bool is_member;
    std::string_view arguments; ///< The receiver first.
    char result;
    /// The arguments fit `arguments`. Must not throw.
    Value (*call)(CallContext& context, std::span<const Value> arguments);
    bool is_extension = false; ///< Known only where the numbers are not strict.
};

/// A set of kinds that an argument may have.
using KindSet = std::uint32_t;
constexpr KindSet set_of(Kind kind) { return KindSet{1} << static_cast<unsigned>(kind); }
constexpr bool is_in(Kind kind, KindSet set) {
    return (set >> static_cast<unsigned>(kind) & 1) != 0;
}

/// Without strict numbers a double takes ints and uints too.
KindSet kinds_of(char letter, bool is_strict);
KindSet kinds_of(const Type& type, bool is_strict);
Type type_of(char letter);

/// Every form of the function, or nothing.
std::span<const BuiltIn> find_built_in(std::string_view name);
/// Names of all functions, for the nearest one.
std::vector<std::string_view> built_in_names();

// By theme; `find_built_in` joins them.
std::span<const BuiltIn> string_functions();
std::span<const BuiltIn> byte_functions();
std::span<const BuiltIn> list_functions();
std::span<const BuiltIn> math_functions();
std::span<const BuiltIn> time_functions();
std::span<const BuiltIn> conversions();
std::span<const BuiltIn> optional_functions();

/// `format`, of the string extension.
Value format(CallContext& context, std::span<const Value> arguments);

/// What is wrong with a constant text as the argument of this function, or nothing: an invalid
/// pattern, duration, timestamp or zone.
std::string_view mistake_in_constant(std::string_view function, std::size_t argument,
                                     std::string_view text);

/// Whether a time zone is known: an IANA name or an offset as "+05:30".
bool is_time_zone(std::string_view name);

} // namespace journeys::cel
