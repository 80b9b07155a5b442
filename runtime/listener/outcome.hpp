/// What becomes of a request at the door. Only for `listener/`.
#pragma once

#include "actors/ports.hpp"
#include "runtime/listener/request.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace runtime::listener {

/// Its messages go to the log; it is answered when they are durable.
struct Appending {
    std::vector<actors::Draft> drafts;
    std::size_t accepted = 0, bytes = 0;
    std::string rejected; ///< For the answer, as `rejected_items` writes them.
    /// After which it is told to come again; none: it waits as long as it takes.
    std::optional<std::chrono::milliseconds> patience = {};
};

/// Somebody else answers, at their time.
struct AnsweredLater {};

using Outcome = std::variant<Response, Appending, AnsweredLater>;

/// Makes the promise of an answer: one that is dropped unused answers 500, so it is made only by
/// whoever hands it on.
using MakeRespond = std::function<Respond()>;

} // namespace runtime::listener
