#include "journeys/cel/record_condition.hpp"

#include "journeys/cel/compare.hpp"
#include "journeys/cel/storage.hpp"
#include "journeys/same_bytes.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace journeys::cel {
namespace {

/// A number of the record, of the expression, or computed of two.
class Term {
public:
    static Term constant(double value) {
        Term made{Form::constant};
        made.constant_ = value;
        return made;
    }
    static Term field(Storage storage) {
        Term made{storage.form == Storage::Form::integer    ? Form::integer
                  : storage.form == Storage::Form::floating ? Form::floating
                                                            : Form::decimal};
        made.storage_ = storage;
        return made;
    }
    static Term computed(Operation operation, Term left, Term right) {
        Term made{operation == Operation::add        ? Form::sum
                  : operation == Operation::subtract ? Form::difference
                  : operation == Operation::multiply ? Form::product
                                                     : Form::quotient};
        made.parts_.push_back(std::move(left));
        made.parts_.push_back(std::move(right));
        return made;
    }

    double read(const char* memory) const {
        if (form_ <= Form::decimal) return leaf(memory);
        // Mostly of two leaves, which takes no further call.
        const Term& left = parts_[0];
        const Term& right = parts_[1];
        const double a = left.form_ <= Form::decimal ? left.leaf(memory) : left.read(memory);
        const double b = right.form_ <= Form::decimal ? right.leaf(memory) : right.read(memory);
        switch (form_) {
        case Form::sum: return a + b;
        case Form::difference: return a - b;
        case Form::product: return a * b;
        default: return a / b;
        }
    }

private:
    enum class Form : std::uint8_t {
        constant,
        integer,
        floating,
        decimal, // The leaves end here.
        sum,
        difference,
        product,
        quotient
    };
    explicit Term(Form form) : form_(form) {}
    double leaf(const char* memory) const {
        switch (form_) {
        case Form::integer: return static_cast<double>(stored_at<std::int64_t>(memory, storage_));
        case Form::floating: return stored_at<double>(memory, storage_);
        case Form::decimal: return read_decimal(memory, storage_);
        default: return constant_;
        }
    }

    Form form_;
    Storage storage_ = {};
    double constant_ = 0;
    std::vector<Term> parts_;
};

class CompareTerms : public RecordCondition {
public:
    CompareTerms(Operation operation, Term left, Term right)
        : operation_(operation), left_(std::move(left)), right_(std::move(right)) {}
    bool holds(const char* memory) const override {
        const double left = left_.read(memory);
        const double right = right_.read(memory);
        switch (operation_) {
        case Operation::less: return left < right;
        case Operation::less_equal: return left <= right;
        case Operation::greater: return left > right;
        case Operation::greater_equal: return left >= right;
        case Operation::equal: return left == right;
        default: return left != right;
        }
    }

private:
    Operation operation_;
    Term left_;
    Term right_;
};

/// `i.category == "shoes"`, `i.category in ["shoes", "bags"]`, and `!=`.
class CompareText : public RecordCondition {
public:
    CompareText(Storage field, std::vector<std::string> texts, bool wanted)
        : field_(field), texts_(std::move(texts)), wanted_(wanted) {}
    bool holds(const char* memory) const override {
        const std::string_view text = stored_at<std::string>(memory, field_);
        for (const auto& known : texts_)
            if (same_text(known, text)) return wanted_;
        return !wanted_;
    }
    std::size_t cost() const override {
        std::size_t bytes = 0;
        for (const auto& text : texts_) bytes += text.size();
        return 1 + texts_.size() / 4 + bytes / 64;
    }

private:
    Storage field_;
    std::vector<std::string> texts_;
    bool wanted_;
};

class NotRecord : public RecordCondition {
public:
    explicit NotRecord(RecordConditionPtr inner) : inner_(std::move(inner)) {}
    bool holds(const char* memory) const override { return !inner_->holds(memory); }
    std::size_t cost() const override { return inner_->cost(); }

private:
    RecordConditionPtr inner_;
};

class JoinedRecords : public RecordCondition {
public:
    JoinedRecords(bool deciding, std::vector<RecordConditionPtr> parts)
        : deciding_(deciding), parts_(std::move(parts)) {}
    bool holds(const char* memory) const override {
        for (const auto& part : parts_)
            if (part->holds(memory) == deciding_) return deciding_;
        return !deciding_;
    }
    std::size_t cost() const override {
        std::size_t sum = 0;
        for (const auto& part : parts_) sum += part->cost();
        return sum;
    }

private:
    bool deciding_; ///< true of ||, false of &&.
    std::vector<RecordConditionPtr> parts_;
};

class Maker {
public:
    Maker(unsigned local, const Environment& environment)
        : local_(local), environment_(environment) {}

    RecordConditionPtr condition(const Expr& expression) const {
        switch (expression.kind) {
        case ExprKind::unary: {
            if (expression.operation != Operation::logical_not) return nullptr;
            auto inner = condition(*expression.arguments[0]);
            return inner ? std::make_unique<const NotRecord>(std::move(inner)) : nullptr;
        }
        case ExprKind::logic: {
            std::vector<RecordConditionPtr> parts;
            for (const auto& argument : expression.arguments) {
                parts.push_back(condition(*argument));
                if (!parts.back()) return nullptr;
            }
            return std::make_unique<const JoinedRecords>(
                expression.operation == Operation::logical_or, std::move(parts));
        }
        case ExprKind::binary: return comparison(expression);
        default: return nullptr;
        }
    }

private:
    struct Number {
        Term term;
        bool is_double;
        bool is_exact; ///< Compares as its double does, with ints too.
    };

    /// A field of the record, where the expression is one.
    Storage field(const Expr& expression) const {
        if (expression.kind != ExprKind::select || expression.is_optional) return {};
        const auto& from = *expression.arguments[0];
        const bool is_of_record = from.kind == ExprKind::name &&
                                  from.resolution == Resolution::local && from.slot == local_;
        return is_of_record ? storage_of(expression, environment_) : Storage{};
    }

    std::optional<Number> number(const Expr& expression) const {
        if (expression.kind == ExprKind::literal) {
            const auto value = expression.value;
            if (!value.is_number()) return std::nullopt;
            return Number{Term::constant(value.as_double()), value.is(Kind::floating),
                          is_exact_as_double(value)};
        }
        if (expression.kind == ExprKind::binary) return computed(expression);
        const auto storage = field(expression);
        switch (storage.form) {
        case Storage::Form::integer: return Number{Term::field(storage), false, false};
        case Storage::Form::floating:
        case Storage::Form::decimal: return Number{Term::field(storage), true, true};
        case Storage::Form::called:
        case Storage::Form::text:
        case Storage::Form::packed_map: break;
        }
        return std::nullopt;
    }

    /// What is computed in double, and so never fails.
    std::optional<Number> computed(const Expr& expression) const {
        switch (expression.operation) {
        case Operation::add:
        case Operation::subtract:
        case Operation::multiply:
        case Operation::divide: break;
        default: return std::nullopt;
        }
        auto left = number(*expression.arguments[0]);
        auto right = left ? number(*expression.arguments[1]) : std::nullopt;
        if (!right) return std::nullopt;
        const bool is_double = environment_.strict_numbers ? left->is_double && right->is_double
                                                           : left->is_double || right->is_double;
        if (!is_double) return std::nullopt;
        return Number{
            Term::computed(expression.operation, std::move(left->term), std::move(right->term)),
            true, true};
    }

    RecordConditionPtr comparison(const Expr& expression) const {
        const auto& left = *expression.arguments[0];
        const auto& right = *expression.arguments[1];
        const bool is_equality = expression.operation == Operation::equal ||
                                 expression.operation == Operation::not_equal;
        switch (expression.operation) {
        case Operation::equal:
        case Operation::not_equal:
        case Operation::less:
        case Operation::less_equal:
        case Operation::greater:
        case Operation::greater_equal: break;
        case Operation::in: return text_in(left, right);
        default: return nullptr;
        }
        if (is_equality && right.kind == ExprKind::literal && right.value.is(Kind::string)) {
            const auto text = field(left);
            if (text.form != Storage::Form::text) return nullptr;
            return std::make_unique<const CompareText>(
                text, std::vector<std::string>{std::string{right.value.as_string()}},
                expression.operation == Operation::equal);
        }
        auto a = number(left);
        auto b = a ? number(right) : std::nullopt;
        if (!b) return nullptr;
        // Numbers of which one is a double are compared in double.
        if (!a->is_double && !b->is_double && !a->is_exact && !b->is_exact) return nullptr;
        return std::make_unique<const CompareTerms>(expression.operation, std::move(a->term),
                                                    std::move(b->term));
    }

    RecordConditionPtr text_in(const Expr& item, const Expr& range) const {
        constexpr std::size_t texts_max = 16; // More are searched better by halves.
        const auto text = field(item);
        if (text.form != Storage::Form::text || range.kind != ExprKind::list ||
            !range.optional_entries.empty() || range.arguments.size() > texts_max)
            return nullptr;
        std::vector<std::string> texts;
        for (const auto& entry : range.arguments) {
            if (entry->kind != ExprKind::literal || !entry->value.is(Kind::string)) return nullptr;
            texts.emplace_back(entry->value.as_string());
        }
        return std::make_unique<const CompareText>(text, std::move(texts), true);
    }

    unsigned local_;
    const Environment& environment_;
};

} // namespace

Storage storage_of(const Expr& selection, const Environment& environment) {
    const auto& from = selection.arguments[0]->type;
    if (selection.field < 0 || !from.is(Kind::object)) return {};
    const auto* const type = environment.find_object(from.object_name());
    return type ? type->fields[static_cast<std::size_t>(selection.field)].storage : Storage{};
}

RecordConditionPtr make_record_condition(const Expr& condition, unsigned local,
                                         const Environment& environment) {
    return Maker{local, environment}.condition(condition);
}

} // namespace journeys::cel
