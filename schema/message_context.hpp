/// What is kept of a message's `context`. Internal to this folder.
#pragma once

#include "journeys/event.hpp"
#include "journeys/packed.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schema {

/// A member that must be a text: absent (null too), a text, an integer as its digits, or anything
/// else.
struct Text {
    std::string_view text;
    bool is_wrong = false;
};

/// A member that must be an object, packed.
struct Object {
    std::string packed; ///< Empty: absent.
    bool is_wrong = false;
    bool out_of_range = false;
};

/// An entry of Segment's `context.externalIds`; others of its members say nothing that is needed.
struct ExternalId {
    Text type, id;
};

/// Views into the document that it was read from.
struct Context {
    static constexpr std::size_t text_bytes_max = 512;
    static constexpr std::size_t consents_max = 32;
    static constexpr std::size_t external_ids_max = 8;
    static constexpr std::array<std::string_view, 5> campaign_keys{"source", "medium", "name",
                                                                   "term", "content"};

    std::string_view timezone, locale, country, referrer;
    std::array<std::string_view, 5> campaign{};
    std::vector<std::pair<std::string_view, bool>> consents;
    std::vector<ExternalId> external_ids;
    Object traits;
    bool is_wrong = false;

    bool has_campaign() const;
    bool is_empty() const; ///< Nothing of it would be packed.
};

/// Replaces what `writer` holds by the packed map of `Event::context`.
void pack_context(const Context& context, journeys::PackedWriter& writer);

/// `own`, with what the batch's packed context has where it has nothing, key by key.
/// `country` stands in where neither says one.
std::string merged_context(const Context& own, journeys::PackedView batch, std::string_view country,
                           journeys::PackedWriter& writer);

} // namespace schema
