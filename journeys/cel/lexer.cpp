#include "journeys/cel/lexer.hpp"

#include "journeys/cel/utf8.hpp"

#include <array>
#include <charconv>

namespace journeys::cel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_in_name(char c) { return begins_name(c) || is_digit(c); }

/// Characters that people paste from a text program, and what to write instead.
struct Lookalike {
    std::string_view text;
    std::string_view advice;
};
constexpr std::array<Lookalike, 11> lookalikes{{
    {"“", "is a typographic quote: write a straight one, \" or '"},
    {"”", "is a typographic quote: write a straight one, \" or '"},
    {"„", "is a typographic quote: write a straight one, \" or '"},
    {"‘", "is a typographic quote: write a straight one, \" or '"},
    {"’", "is a typographic quote: write a straight one, \" or '"},
    {"€", "belongs to no number: write 20 for €20; money is in whole units of its currency"},
    {"£", "belongs to no number: write 20 for £20; money is in whole units of its currency"},
    {"≥", "is written \">=\""},
    {"≤", "is written \"<=\""},
    {"≠", "is written \"!=\""},
    {"\xC2\xA0", "(a space that does not break) is no blank here: write an ordinary space"},
}};

} // namespace

Token Lexer::error(std::size_t at, std::string message) {
    at_ = source_.size();
    Token token;
    token.kind = TokenKind::error;
    token.offset = at;
    token.content = std::move(message);
    return token;
}

void Lexer::skip_blanks() {
    while (at_ < source_.size()) {
        const char c = peek();
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            ++at_;
        } else if (c == '/' && peek(1) == '/') {
            while (at_ < source_.size() && peek() != '\n') ++at_;
        } else {
            return;
        }
    }
}

Token Lexer::next() {
    skip_blanks();
    const auto start = at_;
    if (at_ >= source_.size()) {
        Token token;
        token.offset = start;
        return token;
    }
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(start);
    if (c == '"' || c == '\'') return text(start);
    if (begins_name(c)) {
        // r"..", b"..", br".." in either case.
        std::size_t prefix = 0;
        if (c == 'b' || c == 'B') ++prefix;
        if (peek(prefix) == 'r' || peek(prefix) == 'R') ++prefix;
        if (prefix > 0 && (peek(prefix) == '"' || peek(prefix) == '\'')) return text(start);
        return name(start);
    }
    if (c == '`') return name(start);
    return symbol(start);
}

Token Lexer::number(std::size_t start) {
    Token token;
    token.offset = start;
    const bool is_hexadecimal = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    bool is_floating = false;
    if (is_hexadecimal) {
        at_ += 2;
        while (is_hex(peek())) ++at_;
    } else {
        while (is_digit(peek())) ++at_;
        if (peek() == '.' && is_digit(peek(1))) {
            is_floating = true;
            ++at_;
            while (is_digit(peek())) ++at_;
        }
        const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
        if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
            is_floating = true;
            at_ += 1 + sign;
            while (is_digit(peek())) ++at_;
        }
    }
    const auto digits = source_.substr(start, at_ - start);
    token.kind = is_floating ? TokenKind::floating : TokenKind::integer;
    if (!is_floating && (peek() == 'u' || peek() == 'U')) {
        token.kind = TokenKind::unsigned_integer;
        ++at_;
    }
    token.text = source_.substr(start, at_ - start);
    if (is_in_name(peek())) {
        auto end = at_;
        while (end < source_.size() && is_in_name(source_[end])) ++end;
        const auto whole = std::string{source_.substr(start, end - start)};
        const auto unit = source_.substr(at_, end - at_);
        for (const std::string_view known : {"s", "m", "h", "d", "w", "ms"}) {
            if (unit == known) {
                return error(start,
                             "\"" + whole +
                                 "\" is no number. In an expression a duration is a text: \"" +
                                 whole + "\"");
            }
        }
        return error(start, "\"" + whole + "\" is neither a number nor a name");
    }
    const char* const first = digits.data() + (is_hexadecimal ? 2 : 0);
    const char* const last = digits.data() + digits.size();
    std::from_chars_result read{};
    if (is_floating)
        read = std::from_chars(first, last, token.floating);
    else
        read = std::from_chars(first, last, token.number, is_hexadecimal ? 16 : 10);
    if (is_floating && read.ec == std::errc::result_out_of_range) {
        // Too small is 0, too large is no number.
        const auto exponent = digits.find_first_of("eE");
        if (exponent != std::string_view::npos && digits[exponent + 1] == '-') {
            token.floating = 0;
            return token;
        }
    }
    if (read.ec != std::errc{} || read.ptr != last) {
        return error(start, std::string{token.text} + " is out of range");
    }
    return token;
}

Token Lexer::name(std::size_t start) {
    Token token;
    token.offset = start;
    if (peek() == '`') {
        const auto end = source_.find('`', start + 1);
        if (end == std::string_view::npos) return error(start, "the closing ` is missing");
        token.kind = TokenKind::quoted_name;
        token.content = source_.substr(start + 1, end - start - 1);
        for (const char c : token.content) {
            if (!is_in_name(c) && c != '.' && c != '-' && c != '/' && c != ' ') {
                return error(start,
                             "between ` stand letters, digits, _ . - / and blanks; for other "
                             "names write [\"...\"]");
            }
        }
        if (token.content.empty()) return error(start, "there is no name between the two `");
        at_ = end + 1;
    } else {
        token.kind = TokenKind::name;
        while (is_in_name(peek())) ++at_;
    }
    token.text = source_.substr(start, at_ - start);
    return token;
}

Token Lexer::text(std::size_t start) {
    Token token;
    token.offset = start;
    bool is_raw = false;
    bool is_bytes = false;
    for (; peek() != '"' && peek() != '\''; ++at_) {
        if (peek() == 'b' || peek() == 'B')
            is_bytes = true;
        else
            is_raw = true;
    }
    token.kind = is_bytes ? TokenKind::bytes : TokenKind::string;
    const char quote = peek();
    const bool is_tripled = peek(1) == quote && peek(2) == quote;
    at_ += is_tripled ? 3 : 1;
    std::string problem;
    for (;;) {
        if (at_ >= source_.size()) return error(start, "the closing quote of this text is missing");
        const char c = peek();
        if (c == quote && (!is_tripled || (peek(1) == quote && peek(2) == quote))) {
            at_ += is_tripled ? 3 : 1;
            break;
        }
        if (!is_tripled && (c == '\n' || c == '\r')) {
            return error(start, "the closing quote of this text is missing in its line");
        }
        if (c == '\\' && !is_raw) {
            const auto place = at_;
            if (!escape(token.content, is_bytes, problem)) return error(place, problem);
            continue;
        }
        ++at_;
        // Line ends are one sign, whatever wrote them.
        if (c == '\r' && peek() == '\n') continue;
        token.content += c == '\r' ? '\n' : c;
    }
    if (!is_bytes && !is_utf8(token.content)) return error(start, "this text is not UTF-8");
    token.text = source_.substr(start, at_ - start);
    return token;
}

bool Lexer::escape(std::string& out, bool is_bytes, std::string& problem) {
    static constexpr std::string_view names = "abfnrtv\\?\"'`";
    static constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\?\"'`";
    const char kind = peek(1);
    const auto simple = names.find(kind);
    if (kind != '\0' && simple != std::string_view::npos) {
        out += meanings[simple];
        at_ += 2;
        return true;
    }
    std::size_t digits = 0;
    std::size_t first = at_ + 2;
    int base = 16;
    if (kind == 'x' || kind == 'X') digits = 2;
    if (kind == 'u') digits = 4;
    if (kind == 'U') digits = 8;
    if (kind >= '0' && kind <= '3') {
        digits = 3;
        base = 8;
        first = at_ + 1;
    }
    std::uint32_t code = 0;
    const auto text = first < source_.size() ? source_.substr(first, digits) : std::string_view{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), code, base);
    if (digits == 0 || text.size() != digits || read.ec != std::errc{} ||
        read.ptr != text.data() + digits) {
        problem = "\"" + std::string{source_.substr(at_, 2)} +
                  "\" is no escape; a backslash itself is written \"\\\\\"";
        return false;
    }
    at_ = first + digits;
    if (is_bytes) {
        if (kind == 'u' || kind == 'U') {
            problem = "bytes have no \\u escapes";
            return false;
        }
        out += static_cast<char>(code);
        return true;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        problem = "this escape is no code point";
        return false;
    }
    append_utf8(out, code);
    return true;
}

Token Lexer::symbol(std::size_t start) {
    static constexpr std::array<std::string_view, 6> pairs{"==", "!=", "<=", ">=", "&&", "||"};
    static constexpr std::string_view singles = "()[]{},.:?+-*/%!<>";
    Token token;
    token.kind = TokenKind::symbol;
    token.offset = start;
    const auto rest = source_.substr(start);
    for (const auto pair : pairs) {
        if (rest.substr(0, 2) == pair) {
            token.text = rest.substr(0, 2);
            at_ += 2;
            return token;
        }
    }
    if (singles.find(rest.front()) != std::string_view::npos) {
        token.text = rest.substr(0, 1);
        ++at_;
        return token;
    }
    if (rest.front() == '=') return error(start, "\"=\" compares nothing: write \"==\"");
    if (rest.front() == '&') return error(start, "\"&\" joins nothing: write \"&&\"");
    if (rest.front() == '|') return error(start, "\"|\" joins nothing: write \"||\"");
    if (rest.front() == '$') {
        return error(start, "\"$\" belongs to no number: write 20 for $20; money is in whole units "
                            "of its currency");
    }
    for (const auto& lookalike : lookalikes) {
        if (rest.substr(0, lookalike.text.size()) == lookalike.text) {
            return error(start, "\"" + std::string{lookalike.text} + "\" " +
                                    std::string{lookalike.advice});
        }
    }
    const auto end = end_of_code_point(rest, 0);
    return error(start, "\"" + std::string{rest.substr(0, end)} + "\" has no meaning here");
}

} // namespace journeys::cel
