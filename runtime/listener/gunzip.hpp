/// Gzip bodies of requests, unpacked within a bound.
#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace runtime {

enum class GunzipError { malformed, too_large };
[[noreturn]] void throw_exception_from_error(GunzipError error,
                                             const boost::source_location& where);

/// Unpacks at most `bytes_max`; a body that holds more costs no more memory than that. Several
/// members behind each other are one text, as RFC 1952 has it; zlib's own header is taken too.
boost::system::result<std::string, GunzipError> gunzip(std::string_view packed,
                                                       std::size_t bytes_max);

} // namespace runtime
