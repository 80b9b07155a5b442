#include "journeys/cel/parser.hpp"

#include "journeys/cel/lexer.hpp"
#include "journeys/cel/macros.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/lower_case.hpp"

#include <algorithm>
#include <array>

namespace journeys::cel {
namespace {

constexpr std::array<std::string_view, 22> reserved{
    "as",     "break",  "const", "continue", "else",  "false",     "for",  "function",
    "if",     "import", "in",    "let",      "loop",  "namespace", "null", "package",
    "return", "true",   "var",   "void",     "while", ""};

bool is_reserved(std::string_view name) {
    return !name.empty() && std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

struct BinaryOperator {
    std::string_view text;
    Operation operation;
    int level;
};
constexpr int or_level = 0;
constexpr int and_level = 1;
constexpr int last_level = 4;
constexpr std::array<BinaryOperator, 14> operators{{
    {"||", Operation::logical_or, or_level},
    {"&&", Operation::logical_and, and_level},
    {"==", Operation::equal, 2},
    {"!=", Operation::not_equal, 2},
    {"<", Operation::less, 2},
    {"<=", Operation::less_equal, 2},
    {">", Operation::greater, 2},
    {">=", Operation::greater_equal, 2},
    {"in", Operation::in, 2},
    {"+", Operation::add, 3},
    {"-", Operation::subtract, 3},
    {"*", Operation::multiply, 4},
    {"/", Operation::divide, 4},
    {"%", Operation::remainder, 4},
}};

/// Stops at the first mistake: from then on every function answers an empty tree and nothing is
/// read.
class Parser {
public:
    explicit Parser(std::string_view source) : lexer_(source) { advance(); }

    Parsed run() {
        auto root = expression();
        if (!fault_ && token_.kind != TokenKind::end) unexpected("the end");
        if (fault_) return {nullptr, std::move(fault_)};
        return {std::move(root), std::nullopt};
    }

private:
    // The tree
    // ---------------------------------------------------------------------------------------

    ExprPtr expression() {
        const Depth depth{*this};
        if (fault_) return nullptr;
        auto condition = binary(or_level);
        if (!take("?")) return condition;
        auto made = node(ExprKind::conditional, condition ? condition->offset : 0);
        add(*made, std::move(condition));
        add(*made, binary(or_level));
        expect(":");
        add(*made, expression());
        return finish(std::move(made));
    }

    const BinaryOperator* operator_at(int level) const {
        const bool is_in = token_.kind == TokenKind::name && token_.text == "in";
        if (!is_in && token_.kind != TokenKind::symbol) return nullptr;
        for (const auto& candidate : operators) {
            if (candidate.level == level && candidate.text == token_.text) return &candidate;
        }
        return nullptr;
    }

    ExprPtr binary(int level) {
        if (level > last_level) return unary();
        auto left = binary(level + 1);
        while (!fault_) {
            const auto* const found = operator_at(level);
            if (found == nullptr) break;
            const auto offset = token_.offset;
            advance();
            if (level == 2 && found->operation == Operation::less && token_.is(">")) {
                fail(offset, "\"<>\" compares nothing: write \"!=\"");
                break;
            }
            if (level <= and_level) {
                left = logic(std::move(left), found->operation, offset, level);
                continue;
            }
            auto made = node(ExprKind::binary, offset);
            made->operation = found->operation;
            add(*made, std::move(left));
            add(*made, binary(level + 1));
            left = finish(std::move(made));
        }
        return left;
    }

    /// `a && b && c` is one node, so that a long chain is not a deep tree.
    ExprPtr logic(ExprPtr left, Operation operation, std::size_t offset, int level) {
        auto made = node(ExprKind::logic, offset);
        made->operation = operation;
        add(*made, std::move(left));
        add(*made, binary(level + 1));
        const std::string_view text = operation == Operation::logical_or ? "||" : "&&";
        while (take(text)) add(*made, binary(level + 1));
        return finish(std::move(made));
    }

    ExprPtr unary() {
        const bool is_not = token_.is("!");
        if (!is_not && !token_.is("-")) return member(primary());
        std::vector<std::size_t> signs;
        const std::string_view sign = is_not ? "!" : "-";
        while (token_.is(sign)) {
            if (signs.size() >= static_cast<std::size_t>(nesting_max)) too_deep();
            if (fault_) return nullptr;
            signs.push_back(token_.offset);
            advance();
        }
        ExprPtr operand;
        if (!is_not && (token_.kind == TokenKind::integer || token_.kind == TokenKind::floating)) {
            // The sign belongs to the literal, so that the smallest int can be written.
            operand = member(number(true, signs.back()));
            signs.pop_back();
        } else {
            operand = member(primary());
        }
        for (; !signs.empty(); signs.pop_back()) {
            auto made = node(ExprKind::unary, signs.back());
            made->operation = is_not ? Operation::logical_not : Operation::negate;
            add(*made, std::move(operand));
            operand = finish(std::move(made));
        }
        return operand;
    }

    ExprPtr member(ExprPtr operand) {
        while (!fault_) {
            if (take(".")) {
                const bool is_optional = take("?");
                auto made = node(ExprKind::select, token_.offset);
                made->is_optional = is_optional;
                add(*made, std::move(operand));
                if (token_.kind == TokenKind::quoted_name) {
                    made->name = token_.content;
                    advance();
                } else if (token_.kind == TokenKind::name && token_.text != "in") {
                    made->name = token_.text;
                    advance();
                    if (!is_optional && token_.is("(")) {
                        made->kind = ExprKind::call;
                        made->has_receiver = true;
                        arguments(*made);
                    }
                } else {
                    unexpected("a name after \".\"");
                }
                operand = finish(std::move(made));
            } else if (token_.is("[")) {
                auto made = node(ExprKind::index, token_.offset);
                advance();
                made->is_optional = take("?");
                add(*made, std::move(operand));
                add(*made, expression());
                expect("]");
                operand = finish(std::move(made));
            } else {
                break;
            }
        }
        return operand;
    }

    ExprPtr primary() {
        if (fault_) return nullptr;
        switch (token_.kind) {
        case TokenKind::integer:
        case TokenKind::unsigned_integer:
        case TokenKind::floating: return number(false, token_.offset);
        case TokenKind::string:
        case TokenKind::bytes: {
            auto made = node(ExprKind::literal, token_.offset);
            made->name = std::move(token_.content);
            made->value = token_.kind == TokenKind::string ? Value::string(made->name)
                                                           : Value::bytes(made->name);
            advance();
            return made;
        }
        case TokenKind::name: return name();
        case TokenKind::symbol:
            if (token_.is("(")) {
                advance();
                auto inner = expression();
                expect(")");
                return inner;
            }
            if (token_.is("[")) return list();
            if (token_.is("{")) return map();
            if (token_.is(".")) return name();
            break;
        case TokenKind::quoted_name:
        case TokenKind::end:
        case TokenKind::error: break;
        }
        unexpected("a value");
        return nullptr;
    }

    ExprPtr number(bool is_negative, std::size_t offset) {
        auto made = node(ExprKind::literal, offset);
        constexpr auto smallest = std::uint64_t{1} << 63;
        if (token_.kind == TokenKind::floating) {
            made->value = Value::floating(is_negative ? -token_.floating : token_.floating);
        } else if (token_.kind == TokenKind::unsigned_integer) {
            made->value = Value::unsigned_integer(token_.number);
        } else if (token_.number > smallest || (token_.number == smallest && !is_negative)) {
            fail(offset, std::string{token_.text} + " is out of the range of int");
        } else {
            made->value = Value::integer(
                static_cast<std::int64_t>(is_negative ? 0 - token_.number : token_.number));
        }
        advance();
        return made;
    }

    ExprPtr name() {
        auto made = node(ExprKind::name, token_.offset);
        made->is_rooted = take(".");
        if (token_.kind != TokenKind::name) {
            unexpected("a name after \".\"");
            return nullptr;
        }
        made->name = token_.text;
        if (!made->is_rooted) {
            if (made->name == "true" || made->name == "false" || made->name == "null") {
                if (made->name != "null") made->value = Value::boolean(made->name == "true");
                made->kind = ExprKind::literal;
                made->name.clear();
                advance();
                return made;
            }
            if (token_.text == "not" || token_.text == "NOT") {
                const auto offset = token_.offset;
                const auto text = std::string{token_.text};
                advance();
                if (token_.kind == TokenKind::name) {
                    fail(offset, "\"" + text + "\" negates nothing: write \"!\"");
                    return nullptr;
                }
                return name_or_call(std::move(made));
            }
        }
        if (is_reserved(made->name)) {
            fail(token_.offset, "\"" + made->name + "\" is a reserved word");
            return nullptr;
        }
        advance();
        return name_or_call(std::move(made));
    }

    ExprPtr name_or_call(ExprPtr made) {
        if (!token_.is("(")) return made;
        made->kind = ExprKind::call;
        arguments(*made);
        return finish(std::move(made));
    }

    void arguments(Expr& call) {
        expect("(");
        while (!fault_ && !token_.is(")")) {
            add(call, expression());
            if (!token_.is(")"))
                expect(",");
            else
                break;
            if (!fault_ && token_.is(")")) unexpected("an argument");
        }
        expect(")");
        if (fault_) return;
        if (auto fault = expand_macro(call)) fail(fault->offset, std::move(fault->message));
    }

    ExprPtr list() {
        auto made = node(ExprKind::list, token_.offset);
        advance();
        while (!fault_ && !token_.is("]")) {
            entry_is_optional(*made);
            add(*made, expression());
            if (!take(",")) break;
        }
        expect("]");
        return finish(std::move(made));
    }

    ExprPtr map() {
        auto made = node(ExprKind::map, token_.offset);
        advance();
        while (!fault_ && !token_.is("}")) {
            entry_is_optional(*made);
            add(*made, expression());
            expect(":");
            add(*made, expression());
            if (!take(",")) break;
        }
        expect("}");
        return finish(std::move(made));
    }

    void entry_is_optional(Expr& made) {
        const bool is_optional = take("?");
        const auto index = made.arguments.size() / (made.kind == ExprKind::map ? 2 : 1);
        if (!is_optional && made.optional_entries.empty()) return;
        made.optional_entries.resize(index, false);
        made.optional_entries.push_back(is_optional);
    }

    // Bookkeeping
    // ------------------------------------------------------------------------------------

    struct Depth {
        explicit Depth(Parser& its_parser) : parser(its_parser) {
            if (++parser.depth_ > nesting_max) parser.too_deep();
        }
        ~Depth() { --parser.depth_; }
        Parser& parser;
    };

    static ExprPtr node(ExprKind kind, std::size_t offset) {
        return std::make_unique<Expr>(kind, offset);
    }
    void add(Expr& parent, ExprPtr child) {
        if (!child) return; // A fault is known.
        parent.height = std::max(parent.height, child->height + 1);
        if (parent.height > height_max) too_deep();
        parent.arguments.push_back(std::move(child));
    }
    /// Nothing behind a fault, so that no half-made node is read.
    ExprPtr finish(ExprPtr made) {
        if (fault_) return nullptr;
        if (!made->optional_entries.empty()) {
            made->optional_entries.resize(
                made->arguments.size() / (made->kind == ExprKind::map ? 2 : 1), false);
        }
        return made;
    }

    void advance() {
        if (fault_) return;
        if (token_.is("%")) {
            number_before_percent_ = before_;
            percent_of_ = before_text_;
        }
        before_ = token_.kind;
        before_text_ = token_.text;
        before_offset_ = token_.offset;
        token_ = lexer_.next();
        if (token_.kind == TokenKind::error) fail(token_.offset, std::move(token_.content));
    }
    bool take(std::string_view symbol) {
        if (fault_ || !token_.is(symbol)) return false;
        advance();
        return true;
    }
    void expect(std::string_view symbol) {
        if (!fault_ && !take(symbol)) unexpected("\"" + std::string{symbol} + "\"");
    }
    void fail(std::size_t offset, std::string message) {
        if (!fault_) fault_ = Fault{offset, std::move(message)};
    }
    void too_deep() { fail(token_.offset, "the expression is nested too deep or too long"); }

    /// Says what is wrong with the current token, for people who know another language better.
    void unexpected(const std::string& wanted) {
        if (fault_) return;
        const auto offset = token_.offset;
        if (is_percentage())
            return fail(before_offset_, "\"" + std::string{percent_of_} +
                                            "%\" is no number here: write it as a share, 0.2 for "
                                            "20%");
        if (token_.kind == TokenKind::end) {
            return fail(offset, "the expression ends where " + wanted + " should follow");
        }
        const std::string text{token_.text};
        if (token_.kind == TokenKind::name) {
            const auto word = to_lower(text);
            if (word == "and") return fail(offset, "\"" + text + "\" joins nothing: write \"&&\"");
            if (word == "or") return fail(offset, "\"" + text + "\" joins nothing: write \"||\"");
            if (word == "not") {
                return fail(offset,
                            "\"" + text + "\" negates nothing: write \"!\", as in !(x in list)");
            }
            if (word == "between")
                return fail(offset, "\"" + text + "\" compares nothing: write x >= 20 && x <= 50");
            if (word == "like")
                return fail(offset, "\"" + text +
                                        "\" compares nothing: write text.contains(\"part\"), "
                                        "startsWith, endsWith or matches");
            if (word == "contains" || word == "startswith" || word == "endswith")
                return fail(offset, "\"" + text + "\" is written text." +
                                        (word == "contains"     ? "contains"
                                         : word == "startswith" ? "startsWith"
                                                                : "endsWith") +
                                        "(\"part\")");
            if (word == "is") {
                advance();
                const bool is_not = to_lower(token_.text) == "not";
                return fail(offset,
                            is_not ? "\"is not\" compares nothing: write \"!=\", as in x != null"
                                   : "\"is\" compares nothing: write \"==\", as in x == null");
            }
        }
        if (token_.is(",") && before_ == TokenKind::floating && last_text_is_grouped()) return;
        if (token_.is(",") && before_ == TokenKind::integer) {
            const auto whole = std::string{before_text_};
            const auto start = before_offset_;
            advance();
            if (token_.kind == TokenKind::integer) {
                return fail(start, "\"" + whole + "," + std::string{token_.text} +
                                       "\" is no number: write \"" + whole + "." +
                                       std::string{token_.text} + "\"");
            }
        }
        if (token_.is("{") && before_ == TokenKind::name) {
            return fail(offset, "records cannot be made here; a map is written {\"key\": value}");
        }
        fail(offset, "\"" + text + "\" stands where " + wanted + " should be");
    }

    /// `1.000,50`, as some countries write it: says so.
    bool last_text_is_grouped() {
        std::string whole{before_text_};
        const auto start = before_offset_;
        const auto digits = whole.size() - whole.find('.') - 1;
        if (digits != 3) return false;
        advance();
        if (token_.kind != TokenKind::integer) return false;
        auto plain = whole;
        plain.erase(plain.find('.'), 1);
        fail(start, "\"" + whole + "," + std::string{token_.text} + "\" is no number: write \"" +
                        plain + "." + std::string{token_.text} + "\"");
        return true;
    }
    /// `20%`: what follows is no number that it could be divided by.
    bool is_percentage() const {
        return before_ == TokenKind::symbol && before_text_ == "%" &&
               (number_before_percent_ == TokenKind::integer ||
                number_before_percent_ == TokenKind::floating);
    }

    Lexer lexer_;
    Token token_;
    TokenKind number_before_percent_ = TokenKind::end; ///< What stood before the last "%".
    std::string_view percent_of_;
    TokenKind before_ = TokenKind::end;
    std::string_view before_text_;
    std::size_t before_offset_ = 0;
    int depth_ = 0;
    std::optional<Fault> fault_;
};

} // namespace

Parsed parse(std::string_view source) {
    if (source.size() > source_bytes_max) {
        return {nullptr, Fault{source_bytes_max, "the expression is longer than " +
                                                     std::to_string(source_bytes_max) + " bytes"}};
    }
    return Parser{source}.run();
}

bool is_plain_name(std::string_view name) {
    if (name.empty() || is_reserved(name)) return false;
    if (name.front() >= '0' && name.front() <= '9') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

} // namespace journeys::cel
