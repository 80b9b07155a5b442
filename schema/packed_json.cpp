#include "schema/packed_json.hpp"

#include "schema/json_walk.hpp"

namespace schema {

using journeys::Error;
using journeys::ErrorCode;

journeys::Result<std::string> packed_from_json(std::string_view text, const PackedLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return Error{ErrorCode::limit_exceeded, "the JSON text has " + std::to_string(text.size()) +
                                                    " bytes, allowed are " +
                                                    std::to_string(limits.bytes_max)};
    }
    // As a list of one, so that a lone text or number needs no path of its own.
    simdjson::padded_string list(text.size() + 2);
    list.data()[0] = '[';
    std::memcpy(list.data() + 1, text.data(), text.size());
    list.data()[text.size() + 1] = ']';

    const Error malformed{ErrorCode::invalid_argument, "not valid JSON"};
    json::parser parser;
    json::document document;
    json::array array;
    if (parser.iterate(list).get(document) || document.get_array().get(array)) return malformed;
    Walker walker;
    std::string packed;
    bool out_of_range = false;
    std::size_t count = 0;
    for (auto element : array) {
        json::value value;
        if (std::move(element).get(value) || ++count > 1) return malformed;
        switch (walker.pack(value, limits.depth_max, packed, out_of_range)) {
        case Fault::none: break;
        case Fault::malformed: return malformed;
        case Fault::too_deep:
            return Error{ErrorCode::limit_exceeded, "the JSON text is nested deeper than " +
                                                        std::to_string(limits.depth_max) +
                                                        " levels"};
        }
    }
    if (count != 1 || document.current_location().error() != simdjson::OUT_OF_BOUNDS)
        return malformed;
    if (out_of_range) {
        return Error{ErrorCode::invalid_argument, "a number is out of the range of doubles"};
    }
    return packed;
}

} // namespace schema
