#include "schema/journey_reader.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

namespace {

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_one_name(std::string_view text) {
    return !text.empty() && (text[0] < '0' || text[0] > '9') &&
           std::all_of(text.begin(), text.end(), is_word_character);
}

/// Words as people write them, and nothing that only an expression has.
bool looks_like_fixed_text(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_word_character(c) || c == ' ' || c == '-' || c == '!' || c == ',' || c == '.' ||
               c == ':' || c == '/' || c == '\'' || c == '#';
    }) && (text.find(' ') != std::string_view::npos || text.find("://") != std::string_view::npos);
}

std::string inner_quoted(std::string_view text) {
    if (text.find('\'') == std::string_view::npos) return "\"'" + std::string{text} + "'\"";
    return "'\"" + std::string{text} + "\"'";
}

bool reads(const cel::Path& path, std::initializer_list<std::string_view> segments) {
    return path.segments.size() >= segments.size() &&
           std::equal(segments.begin(), segments.end(), path.segments.begin());
}

/// `2027-01-14`, which an expression computes; empty where there is none.
std::string_view bare_day_in(std::string_view text) {
    constexpr std::string_view shape = "dddd-dd-dd";
    char quote = 0; // Of the text inside which it stands.
    for (std::size_t at = 0; at + shape.size() <= text.size(); ++at) {
        if (quote != 0) {
            if (text[at] == '\\')
                ++at;
            else if (text[at] == quote)
                quote = 0;
            continue;
        }
        if (text[at] == '"' || text[at] == '\'') {
            quote = text[at];
            continue;
        }
        const auto part = text.substr(at, shape.size());
        const bool is_day =
            std::equal(shape.begin(), shape.end(), part.begin(),
                       [](char s, char c) { return s == '-' ? c == '-' : c >= '0' && c <= '9'; });
        const auto behind = at + shape.size();
        const bool is_longer = (at > 0 && is_word_character(text[at - 1])) ||
                               (behind < text.size() && text[behind] >= '0' && text[behind] <= '9');
        if (is_day && !is_longer) return part;
    }
    return {};
}

std::string day_sentence(std::string_view day) {
    return std::string{day} + " without quotes is a subtraction. Write date(\"" + std::string{day} +
           "\")";
}

const std::set<std::string, std::less<>> scores{"churn_risk", "p_alive", "clv",
                                                "expected_orders_90d", "stage"};

} // namespace

std::optional<Expression> JourneyReader::expression(const YamlNode& node, Scope scope,
                                                    cel::Expect expect, bool is_data) {
    if (node.is_told) return std::nullopt;
    if (!node.is_text() && !(node.is_empty() && !node.text.empty())) {
        std::string message = "expected an expression, found ";
        message += node.is_map() ? "a map" : node.is_list() ? "a list" : "nothing";
        if (node.is_list() || node.is_map())
            message += ". One that begins with [ or { must be quoted whole";
        mistakes_.add(node.at, message);
        return std::nullopt;
    }
    auto compiled = cel::compile(node.text, environment(scope), expect);
    if (compiled.program == nullptr || !compiled.issues.empty()) {
        if (is_data && is_one_name(node.text)) {
            mistakes_.add(
                node.at,
                "no name " + node.text +
                    ". Values under data are expressions; a fixed text needs inner quotes: " +
                    inner_quoted(node.text));
        } else if (is_data && looks_like_fixed_text(node.text)) {
            mistakes_.add(
                node.at,
                "this is no expression. Values under data are expressions; a fixed text needs "
                "inner quotes: " +
                    inner_quoted(node.text));
        } else if (const auto day = bare_day_in(node.text); !day.empty()) {
            mistakes_.add(
                document_.place_in(node, static_cast<std::size_t>(day.data() - node.text.data())),
                day_sentence(day));
        } else if (document_.is_cut_by_comment(node)) {
            mistakes_.add(
                node.at,
                "a value that starts with a quote, or holds \": \" or \" #\", must be quoted "
                "whole; read was only " +
                    quoted(node.text));
        } else if (std::ranges::count(node.text, '(') > std::ranges::count(node.text, ')') &&
                   document_.is_cut_by_bracket(node)) {
            mistakes_.add(
                node.at, "inside { } and [ ] the characters [ ] { } , end a value; read was only " +
                             quoted(node.text) +
                             ". Quote it whole, or write it on a line of its own");
        } else {
            for (auto& issue : compiled.issues)
                mistakes_.add(document_.place_in(node, issue.offset), std::move(issue.message));
            if (compiled.issues.empty()) mistakes_.add(node.at, "this is no expression");
        }
        return std::nullopt;
    }
    // What is computed of a day's digits means nothing anywhere.
    if (const auto day = bare_day_in(node.text); !day.empty()) {
        refuse(document_.place_in(node, static_cast<std::size_t>(day.data() - node.text.data())),
               day_sentence(day));
        if (!context_.was_taken) return std::nullopt;
    }
    note_reads(node, *compiled.program);
    check_calls(node, *compiled.program, is_data);
    check_names(node, *compiled.program);
    Expression made;
    made.program = std::move(compiled.program);
    made.line = node.at.line;
    made.vars = vars_;
    return made;
}

std::optional<bool> constant_value(const cel::Program& condition) {
    if (!condition.paths().empty() || !condition.calls().empty()) return std::nullopt;
    cel::Arena arena;
    return condition.evaluate({}, arena).is_true();
}

std::optional<Expression> JourneyReader::condition(const YamlNode& node, Scope scope) {
    auto made = expression(node, scope, cel::Expect::boolean);
    if (made)
        if (const auto always = constant_value(*made->program))
            mistakes_.warn(node.at, std::string{"this is always "} + (*always ? "true" : "false") +
                                        ": it reads nothing");
    return made;
}

std::vector<Expression> JourneyReader::conditions(const YamlNode& node, Scope scope) {
    std::vector<Expression> all;
    if (node.is_list() && node.items.empty()) mistakes_.add(node.at, "an empty list of conditions");
    if (node.is_list()) {
        for (const auto& item : node.items)
            if (auto one = condition(item, scope)) all.push_back(std::move(*one));
    } else if (auto one = condition(node, scope)) {
        all.push_back(std::move(*one));
    }
    return all;
}

std::vector<std::pair<std::string, Expression>>
JourneyReader::expressions_by_name(const YamlNode& node, std::string_view key) {
    std::vector<std::pair<std::string, Expression>> all;
    if (!node.is_map()) {
        mistakes_.add(node.at, std::string{key} +
                                   " is a map from names to expressions, on lines of its own");
        return all;
    }
    if (node.in_brackets && key == "data" && !node.entries.empty()) {
        std::string lines;
        for (const auto& [name, value] : node.entries)
            if (value.is_text()) {
                lines = name.text + ": " + value.text;
                break;
            }
        mistakes_.add(
            node.at,
            "inside { } the characters [ ] { } , end a value. Write data on lines of its own" +
                (lines.empty() ? std::string{} : ": " + lines));
    }
    for (const auto& [name, value] : node.entries)
        if (auto one = expression(value, Scope::step, cel::Expect::any, key == "data"))
            all.emplace_back(name.text, std::move(*one));
    return all;
}

void JourneyReader::read_property(const std::string& name) { properties_read_.insert(name); }

/// What of the events a run must keep, and what is worth a word.
void JourneyReader::note_reads(const YamlNode& node, const cel::Program& program) {
    for (const auto& path : program.paths()) {
        const auto& segments = path.segments;
        std::size_t event_at = 0; // Behind the event, where the path reads one.
        if (reads(path, {"event"})) event_at = 1;
        if (reads(path, {"run", "event"}) || reads(path, {"run", "last_event"})) event_at = 2;
        if (event_at > 0) {
            if (segments.size() == event_at)
                read_property("*");
            else if (segments[event_at] == "properties")
                read_property(segments.size() > event_at + 1 ? segments[event_at + 1] : "*");
        }
        if (reads(path, {"run"}) && segments.size() == 1) read_property("*");
        // Which properties are read of its items is not followed through macros: all are kept.
        if (reads(path, {"run", "events"})) read_property("*");
        if (reads(path, {"run", "events"}) || (reads(path, {"run"}) && segments.size() == 1))
            journey_->keeps_entry_events = true;
        if (reads(path, {"vars"})) check_vars(node, path);
        if (reads(path, {"coupon"})) check_coupon(node, path);
        if (reads(path, {"run", "sent"}) && segments.size() > 2)
            sent_names_.push_back({segments[2], document_.place_in(node, path.offset)});
        if (reads(path, {"customer"}) && segments.size() > 1 && scores.contains(segments[1]) &&
            !context_.models_loaded)
            mistakes_.warn(document_.place_in(node, path.offset),
                           "no model is loaded, so customer." + segments[1] + " is null");
    }
}

void JourneyReader::check_vars(const YamlNode& node, const cel::Path& path) {
    if (path.segments.size() < 2 || (!vars_ && !context_.lookups)) return;
    const auto& name = path.segments[1];
    std::vector<std::string> known;
    const auto add = [&](const std::string& packed) {
        for (const auto& [key, value] : PackedView{packed}.entries()) known.emplace_back(key);
    };
    if (vars_) add(*vars_);
    if (context_.lookups) add(context_.lookups->vars);
    if (std::ranges::find(known, name) != known.end()) return;
    if (!context_.lookups || context_.broken.vars) return; // It may stand in config/vars.yaml.
    mistakes_.add(
        document_.place_in(node, path.offset),
        "no value " + quoted(name) + '.' + did_you_mean(name, known) +
            " Values stand under vars: of this file, or in config/vars.yaml: " + listed(known));
}

/// Of the names of a step's expressions this one is there in one place only.
void JourneyReader::check_coupon(const YamlNode& node, const cel::Path& path) {
    if (!gives_coupon_)
        mistakes_.add(document_.place_in(node, path.offset),
                      "no code is given here: coupon stands under data of a send that says "
                      "coupon: POOL");
    reads_code_ = reads_code_ || path.segments.size() == 1 || path.segments[1] == "code";
}

void JourneyReader::check_lookup(Place at, const cel::Call& call) {
    const auto& texts = call.constant_strings;
    if (texts.empty() || !texts[0])
        return mistakes_.add(at, "lookup needs the table's name as a fixed text");
    if (context_.lookups == nullptr) return;
    const auto& tables = context_.lookups->tables;
    const auto table = tables.find(*texts[0]);
    if (table == tables.end()) {
        std::vector<std::string> known;
        for (const auto& [name, rows] : tables) known.push_back(name);
        return mistakes_.add(at, "no table " + quoted(*texts[0]) + '.' +
                                     did_you_mean(*texts[0], known) +
                                     " Tables are files config/tables/NAME.csv: " + listed(known));
    }
    if (context_.broken.tables.contains(*texts[0])) return;
    const auto& columns = table->second.columns;
    for (const auto& name : call.selected)
        if (std::ranges::find(columns, name) == columns.end())
            mistakes_.add(at, "the table " + *texts[0] + " has no column " + quoted(name) + '.' +
                                  did_you_mean(name, columns) + " Columns: " + listed(columns));
}

/// Counters, journeys, channels and topics that calls name must exist, and must be constant to be
/// kept.
void JourneyReader::check_calls(const YamlNode& node, const cel::Program& program, bool is_data) {
    for (const auto& call : program.calls()) {
        const auto at = document_.place_in(node, call.offset);
        const auto& arguments = call.constant_strings;
        const auto constant = [&](std::size_t i) {
            return i < arguments.size() && arguments[i].has_value();
        };
        if (call.function == "recommend" && !is_data)
            mistakes_.add(at, "recommend may stand under data only: its answer changes from moment "
                              "to moment, and what is decided must be the same whenever it is "
                              "looked at again");
        const bool is_count = call.function == "count" || call.function == "recent";
        if (is_count || call.function == "last") {
            const auto names =
                is_count ? std::min<std::size_t>(1, arguments.size()) : arguments.size();
            for (std::size_t i = 0; i < names; ++i)
                if (constant(i))
                    check_event(*arguments[i], at);
                else
                    mistakes_.add(at,
                                  call.function +
                                      " needs the event's name as a fixed text, since only what "
                                      "some journey names is kept");
            if (is_count && arguments.size() > 1 && !constant(1))
                mistakes_.add(at, call.function + " needs its window as a fixed text: \"24h\"");
            if (call.function == "count" && arguments.size() > 2 && !constant(2))
                mistakes_.add(at, "count needs the property's name as a fixed text");
            if (call.function == "count") check_counted_property(at, call);
        }
        if (call.function == "lookup") check_lookup(at, call);
        if (call.function == "product" && !at_hand_over_)
            mistakes_.add(at,
                          "the catalogue is only asked when a message is handed over: product() "
                          "stands under data and when of a send or a call");
        if (call.function == "audience" && !constant(0))
            mistakes_.add(at, "audience needs its name as a fixed text");
        if (call.function == "audience" && constant(0)) check_audience_name(*arguments[0], at);
        if (call.function == "running" && constant(0)) check_journey_name(*arguments[0], at);
        if ((call.function == "reachable" || call.function == "last_sent") &&
            context_.settings != nullptr) {
            std::vector<std::string> channels;
            for (const auto& channel : context_.settings->channels)
                channels.push_back(channel.name);
            const auto& topics = context_.settings->topics;
            if (constant(0) &&
                std::find(channels.begin(), channels.end(), *arguments[0]) == channels.end())
                mistakes_.add(at, "no channel " + quoted(*arguments[0]) + '.' +
                                      did_you_mean(*arguments[0], channels) +
                                      " Configured: " + listed(channels));
            if (constant(1) && !topics.empty() &&
                std::find(topics.begin(), topics.end(), *arguments[1]) == topics.end())
                mistakes_.add(at, "no topic " + quoted(*arguments[1]) + '.' +
                                      did_you_mean(*arguments[1], topics) +
                                      " Configured: " + listed(topics));
        }
    }
}

} // namespace schema
