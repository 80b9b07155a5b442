/// `POST /v1/decide`: the next best action for a customer, answered from the actor's memory.
#pragma once

#include "actors/ports.hpp"
#include "actors/system.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/open_decisions.hpp"
#include "runtime/publications.hpp"

#include <functional>

namespace runtime {

/// All of it outlives the listener.
struct DecideRouteParts {
    actors::System& system;
    actors::EventLog& log;
    Publications& publications;
    OpenDecisions& open;
    std::function<journeys::Timestamp()> now;
    std::function<std::string()> not_ready; ///< Empty while the log takes events; else why not.
    std::function<void()> lost; ///< A decision was answered and could not be stored. Any thread.
};

/// `{"customer": id, "surface": "cart-page", "actions": [ids], "policy": "best|explore|fixed",
/// "context": {…}, "durable": true}`; all but the customer may be missing. Without a surface those
/// of all surfaces are weighed, and those of channels where `actions` names them. The context is
/// flat: at most 32 names with numbers, booleans and texts of at most 256 bytes, which conditions
/// of actions read as `context.name`; no guardrail looks at it. Every question is a decision of its
/// own. It is answered when it is durable, as the customer's event `Action Decided`, and with 503
/// at once while nothing becomes so; with `"durable": false` as soon as it is taken, without
/// waiting for the log: should the process or the storage fail within those milliseconds, the
/// decision is forgotten, with its share in caps and budgets, and its reward is not learned from.
/// Questions at the same time see each other; what a journey's step decides in the few milliseconds
/// until such an event is applied sees none of them, and they do not see it. While a customer's
/// records are parked their decisions are, too: then nothing with a cap is given, and no discount,
/// since no restart would remember it.
Handlers make_decide_route(const DecideRouteParts& parts);

} // namespace runtime
