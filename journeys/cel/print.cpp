#include "journeys/cel/print.hpp"

#include "journeys/cel/macros.hpp"
#include "journeys/cel/parser.hpp"

namespace journeys::cel {
namespace {

// How tightly a form binds; a looser one inside a tighter one needs brackets.
constexpr int conditional_level = 0;
constexpr int or_level = 1;
constexpr int and_level = 2;
constexpr int relation_level = 3;
constexpr int sum_level = 4;
constexpr int product_level = 5;
constexpr int unary_level = 6;
constexpr int member_level = 7;

const char* text_of(Operation operation) {
    switch (operation) {
    case Operation::none: return "";
    case Operation::negate:
    case Operation::subtract: return "-";
    case Operation::logical_not: return "!";
    case Operation::add: return "+";
    case Operation::multiply: return "*";
    case Operation::divide: return "/";
    case Operation::remainder: return "%";
    case Operation::equal: return "==";
    case Operation::not_equal: return "!=";
    case Operation::less: return "<";
    case Operation::less_equal: return "<=";
    case Operation::greater: return ">";
    case Operation::greater_equal: return ">=";
    case Operation::in: return "in";
    case Operation::logical_and: return "&&";
    case Operation::logical_or: return "||";
    }
    return "";
}

int level_of(const Expr& expression) {
    switch (expression.kind) {
    case ExprKind::conditional: return conditional_level;
    case ExprKind::logic:
        return expression.operation == Operation::logical_or ? or_level : and_level;
    case ExprKind::binary:
        switch (expression.operation) {
        case Operation::add:
        case Operation::subtract: return sum_level;
        case Operation::multiply:
        case Operation::divide:
        case Operation::remainder: return product_level;
        default: return relation_level;
        }
    case ExprKind::unary: return unary_level;
    default: return member_level;
    }
}

class Printer {
public:
    std::string out;

    /// Writes `expression` for a place that takes forms of at least `level`.
    void write(const Expr& expression, int level) {
        const bool needs_brackets = level_of(expression) < level;
        if (needs_brackets) out += '(';
        form(expression);
        if (needs_brackets) out += ')';
    }

private:
    void form(const Expr& expression) {
        const auto& arguments = expression.arguments;
        switch (expression.kind) {
        case ExprKind::literal: out += to_text(expression.value); return;
        case ExprKind::name:
            if (expression.is_rooted) out += '.';
            out += expression.name;
            return;
        case ExprKind::select:
            write(*arguments[0], member_level);
            out += expression.is_optional ? ".?" : ".";
            field(expression.name);
            return;
        case ExprKind::index:
            write(*arguments[0], member_level);
            out += expression.is_optional ? "[?" : "[";
            write(*arguments[1], conditional_level);
            out += ']';
            return;
        case ExprKind::call:
        case ExprKind::has:
        case ExprKind::macro: call(expression); return;
        case ExprKind::list:
        case ExprKind::map: entries(expression); return;
        case ExprKind::unary:
            out += text_of(expression.operation);
            operand(expression);
            return;
        case ExprKind::binary: {
            const int level = level_of(expression);
            write(*arguments[0], level);
            infix(expression.operation);
            write(*arguments[1], level + 1);
            return;
        }
        case ExprKind::logic:
            for (std::size_t i = 0; i < arguments.size(); ++i) {
                if (i > 0) infix(expression.operation);
                write(*arguments[i], level_of(expression) + 1);
            }
            return;
        case ExprKind::conditional:
            write(*arguments[0], or_level);
            out += " ? ";
            write(*arguments[1], or_level);
            out += " : ";
            write(*arguments[2], conditional_level);
            return;
        }
    }

    void infix(Operation operation) {
        out += ' ';
        out += text_of(operation);
        out += ' ';
    }

    /// A minus in front of a number would become part of it.
    void operand(const Expr& unary) {
        const Expr& inner = *unary.arguments[0];
        const Expr* first = &inner;
        while (first->kind == ExprKind::select || first->kind == ExprKind::index ||
               ((first->kind == ExprKind::call || first->kind == ExprKind::macro) &&
                first->has_receiver && first->macro != Macro::bind)) {
            first = first->arguments[0].get();
        }
        const bool is_number = first->kind == ExprKind::literal && first->value.is_number();
        const bool is_other_sign =
            inner.kind == ExprKind::unary && inner.operation != unary.operation;
        const bool joins = unary.operation == Operation::negate && is_number;
        const bool is_negative_behind_not = is_number && unary.operation == Operation::logical_not;
        write(inner,
              joins || is_other_sign || is_negative_behind_not ? member_level + 1 : unary_level);
    }

    void field(const std::string& name) {
        const bool is_name = name != "in" && !name.empty() &&
                             (is_plain_name(name) || is_plain_name("_" + name)) &&
                             !(name.front() >= '0' && name.front() <= '9');
        if (!is_name) out += '`';
        out += name;
        if (!is_name) out += '`';
    }

    void call(const Expr& expression) {
        const auto& arguments = expression.arguments;
        std::size_t first = 0;
        if (expression.macro == Macro::bind) {
            out += "cel.bind";
        } else {
            if (expression.has_receiver) {
                write(*arguments[0], member_level);
                out += '.';
                first = 1;
            } else if (expression.is_rooted) {
                out += '.';
            }
            out += expression.kind == ExprKind::macro ? macro_name(expression)
                                                      : std::string_view{expression.name};
        }
        out += '(';
        bool is_first = true;
        const auto separate = [&] {
            if (!is_first) out += ", ";
            is_first = false;
        };
        for (const auto& variable : expression.variables) {
            separate();
            out += variable;
        }
        for (std::size_t i = first; i < arguments.size(); ++i) {
            separate();
            write(*arguments[i], conditional_level);
        }
        out += ')';
    }

    void entries(const Expr& expression) {
        const bool is_map = expression.kind == ExprKind::map;
        out += is_map ? '{' : '[';
        for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
            const bool is_value = is_map && i % 2 == 1;
            if (i > 0) out += is_value ? ": " : ", ";
            const auto entry = is_map ? i / 2 : i;
            if (!is_value && !expression.optional_entries.empty() &&
                expression.optional_entries[entry]) {
                out += '?';
            }
            write(*expression.arguments[i], conditional_level);
        }
        out += is_map ? '}' : ']';
    }
};

} // namespace

std::string print(const Expr& expression) {
    Printer printer;
    printer.write(expression, conditional_level);
    return std::move(printer.out);
}

} // namespace journeys::cel
