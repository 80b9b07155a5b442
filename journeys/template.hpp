/// A message's text: Mustache over the send's data, with a YAML-like head for subject and
/// preheader.
#pragma once

#include "journeys/packed.hpp"
#include "journeys/result.hpp"

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace journeys {

struct Rendered {
    std::string subject, preheader, body;
};

/// Parsed once, immutable. `{{#money}}` and `{{#date}}` write by locale; `preferences_url` and
/// `unsubscribe_url` are always there (empty where `data` has none). In the body values are
/// HTML-escaped unless written `{{{so}}}`; subject and preheader are plain text on one line. Money
/// takes its currency from `currency` in the data, a date its zone from `timezone` (else UTC). No
/// partials, no other delimiters, sections 16 deep at most.
class Template {
public:
    /// `text`: an optional head between two `---` lines (`subject:`, `preheader:`), then the body.
    static Result<std::shared_ptr<const Template>> parse(std::string_view text);
    virtual ~Template() = default;
    /// The top-level names that the template reads; checked against the send's data when loading.
    virtual const std::set<std::string>& names() const = 0;
    /// Fails where a name that it reads is missing in `data` (a packed map); null and empty texts
    /// are there, write nothing and count as false. A section may ask for what only some elements
    /// of a list have. Output is bounded to 256 KiB. May be called from several threads at once.
    virtual Result<Rendered> render(PackedView data, std::string_view locale) const = 0;
};

} // namespace journeys
