/// The one type of failure that a caller is expected to handle.
#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace journeys {

enum class ErrorCode {
    invalid_argument,
    invalid_event,
    invalid_journey,
    invalid_state,
    unauthorized,
    limit_exceeded,
    not_found,
    storage_unavailable,
    fenced,
    unavailable,
};

/// A failure the caller is expected to handle.
struct Error {
    ErrorCode code;
    std::string detail; ///< What was found and what is allowed; for logs and operators.
};

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& where) {
    // Reached only by value() on a failed result, which is a mistake of ours.
    boost::throw_with_location(std::logic_error(error.detail), where);
}

template <class Value>
using Result =
    boost::system::result<Value, Error>; // return value;  or  return Error{code, detail};

} // namespace journeys
