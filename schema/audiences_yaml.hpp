/// `config/audiences.yaml`: conditions by name, which expressions ask as `audience("NAME")`.
#pragma once

#include "journeys/lookups.hpp"
#include "schema/journey_yaml.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct AudiencesFile {
    std::map<std::string, journeys::Expression, std::less<>> audiences;
    /// Those that hold mistakes.
    std::set<std::string, std::less<>> broken;
    bool is_read = true; ///< False: the file is no YAML, and what it holds is not known.
    std::vector<Mistake> mistakes;
};

/// Those that hold mistakes are left out. What `context` says of audiences is not looked at: none
/// may name another.
AudiencesFile load_audiences(const std::string& file, std::string_view text,
                             const LoadContext& context);

inline constexpr std::size_t audiences_max = 200;

} // namespace schema
