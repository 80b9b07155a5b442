/// Splits an expression's text into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace journeys::cel {

enum class TokenKind : std::uint8_t {
    end,
    name,        ///< Keywords too.
    quoted_name, ///< `content-type`
    integer,     ///< number; the sign is the parser's.
    unsigned_integer,
    floating,
    string,
    bytes,
    symbol, ///< text: ( ) [ ] { } , . : ? + - * / % ! == != < <= > >= && ||
    error   ///< content is the message
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::size_t offset = 0;
    std::string_view text; ///< As written.
    std::string content;   ///< Of strings, bytes and quoted names, unescaped; an error's message.
    std::uint64_t number = 0;
    double floating = 0;

    bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
};

class Lexer {
public:
    explicit Lexer(std::string_view source) : source_(source) {}
    /// The next token. After an error the lexer stays at the end.
    Token next();

private:
    void skip_blanks();
    Token number(std::size_t start);
    Token text(std::size_t start);
    Token name(std::size_t start);
    Token symbol(std::size_t start);
    Token error(std::size_t at, std::string message);
    bool escape(std::string& out, bool is_bytes, std::string& problem);
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
    }

    std::string_view source_;
    std::size_t at_ = 0;
};

} // namespace journeys::cel
