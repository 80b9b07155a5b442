/// What the expressions of journeys see: typed declarations in one place, from which the checker
/// works, the evaluator reads, and the reference for marketers is written.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/cel/arena.hpp"
#include "journeys/cel/environment.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace journeys {

/// Where an expression stands decides what it may name.
enum class Scope : std::uint8_t {
    entry,    ///< `enter.when`, `enter.key`: an event is being applied, there is no run yet.
    event,    ///< `exit.when`, `goal.when`, a wait's `when`: an event is being applied to a run. An
              ///< exit is also looked at when a timer fires; then `event` is null.
    step,     ///< Everything in a step: there is a run and no event.
    offer,    ///< An action's `when`: neither run nor event, but what the shop says of the moment.
    audience, ///< Of config/audiences.yaml: neither run nor event, whoever asks.
    product,  ///< A rule of recommendations: a product, and the customer it is for.
};

/// Declared once, shared for ever. Same slots in every scope.
const cel::Environment& environment(Scope scope);

/// All of it for those who write journeys, as Markdown: what each place of a file offers,
/// variables, fields, functions.
std::string expressions_reference();

/// What an evaluation looks at. Borrowed for the time of one call.
struct View {
    const Customer* customer = nullptr;
    const Event* event = nullptr; ///< Null where none is being applied.
    const Run* run = nullptr;     ///< Null in entries.
    Timestamp now{};         ///< Event time while an event is applied, due time when a timer fires.
    Timestamp received_at{}; ///< Of the event's record.
    const Catalog* catalog = nullptr;
    /// Packed; what the shop said when it asked for a decision, or the product that is looked at.
    std::string_view context{};
    const RunCoupon* coupon = nullptr; ///< While the data of a message that gives one is evaluated.
};

enum class Met { yes, no, error };

/// Evaluates programs of the environments above. Owns the arena and the bound objects; one per
/// thread.
class Evaluator {
public:
    Evaluator();
    ~Evaluator();
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    /// Binds what is looked at; cheap. Everything in `view` must stay unchanged until the next
    /// `look_at`, or be looked at again.
    void look_at(const View& view);
    /// The value, which lives until the next call of `value` or `look_at`. An error value is
    /// possible.
    cel::Value value(const cel::Program& program);
    /// The same, counted.
    cel::Value value(const Expression& expression);
    /// What comes of the condition, which is met where it is true exactly; counted.
    Met look(const Expression& condition);
    /// An error counts as not met.
    bool is_met(const Expression& condition) { return look(condition) == Met::yes; }

private:
    struct Bound;
    std::unique_ptr<Bound> bound_;
};

} // namespace journeys
