#include "actors/rules.hpp"

#include "journeys/profile.hpp"

namespace actors {

const Rules& product_rules() {
    static const Rules rules{
        journeys::apply,     journeys::fire,       journeys::wake_at,
        journeys::hand_over, journeys::is_granted, journeys::pack,
        journeys::unpack,    journeys::unpack_own, journeys::may_be_older_duplicate,
        journeys::is_awaited};
    return rules;
}

} // namespace actors
