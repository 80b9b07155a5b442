#include "actors/flush_contents.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace actors {

void FlushContents::add(PendingWrite&& write, FlushRequest& request) {
    entries.push_back({write.slot, write.revision, write.through});
    parts_.push_back({.urgent = write.urgent,
                      .has_write = static_cast<bool>(write.write.block),
                      .has_released = write.released.has_value(),
                      .parked = write.parked.size(),
                      .proofs = write.prove.size()});
    if (write.write.block) {
        bytes_ += write.write.block->size() + 256 * write.write.effects.size();
        request.customers.push_back(std::move(write.write));
    }
    if (write.released) request.released.push_back(std::move(*write.released));
    std::ranges::move(write.parked, std::back_inserter(request.parked));
    std::ranges::move(write.prove, std::back_inserter(proofs));
}

std::vector<PendingWrite> FlushContents::taken_apart(const FlushRequest& request) const {
    std::vector<PendingWrite> customers;
    auto write = request.customers.begin();
    auto released = request.released.begin();
    auto parked = request.parked.begin();
    auto proof = proofs.begin();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const auto& part = parts_[i];
        PendingWrite customer;
        customer.slot = entries[i].slot;
        customer.revision = entries[i].revision;
        customer.through = entries[i].through;
        customer.urgent = part.urgent;
        if (part.has_write) customer.write = *write++;
        if (part.has_released) customer.released = *released++;
        for (std::size_t n = 0; n < part.parked; ++n) customer.parked.push_back(*parked++);
        for (std::size_t n = 0; n < part.proofs; ++n) customer.prove.push_back(*proof++);
        customers.push_back(std::move(customer));
    }
    return customers;
}

} // namespace actors
