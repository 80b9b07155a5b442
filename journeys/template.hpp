/// A message's text: Mustache over the send's data, with a YAML-like head for subject and preheader.
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
/// `unsubscribe_url` are always there. Values are HTML-escaped unless written `{{{so}}}`.
class Template {
public:
    /// `text`: an optional head between two `---` lines (`subject:`, `preheader:`), then the body.
    static Result<std::shared_ptr<const Template>> parse(std::string_view text);
    virtual ~Template() = default;
    /// The top-level names that the template reads; checked against the send's data when loading.
    virtual const std::set<std::string>& names() const = 0;
    /// Fails where a name that it reads is missing in `data` (a packed map). Output is bounded to 256 KiB.
    virtual Result<Rendered> render(PackedView data, std::string_view locale) const = 0;
};

} // namespace journeys
