#include "runtime/form_body.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/url_text.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace runtime {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// `name="value"` or `name=value` among what follows a header's `;`.
std::optional<std::string> parameter_of(std::string_view header, std::string_view name) {
    while (true) {
        const auto semicolon = header.find(';');
        if (semicolon == header.npos) return std::nullopt;
        header.remove_prefix(semicolon + 1);
        const auto equals = header.find('=');
        if (equals == header.npos) return std::nullopt;
        const bool is_it = journeys::to_lower(trimmed(header.substr(0, equals))) == name;
        header = trimmed(header.substr(equals + 1));
        if (!header.starts_with('"')) {
            if (is_it) return std::string{trimmed(header.substr(0, header.find(';')))};
            continue;
        }
        const auto end = header.find('"', 1);
        if (end == header.npos) return std::nullopt;
        if (is_it) return std::string{header.substr(1, end - 1)};
        header.remove_prefix(end + 1);
    }
}

/// The field's name, of the header lines of its part.
std::optional<std::string> name_of(std::string_view head) {
    while (!head.empty()) {
        const auto line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(line.size() + 2, head.size()));
        const auto colon = line.find(':');
        if (colon != line.npos &&
            journeys::to_lower(trimmed(line.substr(0, colon))) == "content-disposition")
            return parameter_of(line.substr(colon + 1), "name");
    }
    return std::nullopt;
}

Fields parse_multipart(std::string_view body, const std::string& boundary) {
    Fields fields;
    const auto border = "--" + boundary;
    auto at = body.find(border);
    while (at != body.npos && fields.size() < form_fields_max) {
        body.remove_prefix(at + border.size());
        if (!body.starts_with("\r\n")) break; // The last one is followed by `--`.
        body.remove_prefix(2);
        const auto end = body.find("\r\n" + border);
        const auto part = body.substr(0, end);
        const auto head = part.find("\r\n\r\n");
        if (end == body.npos || head == part.npos) break;
        if (auto name = name_of(part.substr(0, head)))
            fields.emplace_back(std::move(*name), part.substr(head + 4));
        at = end + 2;
    }
    return fields;
}

} // namespace

Fields form_fields(const Request& request) {
    const auto header = request.header("content-type");
    const auto type = journeys::to_lower(trimmed(header.substr(0, header.find(';'))));
    Fields fields;
    if (type == "multipart/form-data") {
        if (const auto boundary = parameter_of(header, "boundary"); boundary && !boundary->empty())
            fields = parse_multipart(request.body, *boundary);
    } else if (type.empty() || type == "application/x-www-form-urlencoded") {
        fields = parse_form(request.body);
    }
    if (fields.size() > form_fields_max) fields.resize(form_fields_max);
    return fields;
}

} // namespace runtime
