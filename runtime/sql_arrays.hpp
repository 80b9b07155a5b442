/// Arrays as PostgreSQL reads them from a text: libpqxx 6 has none of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace runtime {

std::string bytea_array(const std::vector<std::string>& values);
std::string text_array(const std::vector<std::string>& values);
std::string int_array(const std::vector<std::int64_t>& values);

} // namespace runtime
