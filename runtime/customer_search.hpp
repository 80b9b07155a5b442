/// The customer behind an id as people write it, from the actors' memory.
#pragma once

#include "actors/system.hpp"
#include "journeys/customer.hpp"
#include "journeys/result.hpp"
#include "runtime/listener/request.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace runtime {

struct SearchedCustomer {
    /// Null: all partitions that may know them were asked, and nobody is there, nor is anybody in
    /// what was acknowledged before the question.
    std::shared_ptr<const journeys::Customer> customer;
    bool is_parked = false; ///< What came since stands aside, and is not in the state.

    explicit operator bool() const { return customer != nullptr; }
};
/// An error: a partition did not answer (`unavailable`, after 5 s), or the state cannot be read;
/// who asks again may find them.
using FoundCustomer = journeys::Result<SearchedCustomer>;

enum class StateAsked : std::uint8_t {
    at_hand,      ///< As it is; what was acknowledged last may not be in it yet.
    acknowledged, ///< With all that was acknowledged before the question: for who decides by it.
};

/// Of several readings of the text the first that is known, behind tombstones. `done` is called
/// once, from an actor's thread.
void find_customer(actors::System& system, std::string_view text, StateAsked state,
                   std::function<void(FoundCustomer)> done);

/// What a request about a customer is answered where none was found: 404 where there is nobody, 503
/// where that is not known.
Response answer_without(const FoundCustomer& found);

/// The same search of what was acknowledged, null for nobody; blocking, and not from an actor's
/// thread.
journeys::Result<std::shared_ptr<const journeys::Customer>>
wait_for_customer(actors::System& system, const std::string& text);

} // namespace runtime
