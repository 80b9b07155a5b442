#include "journeys/cel/pattern.hpp"

namespace journeys::cel {
namespace {

RE2::Options options() {
    RE2::Options made;
    made.set_log_errors(false);
    made.set_max_mem(1 << 20);
    return made;
}

/// What is too long is replaced by what is invalid.
re2::StringPiece bounded(std::string_view text) {
    return text.size() > Pattern::bytes_max ? re2::StringPiece{"("}
                                            : re2::StringPiece{text.data(), text.size()};
}

} // namespace

Pattern::Pattern(std::string_view text)
    : pattern_(bounded(text), options()),
      instructions_(pattern_.ok() ? static_cast<std::size_t>(pattern_.ProgramSize()) : 0) {}

} // namespace journeys::cel
