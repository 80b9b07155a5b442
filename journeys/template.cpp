#include "journeys/template.hpp"

#include "journeys/local_time.hpp"
#include "journeys/locale_text.hpp"
#include "journeys/money.hpp"

#include <kainjow/mustache.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <vector>

namespace journeys {
namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t text_bytes_max = 256 * 1024;   ///< Of a template.
constexpr std::size_t output_bytes_max = 256 * 1024; ///< Of subject, preheader and body, each.
constexpr std::size_t depth_max = 16;                ///< Of sections, and of data.

/// Sections reach the library under names that no data has, so that its look-ups tell them from
/// variables.
constexpr char section_mark = '?';
constexpr std::string_view money_section = "?money";
constexpr std::string_view date_section = "?date";

bool is_always_there(std::string_view name) {
    return name == "preferences_url" || name == "unsubscribe_url" || name == "confirm_url";
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// A day as it is, or the day of an instant in `zone`.
std::optional<std::chrono::year_month_day> read_date(std::string_view text, std::string_view zone) {
    if (text.size() == 10) {
        const auto midnight = parse_timestamp(std::string{text} + "T00:00:00Z");
        if (!midnight) return std::nullopt;
        return std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(*midnight)};
    }
    const auto at = parse_timestamp(text, true);
    if (!at) return std::nullopt;
    return std::chrono::year_month_day{to_local(zone, *at).day};
}

// Reading.

/// A text with its tags checked, its sections marked, and what it reads.
struct Checked {
    std::string text;
    std::set<std::string> names;                   ///< At the top level.
    std::map<std::string, std::size_t> body_bytes; ///< The longest body of a section of that name.
};

Error refuse(std::string_view part, std::size_t line, std::string why) {
    return Error{ErrorCode::invalid_argument,
                 std::string{part} + ", line " + std::to_string(line) + ": " + std::move(why)};
}

bool is_name(std::string_view name) {
    if (name == ".") return true;
    if (name.empty() || name.size() > 256 || name.front() == '.' || name.back() == '.')
        return false;
    if (name.find("..") != std::string_view::npos) return false;
    if (static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) >= depth_max)
        return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
    });
}

/// Refuses what would be dangerous or silently wrong: unbalanced or deep sections, partials, other
/// delimiters.
Result<Checked> check(std::string_view part, std::string_view text, std::size_t line) {
    struct Open {
        std::string name;
        bool is_inverted;
        std::size_t body;
    };
    std::vector<Open> open;
    Checked checked;
    // A name at the top level, unless an element of some list may have it.
    const auto note = [&](std::string_view name) {
        const bool in_element = std::any_of(open.begin(), open.end(), [](const Open& section) {
            return !section.is_inverted && section.name != "money" && section.name != "date";
        });
        const auto top = std::string{name.substr(0, name.find('.'))};
        if (!in_element && !top.empty() && !is_always_there(top)) checked.names.insert(top);
    };

    for (std::size_t at = 0;;) {
        const auto tag = text.find("{{", at);
        checked.text += text.substr(at, tag - at);
        if (tag == std::string_view::npos) break;
        line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                                    text.begin() + static_cast<std::ptrdiff_t>(tag),
                                                    '\n'));
        const bool is_raw = text.substr(tag + 2).starts_with('{');
        const std::string_view closing = is_raw ? "}}}" : "}}";
        const auto first = tag + (is_raw ? 3 : 2);
        const auto end = text.find(closing, first);
        if (end == std::string_view::npos) return refuse(part, line, "a tag is not closed: {{");
        const auto content = trimmed(text.substr(first, end - first));
        at = end + closing.size();
        const char kind = is_raw || content.empty() ? ' ' : content.front();
        const auto name = is_raw || !is_one_of(content.substr(0, 1), {"#", "^", "/", "&"})
                              ? content
                              : trimmed(content.substr(1));
        const auto shown = "{{" + std::string{content.substr(0, 64)} + "}}";
        if (kind == '!') {
            line += static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
            checked.text += "{{!}}";
            continue;
        }
        if (kind == '>') return refuse(part, line, shown + ": templates do not include others");
        if (kind == '=') return refuse(part, line, shown + ": delimiters stay {{ and }}");
        if (!is_name(name)) return refuse(part, line, shown + " is no name");
        const bool is_format = name == "money" || name == "date";
        if (kind == '#' || kind == '^') {
            if (name == "." || (is_format && kind == '^'))
                return refuse(part, line, shown + " is no section");
            if (open.size() == depth_max)
                return refuse(part, line,
                              "sections are nested more than " + std::to_string(depth_max) +
                                  " deep");
            if (!open.empty() && (open.back().name == "money" || open.back().name == "date"))
                return refuse(part, line,
                              shown + ": inside {{#" + open.back().name +
                                  "}} there are only values");
            if (!is_format) note(name);
            checked.text.append("{{")
                .append(1, kind)
                .append(1, section_mark)
                .append(name)
                .append("}}");
            open.push_back({std::string{name}, kind == '^', checked.text.size()});
        } else if (kind == '/') {
            if (open.empty()) return refuse(part, line, shown + " closes nothing");
            if (open.back().name != name)
                return refuse(part, line, shown + " closes {{#" + open.back().name + "}}");
            auto& bytes = checked.body_bytes[section_mark + std::string{name}];
            bytes = std::max(bytes, checked.text.size() - open.back().body);
            open.pop_back();
            checked.text.append("{{/").append(1, section_mark).append(name).append("}}");
        } else {
            if (name != ".") note(name);
            const bool is_escaped = !is_raw && kind != '&';
            checked.text.append(is_escaped ? "{{" : "{{{")
                .append(name)
                .append(is_escaped ? "}}" : "}}}");
        }
    }
    if (!open.empty()) return refuse(part, line, "{{#" + open.back().name + "}} is not closed");
    return checked;
}

// Writing.

/// What ends a rendering; thrown through the library, which knows no errors, and caught around it.
struct RenderFailure {
    std::string why;
};

/// The packed value as the library's data. Null and empty text are false, so that `{{#name}}` asks
/// for them.
mustache::data to_data(PackedView value, std::size_t depth) {
    using Type = mustache::data::type;
    if (depth > depth_max) throw RenderFailure{"the data is nested too deep"};
    switch (value.kind()) {
    case PackedKind::null:
    case PackedKind::boolean_false: return mustache::data{false};
    case PackedKind::boolean_true: return mustache::data{std::string{"true"}};
    case PackedKind::integer:
    case PackedKind::floating: return mustache::data{to_json(value)};
    case PackedKind::string:
        if (value.as_string().empty()) return mustache::data{false};
        return mustache::data{std::string{value.as_string()}};
    case PackedKind::list: {
        mustache::data list{Type::list};
        for (const auto& [key, item] : value.entries()) list.push_back(to_data(item, depth + 1));
        return list;
    }
    case PackedKind::map: {
        mustache::data object{Type::object};
        for (const auto& [key, item] : value.entries())
            object.set(std::string{key}, to_data(item, depth + 1));
        return object;
    }
    }
    return mustache::data{false};
}

/// Where the library looks names up. Missing ones end the rendering, and so does too much work:
/// what it may write is counted before it is written, because a section in a section multiplies.
class Context : public mustache::basic_context<std::string> {
public:
    Context(const mustache::data& root, const Checked& checked, std::string_view locale)
        : checked_(checked), locale_(locale), money_(formatter(&Context::money)),
          date_(formatter(&Context::date)) {
        stack_.push_back(&root);
        spend(checked.text.size());
    }

    void push(const mustache::data* data) override {
        sections_.push_back(section_bytes_);
        spend(section_bytes_ + 1);
        stack_.push_back(data);
    }
    void pop() override {
        section_bytes_ = sections_.back();
        sections_.pop_back();
        stack_.pop_back();
    }
    const mustache::data* get(const std::string& name) const override {
        if (name.front() == section_mark) return section(name);
        const auto* found = find(name);
        if (!found) {
            if (is_always_there(name)) return nullptr;
            throw RenderFailure{"the data has no " + name};
        }
        if (found->is_object() || found->is_list())
            throw RenderFailure{name + " is a list or a map, which has no text"};
        if (found->is_string()) spend(6 * found->string_value().size()); // &quot; at most
        return found;
    }
    const mustache::data* get_partial(const std::string&) const override { return nullptr; }

private:
    using Format = std::string (Context::*)(std::string_view) const;

    mustache::data formatter(Format format) const {
        return mustache::data{mustache::lambda2{
            [this, format](const std::string& text, const mustache::renderer& render) {
                return (this->*format)(trimmed(render(text, false)));
            }}};
    }
    const mustache::data* section(const std::string& name) const {
        const auto bytes = checked_.body_bytes.find(name);
        section_bytes_ = bytes == checked_.body_bytes.end() ? 0 : bytes->second;
        if (name == money_section || name == date_section) {
            spend(section_bytes_ + 64);
            return name == money_section ? &money_ : &date_;
        }
        const auto* found = find(name.substr(1));
        // An element of a list may lack what others have; the top level may not.
        if (!found && stack_.size() == 1 && !is_always_there(std::string_view{name}.substr(1)))
            throw RenderFailure{"the data has no " + name.substr(1)};
        if (!found || found->is_false())
            spend(section_bytes_); // An inverted one is written without a push.
        return found;
    }
    const mustache::data* find(std::string_view name) const {
        if (name == ".") return stack_.back();
        for (auto scope = stack_.rbegin(); scope != stack_.rend(); ++scope) {
            const auto* value = *scope;
            for (std::size_t at = 0; value && at <= name.size();) {
                const auto end = std::min(name.find('.', at), name.size());
                value = value->get(std::string{name.substr(at, end - at)});
                at = end + 1;
            }
            if (value) return value;
        }
        return nullptr;
    }
    std::string text_of(std::string_view name) const {
        const auto* found = find(name);
        return found && found->is_string() ? found->string_value() : std::string{};
    }
    std::string money(std::string_view text) const {
        const auto amount = Money::parse(text);
        if (!amount) throw RenderFailure{"{{#money}} holds no number"};
        return money_text(*amount, text_of("currency"), locale_);
    }
    std::string date(std::string_view text) const {
        const auto date = read_date(text, text_of("timezone"));
        if (!date) throw RenderFailure{"{{#date}} holds no date"};
        return date_text(*date, locale_);
    }
    void spend(std::size_t bytes) const {
        if (bytes > left_) throw RenderFailure{"the text is longer than 256 KiB"};
        left_ -= bytes;
    }

    const Checked& checked_;
    std::string_view locale_;
    std::vector<const mustache::data*> stack_;
    std::vector<std::size_t> sections_; ///< Bodies of the sections that are open.
    // The library looks up in a const context; the account is kept all the same.
    mutable std::size_t section_bytes_ = 0; ///< Of the section that was looked up last.
    mutable std::size_t left_ =
        8 * output_bytes_max; ///< Of work: escaping and tags make it more than the output.
    mustache::data money_, date_;
};

std::string render_part(const mustache::mustache& parsed, const Checked& checked,
                        const mustache::data& data, std::string_view locale, bool is_html) {
    auto renderer = parsed; // Rendering writes into it, and a template is shared between threads.
    if (!is_html) renderer.set_custom_escape([](const std::string& text) { return text; });
    Context context{data, checked, locale};
    std::ostringstream stream;
    auto text =
        renderer.render(static_cast<mustache::basic_context<std::string>&>(context), stream).str();
    if (!renderer.is_valid()) throw RenderFailure{renderer.error_message()};
    if (text.size() > output_bytes_max) throw RenderFailure{"the text is longer than 256 KiB"};
    return text;
}

/// A header's text is one line: a line break in a value would begin another header.
std::string on_one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    return std::string{trimmed(text)};
}

class ParsedTemplate : public Template {
public:
    struct Part {
        explicit Part(Checked source) : checked(std::move(source)), parsed(checked.text) {}
        Checked checked;
        mustache::mustache parsed;
    };

    ParsedTemplate(Part subject, Part preheader, Part body)
        : subject_(std::move(subject)), preheader_(std::move(preheader)), body_(std::move(body)) {
        for (const auto* part : {&subject_, &preheader_, &body_})
            names_.insert(part->checked.names.begin(), part->checked.names.end());
    }
    const std::set<std::string>& names() const override { return names_; }
    Result<Rendered> render(PackedView data, std::string_view locale) const override {
        try {
            const auto root = data.is_map() ? to_data(data, 0) : mustache::data{};
            const auto text = [&](const Part& part, bool is_html) {
                return render_part(part.parsed, part.checked, root, locale, is_html);
            };
            return Rendered{on_one_line(text(subject_, false)),
                            on_one_line(text(preheader_, false)), text(body_, true)};
        } catch (const RenderFailure& failure) { // The border: the library has no other way out.
            return Error{ErrorCode::invalid_argument, failure.why};
        }
    }

private:
    Part subject_, preheader_, body_;
    std::set<std::string> names_;
};

/// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view unquoted(std::string_view value) {
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front())
        return value.substr(1, value.size() - 2);
    return value;
}

} // namespace

Result<std::shared_ptr<const Template>> Template::parse(std::string_view text) {
    if (text.size() > text_bytes_max)
        return refuse("template", 1,
                      "it has " + std::to_string(text.size()) + " bytes; at most " +
                          std::to_string(text_bytes_max) + " are allowed");
    if (text.find('\0') != std::string_view::npos)
        return refuse("template", 1, "it holds a zero byte");
    std::string_view subject, preheader, body = text;
    std::size_t line = 1, subject_line = 1, preheader_line = 1;
    if (trimmed(next_line(body)) == "---") {
        for (;;) {
            if (body.empty()) return refuse("head", line, "it is not closed by a line ---");
            const auto entry = trimmed(next_line(body));
            ++line;
            if (entry == "---") break;
            if (entry.empty() || entry.starts_with('#')) continue;
            const auto colon = entry.find(':');
            const auto key = trimmed(entry.substr(0, colon));
            if (colon == std::string_view::npos || (key != "subject" && key != "preheader"))
                return refuse("head", line,
                              "found \"" + std::string{key.substr(0, 64)} +
                                  "\"; allowed are subject: and preheader:");
            (key == "subject" ? subject : preheader) = unquoted(trimmed(entry.substr(colon + 1)));
            (key == "subject" ? subject_line : preheader_line) = line;
        }
        ++line;
    } else {
        body = text;
    }
    auto subject_part = check("subject", subject, subject_line);
    if (!subject_part) return subject_part.error();
    auto preheader_part = check("preheader", preheader, preheader_line);
    if (!preheader_part) return preheader_part.error();
    auto body_part = check("body", body, line);
    if (!body_part) return body_part.error();
    using Part = ParsedTemplate::Part;
    Part parts[]{Part{std::move(*subject_part)}, Part{std::move(*preheader_part)},
                 Part{std::move(*body_part)}};
    for (const auto& part : parts)
        if (!part.parsed.is_valid()) return refuse("template", 1, part.parsed.error_message());
    return std::shared_ptr<const Template>{std::make_shared<ParsedTemplate>(
        std::move(parts[0]), std::move(parts[1]), std::move(parts[2]))};
}

} // namespace journeys
