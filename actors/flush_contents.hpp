/// What the flush under way holds, and which part of it is whose: a storage that refuses it says
/// only that something in it is wrong.
#pragma once

#include "actors/pending_writes.hpp"
#include "actors/ports.hpp"

#include <cstddef>
#include <vector>

namespace actors {

class FlushContents {
public:
    /// Moves a customer's part into the request.
    void add(PendingWrite&& write, FlushRequest& request);

    std::size_t customers() const { return entries.size(); }
    std::size_t bytes() const { return bytes_; } ///< About.

    /// Everything again as it was pending, in its order: `request` is not to be repeated. Copies,
    /// for the storage may still hold the request.
    std::vector<PendingWrite> taken_apart(const FlushRequest& request) const;

    std::vector<Persisted::Entry> entries; ///< One a customer.
    std::vector<AskStanding> proofs;       ///< Answered by the commit.

private:
    /// What is one customer's, in the order of the lists.
    struct Part {
        bool urgent = false, has_write = false, has_released = false;
        std::size_t parked = 0, proofs = 0;
    };
    std::vector<Part> parts_; ///< As `entries`.
    std::size_t bytes_ = 0;
};

} // namespace actors
