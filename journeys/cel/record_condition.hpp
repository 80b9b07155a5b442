/// Conditions over one record that its memory alone decides: fields that lie in it and constants,
/// compared, computed with in double, joined by && || !. Such a condition cannot fail and makes no
/// values, so a list of records is searched in one loop: `cart.items.exists(i, i.price * i.quantity
/// > 900.0)`.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/environment.hpp"

#include <memory>

namespace journeys::cel {

class RecordCondition {
public:
    virtual ~RecordCondition() = default;
    /// `memory`: `Object::memory` of a record of the type that the condition was made for.
    virtual bool holds(const char* memory) const = 0;
    /// What one record costs, in steps of the budget.
    virtual std::size_t cost() const { return 1; }
};
using RecordConditionPtr = std::unique_ptr<const RecordCondition>;

/// The condition that a macro puts to its variable in slot `local`, where it is one of these; it
/// then says of every record what the expression says.
RecordConditionPtr make_record_condition(const Expr& condition, unsigned local,
                                         const Environment& environment);

/// Where the field of a selection lies; `called` where that is not known beforehand.
Storage storage_of(const Expr& selection, const Environment& environment);

} // namespace journeys::cel
