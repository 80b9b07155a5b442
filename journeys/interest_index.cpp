#include "journeys/interest_index.hpp"

#include <algorithm>
#include <chrono>

namespace journeys {

void InterestIndex::note(const CustomerId& customer, std::string_view product, Timestamp at) {
    if (product.empty()) return;
    const auto [who, is_new] =
        customer_numbers_.try_emplace(customer, static_cast<std::uint32_t>(customer_ids_.size()));
    if (is_new) {
        customer_ids_.push_back(&who->first);
        of_customer_.emplace_back();
    }
    const auto [what, is_new_product] = product_numbers_.try_emplace(
        std::string{product}, static_cast<std::uint32_t>(products_.size()));
    if (is_new_product) products_.emplace_back();
    const auto minute = static_cast<std::int32_t>(
        std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count());

    auto& own = of_customer_[who->second];
    const auto known = std::ranges::find(own, what->second, &Pair::product);
    if (known != own.end()) {
        known->minute = std::max(known->minute, minute);
        return;
    }
    if (own.size() == products_of_interest) {
        const auto oldest = std::ranges::min_element(own, {}, &Pair::minute);
        if (oldest->minute > minute) return;
        own.erase(oldest);
        --pairs_;
    }
    own.push_back({what->second, minute});
    ++pairs_;
    auto& list = products_[what->second];
    list.customers.push_back(who->second);
    if (list.customers.size() >= list.tidy_at) tidy(what->second);
    if (pairs_ > pairs_max_) forget_the_older_half();
}

bool InterestIndex::holds(std::uint32_t customer, std::uint32_t product) const {
    const auto& own = of_customer_[customer];
    return std::ranges::find(own, product, &Pair::product) != own.end();
}

void InterestIndex::tidy(std::uint32_t product) {
    auto& list = products_[product];
    std::ranges::sort(list.customers);
    const auto twice = std::ranges::unique(list.customers);
    list.customers.erase(twice.begin(), twice.end());
    std::erase_if(list.customers, [&](std::uint32_t who) { return !holds(who, product); });
    list.tidy_at = std::max<std::size_t>(64, 2 * list.customers.size());
}

std::vector<CustomerId> InterestIndex::interested_in(std::string_view product) {
    std::vector<CustomerId> found;
    const auto what = product_numbers_.find(std::string{product});
    if (what == product_numbers_.end()) return found;
    tidy(what->second);
    for (const auto who : products_[what->second].customers) found.push_back(*customer_ids_[who]);
    std::ranges::sort(found);
    return found;
}

void InterestIndex::forget(const CustomerId& customer) {
    const auto who = customer_numbers_.find(customer);
    if (who == customer_numbers_.end()) return;
    pairs_ -= of_customer_[who->second].size();
    of_customer_[who->second].clear();
    customer_ids_[who->second] = nullptr;
    customer_numbers_.erase(who);
}

/// Whoever has nothing left keeps their number: ids are as many as there are customers.
void InterestIndex::forget_the_older_half() {
    std::vector<std::int32_t> minutes;
    minutes.reserve(pairs_);
    for (const auto& own : of_customer_)
        for (const auto& pair : own) minutes.push_back(pair.minute);
    const auto middle = minutes.begin() + static_cast<std::ptrdiff_t>(minutes.size() / 2);
    std::ranges::nth_element(minutes, middle);
    pairs_ = 0;
    for (auto& own : of_customer_) {
        std::erase_if(own, [&](const Pair& pair) { return pair.minute <= *middle; });
        pairs_ += own.size();
    }
    for (std::uint32_t product = 0; product < products_.size(); ++product) tidy(product);
}

void InterestIndex::clear() { *this = InterestIndex{pairs_max_}; }

} // namespace journeys
