#include "journeys/cel/reference.hpp"

#include "journeys/cel/functions.hpp"
#include "journeys/cel/pattern.hpp"
#include "journeys/cel/program.hpp"

namespace journeys::cel {
namespace {

constexpr Entry types[] = {
    {"bool", "true or false", "1 < 2", "true"},
    {"int", "a whole number of 64 bits; also hexadecimal", "0xff", "255"},
    {"uint", "one without a sign", "7u", "7u"},
    {"double", "a number with a fraction", "2.5e2", "250.0"},
    {"string", R"(a text, in " or ', over several lines in """ or ''', raw behind r)",
     R"('it' + "'s")", R"("it's")"},
    {"bytes", "octets", R"(b'\x00ab')", R"(b"\x00ab")"},
    {"list", "values in order", "[1, 2][0]", "1"},
    {"map", "values by key: bool, int, uint or string", "{'a': 1}.a", "1"},
    {"null_type", "null: nothing is known", "null == null", "true"},
    {"google.protobuf.Timestamp", "an instant, from the year 1 to 9999, to the nanosecond",
     "timestamp('2024-05-17T09:00:00Z') < timestamp('2024-05-17T09:00:00+01:00')", "false"},
    {"google.protobuf.Duration", "a span of time", "duration('1h30m') == duration('90m')", "true"},
    {"optional_type", "a value, or none", "{'a': 1}.?b", "optional.none()"},
    {"type", "what `type(x)` gives", "type(1) == int", "true"},
};

constexpr Entry operators[] = {
    {"a ? b : c", "b where a is true, else c", "2 > 1 ? 'yes' : 'no'", R"("yes")"},
    {"a || b", "or; an error on one side is hidden by true on the other", "1 / 0 > 1 || true",
     "true"},
    {"a && b", "and; an error on one side is hidden by false on the other", "false && 1 / 0 > 1",
     "false"},
    {"== !=", "equal or not, of values of any types; numbers by value", "1 == 1.0 && [1] != [2]",
     "true"},
    {"< <= > >=", "order of numbers, texts, bytes, bools, instants and spans", "2 < 2.5", "true"},
    {"x in y", "whether a list holds it, or a map has this key", "'a' in ['a', 'b']", "true"},
    {"+", "sum; joins texts, bytes and lists; moves instants by spans", "[1] + [2]", "[1, 2]"},
    {"-", "difference, also of instants, and the sign", "-(3 - 5)", "2"},
    {"* / %", "product, quotient (of ints without a fraction), remainder (of ints only)",
     "7 / 2 * 2 + 7 % 2", "7"},
    {"!a", "not", "!(1 > 2)", "true"},
    {"m.key m['key'] l[0]", "an entry of a map, a field, an item of a list",
     "{'a-b': [5]}['a-b'][0]", "5"},
    {"m.`a-b`", "a key that is no name", "{'a-b': 5}.`a-b`", "5"},
    {"m.?key m[?'key']", "an optional of it; goes on over what is missing",
     "{'a': {'c': 1}}.?b.?c.orValue(0)", "0"},
};

constexpr Entry macros[] = {
    {"has", "whether the field or key is there", "has({'a': 1}.a)", "true"},
    {"all", "whether the condition holds for every item", "[1, 2].all(x, x > 0)", "true"},
    {"exists", "whether it holds for one", "[1, 2].exists(x, x > 1)", "true"},
    {"exists_one", "whether it holds for exactly one; also `existsOne`",
     "[1, 2].exists_one(x, x > 1)", "true"},
    {"filter", "the items for which it holds", "[1, 2, 3].filter(x, x != 2)", "[1, 3]"},
    {"map", "what each item becomes; with three arguments of those that pass the second",
     "[1, 2].map(x, x * 10) + [1, 2].map(x, x > 1, x)", "[10, 20, 2]"},
    {"sortBy", "the items in the order of a number, text or instant of each",
     "['bb', 'a'].sortBy(x, size(x))", R"(["a", "bb"])"},
    {"transformList", "as map, with index or key and value", "[5, 6].transformList(i, v, i + v)",
     "[5, 7]"},
    {"transformMap", "a map with the same keys and other values",
     "{'a': 1}.transformMap(k, v, v + 1)", R"({"a": 2})"},
    {"transformMapEntry", "a map of the entries that each becomes",
     "{'a': 1}.transformMapEntry(k, v, {v: k})", R"({1: "a"})"},
    {"cel.bind", "a name for a value that is used several times", "cel.bind(x, 2 + 1, x * x)", "9"},
    {"optMap", "an optional of what its value becomes, or none",
     "{'a': 1}.?a.optMap(x, x + 1).orValue(0)", "2"},
    {"optFlatMap", "the same, where that is an optional itself",
     "{'a': {'b': 1}}.?a.optFlatMap(x, x.?b).orValue(0)", "1"},
};

constexpr Entry functions[] = {
    // Texts
    {"size", "code points of a text, octets of bytes, items of a list, entries of a map",
     "size('añb') + [1, 2].size()", "5"},
    {"contains", "whether the text is in it", "'basket'.contains('ask')", "true"},
    {"startsWith", "whether it begins with the text", "'basket'.startsWith('bas')", "true"},
    {"endsWith", "whether it ends with the text", "'basket'.endsWith('ket')", "true"},
    {"matches", "whether a regular expression of RE2 is found in it; ^ and $ hold on to its ends",
     "'SKU-42'.matches('^SKU-[0-9]+$')", "true"},
    {"charAt", "the character at an index from 0", "'abc'.charAt(1)", R"("b")"},
    {"indexOf", "where the text first is, from an index on; -1 where it is not",
     "'banana'.indexOf('an', 2)", "3"},
    {"lastIndexOf", "where the text last is, up to an index; -1 where it is not",
     "'banana'.lastIndexOf('an')", "3"},
    {"lowerAscii", "A-Z as a-z", "'Sale Ä'.lowerAscii()", R"("sale Ä")"},
    {"upperAscii", "a-z as A-Z", "'de'.upperAscii()", R"("DE")"},
    {"replace", "with another text in its place, at most so many times",
     "'a-b-c'.replace('-', '+', 1)", R"("a+b-c")"},
    {"split", "the parts between separators, at most so many", "'a,b,c'.split(',')",
     R"(["a", "b", "c"])"},
    {"substring", "from an index up to before another", "'basket'.substring(1, 4)", R"("ask")"},
    {"trim", "without white space at its ends", "' a b '.trim()", R"("a b")"},
    {"join", "the texts of a list as one, with a separator", "['a', 'b'].join(', ')", R"("a, b")"},
    {"reverse", "from its end to its start", "'abc'.reverse()", R"("cba")"},
    {"strings.quote", "as a literal, with quotes and escapes", "strings.quote('a\"b')",
     R"("\"a\\\"b\"")"},
    {"format", "with the values of a list in the places of %s %d %f %e %x %X %o %b; %.2f rounds",
     "'%s: %.2f'.format(['total', 3])", R"("total: 3.00")"},
    {"base64.encode", "bytes as a text in base 64", "base64.encode(b'hello')", R"("aGVsbG8=")"},
    {"base64.decode", "back; the = at its end may be missing", "base64.decode('aGVsbG8')",
     R"(b"hello")"},
    // Lists
    {"distinct", "each value once, where it first is", "[1, 2, 1].distinct()", "[1, 2]"},
    {"sort", "in order: numbers, texts, bytes, bools, instants or spans", "[2, 1].sort()",
     "[1, 2]"},
    // Numbers
    {"math.greatest", "the largest of its arguments or of a list", "math.greatest(1, 2.5)", "2.5"},
    {"math.least", "the smallest of its arguments or of a list", "math.least([3, 2])", "2"},
    {"math.ceil", "up to a whole number", "math.ceil(1.2)", "2.0"},
    {"math.floor", "down to a whole number", "math.floor(1.8)", "1.0"},
    {"math.round", "to the nearest whole number, halves away from 0", "math.round(1.5)", "2.0"},
    {"math.trunc", "without the fraction", "math.trunc(-1.8)", "-1.0"},
    {"math.sqrt", "the square root", "math.sqrt(9)", "3.0"},
    {"math.abs", "without the sign", "math.abs(-3)", "3"},
    {"math.sign", "-1, 0 or 1", "math.sign(-2.5)", "-1.0"},
    {"math.isNaN", "whether it is no number", "math.isNaN(0.0 / 0.0)", "true"},
    {"math.isInf", "whether it is infinite", "math.isInf(1.0 / 0.0)", "true"},
    {"math.isFinite", "whether it is neither", "math.isFinite(1.0)", "true"},
    {"math.bitAnd", "bits set in both", "math.bitAnd(6, 3)", "2"},
    {"math.bitOr", "bits set in one", "math.bitOr(6, 3)", "7"},
    {"math.bitXor", "bits set in exactly one", "math.bitXor(6, 3)", "5"},
    {"math.bitNot", "every bit the other way", "math.bitNot(0)", "-1"},
    {"math.bitShiftLeft", "bits moved up", "math.bitShiftLeft(1, 3)", "8"},
    {"math.bitShiftRight", "bits moved down, zeros behind them", "math.bitShiftRight(8, 3)", "1"},
    // Time
    {"date", "a day (00:00 UTC) of `1990-05-17`, of `05-17` (in 2000), or an instant; null of null",
     "date('1990-05-17') < timestamp('1990-05-17T00:00:01Z')", "true"},
    {"days", "a span of so many times 24 hours", "days(2) == hours(48)", "true"},
    {"hours", "a span of so many hours", "hours(36) > days(1)", "true"},
    {"getFullYear", "the year; all of these in UTC, or in a zone: an IANA name or `+01:00`",
     "timestamp('2024-12-31T23:30:00Z').getFullYear('Europe/Berlin')", "2025"},
    {"getMonth", "the month, from 0", "timestamp('2024-05-17T09:30:00Z').getMonth()", "4"},
    {"getDate", "the day of the month, from 1", "timestamp('2024-05-17T09:30:00Z').getDate()",
     "17"},
    {"getDayOfMonth", "the day of the month, from 0",
     "timestamp('2024-05-17T09:30:00Z').getDayOfMonth()", "16"},
    {"getDayOfWeek", "the weekday, from 0, Sunday",
     "timestamp('2024-05-17T09:30:00Z').getDayOfWeek()", "5"},
    {"getDayOfYear", "the day of the year, from 0",
     "timestamp('2024-02-01T00:00:00Z').getDayOfYear()", "31"},
    {"getHours", "the hour; of a span all of its hours",
     "timestamp('2024-05-17T09:30:00Z').getHours('+02:00')", "11"},
    {"getMinutes", "the minute; of a span all of its minutes", "duration('90s').getMinutes()", "1"},
    {"getSeconds", "the second; of a span all of its seconds", "duration('90s').getSeconds()",
     "90"},
    {"getMilliseconds", "the part below a second, of a span too",
     "duration('1.5s').getMilliseconds()", "500"},
    // Conversions
    {"int", "a whole number of a number (cut), a text, or an instant (seconds since 1970)",
     "int('42') + int(1.9)", "43"},
    {"uint", "one without a sign", "uint(3)", "3u"},
    {"double", "of a number or a text", "double('2.5')", "2.5"},
    {"string", "a text of a number, bool, bytes, instant or span", "string(1.5)", R"("1.5")"},
    {"bytes", "the octets of a text", "size(bytes('ñ'))", "2"},
    {"bool", "of the texts true and false, t and f, 1 and 0", "bool('true')", "true"},
    {"timestamp", "an instant of RFC 3339, or of seconds since 1970",
     "timestamp(0) == timestamp('1970-01-01T00:00:00Z')", "true"},
    {"duration", "a span of h, m, s, ms, us, ns", "duration('1.5h').getMinutes()", "90"},
    {"dyn", "the same value, of which the checker knows no type", "dyn(1) == 'a'", "false"},
    {"type", "its type", "type('a')", "string"},
    // Optionals
    {"optional.none", "an optional without a value", "optional.none().hasValue()", "false"},
    {"optional.of", "one with this value", "optional.of(1).value()", "1"},
    {"optional.ofNonZeroValue", "one with this value, or without one for 0, '', [], {} and null",
     "optional.ofNonZeroValue('').hasValue()", "false"},
    {"hasValue", "whether there is one", "optional.of(1).hasValue()", "true"},
    {"value", "it; an error where there is none", "optional.of(1).value()", "1"},
    {"orValue", "it, or another where there is none", "{'a': 1}.?b.orValue(7)", "7"},
    {"or", "the optional, or another where it has none",
     "optional.none().or(optional.of(2)).value()", "2"},
};

std::string code(std::string_view text) {
    // A span of code that holds a backtick is written with two.
    const std::string fence = text.find('`') == std::string_view::npos ? "`" : "``";
    std::string out = fence + (fence.size() > 1 ? " " : "");
    for (const char c : text) out += c == '|' ? std::string{"\\|"} : std::string{c};
    return out + (fence.size() > 1 ? " " : "") + fence;
}

void append_rows(std::string& out, std::span<const Entry> entries) {
    for (const auto& entry : entries)
        out += "| " + code(entry.name) + " | " + std::string{entry.what} + " | " +
               code(entry.example) + " → " + code(entry.result) + " |\n";
}

void append_table(std::string& out, std::string_view title, std::string_view name,
                  std::span<const Entry> entries) {
    out += "\n**" + std::string{title} + "**\n\n| " + std::string{name} +
           " | what | example |\n| --- | --- | --- |\n";
    append_rows(out, entries);
}

/// `string.startsWith(string) → bool`, one after the other.
std::string forms_of(std::string_view name) {
    std::string out;
    for (const auto& form : find_built_in(name)) {
        std::string one;
        std::size_t first = 0;
        if (form.is_member) {
            one = type_of(form.arguments[0]).text() + '.';
            first = 1;
        }
        one += std::string{name} + '(';
        for (std::size_t i = first; i < form.arguments.size(); ++i)
            one += (i > first ? ", " : "") + type_of(form.arguments[i]).text();
        if (name == "math.greatest" || name == "math.least") one += ", …";
        one += ") → " + type_of(form.result).text();
        out += (out.empty() ? "`" : "<br>`") + one + '`';
    }
    return out;
}

} // namespace

std::span<const Entry> type_entries() { return types; }
std::span<const Entry> operator_entries() { return operators; }
std::span<const Entry> macro_entries() { return macros; }
std::span<const Entry> function_entries() { return functions; }

std::string language_reference(const Environment& environment) {
    std::string out;
    append_table(out, "Types", "type", types);
    append_table(out, "Operators, the weakest first", "operator", operators);
    append_table(out,
                 "Macros, written `list.all(x, condition)`; all, exists and exists_one also with "
                 "key and value",
                 "macro", macros);
    out +=
        "\n**Functions of the language**\n\n| function | what | example |\n| --- | --- | --- |\n";
    for (const auto& entry : functions) {
        const auto forms = find_built_in(entry.name);
        if (forms.empty() || (forms.front().is_extension && environment.strict_numbers)) continue;
        out += "| " + forms_of(entry.name) + " | " + std::string{entry.what} + " | " +
               code(entry.example) + " → " + code(entry.result) + " |\n";
    }
    out += "\n**Numbers**\n\n";
    out += environment.strict_numbers
               ? "Arithmetic never mixes int, uint and double: write `double(x)` or `int(x)`.\n"
               : "Arithmetic on an int (or uint) and a double is done in double, since numbers of "
                 "JSON without a fraction are ints: `event.properties.price * "
                 "event.properties.quantity`. Ints alone stay ints: `7 / 2` is 3, `7 / 2.0` is "
                 "3.5. int and uint do not mix. Passing the end of a range, and dividing an int "
                 "by 0, are errors. (`sojourn eval --strict` follows the standard instead: "
                 "nothing mixes.)\n";
    const Limits limits;
    out += "\n**Limits**; passing one is an error\n\n| what | at most |\n| --- | --- |\n";
    const auto limit = [&](std::string_view what, std::size_t most) {
        out += "| " + std::string{what} + " | " + std::to_string(most) + " |\n";
    };
    limit("bytes of an expression", source_bytes_max);
    limit("brackets, calls, lists and `?:` in each other", static_cast<std::size_t>(nesting_max));
    limit("operators and selections one after the other", static_cast<std::size_t>(height_max));
    limit("constant patterns of `matches` in an expression", PatternAllowance::count_max);
    limit("bytes of these together", PatternAllowance::bytes_max);
    limit("bytes of one pattern", Pattern::bytes_max);
    limit("steps of an evaluation: items that macros visit and comparisons look at, each the more "
          "for long texts",
          limits.steps);
    limit("bytes that texts, lists and maps made on the way may take", limits.result_bytes);
    return out;
}

} // namespace journeys::cel
