#include "journeys/interest_index.hpp"

#include <algorithm>
#include <chrono>

namespace journeys {
namespace {

/// Of so many customers it is told which half of all pairs is the older one.
constexpr std::size_t sample = 4'096;

std::uint32_t take_number(std::vector<std::uint32_t>& free, std::size_t next) {
    if (free.empty()) return static_cast<std::uint32_t>(next);
    const auto number = free.back();
    free.pop_back();
    return number;
}

} // namespace

void InterestIndex::note(const CustomerId& customer, std::string_view product, Timestamp at) {
    if (product.empty()) return;
    const auto minute = static_cast<std::int32_t>(
        std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count());
    if (const auto who = customer_numbers_.find(customer); who != customer_numbers_.end()) {
        auto& own = customers_[who->second].pairs;
        if (const auto what = product_numbers_.find(product); what != product_numbers_.end()) {
            const auto known = std::ranges::find(own, what->second, &Pair::product);
            if (known != own.end()) {
                known->minute = std::max(known->minute, minute);
                return;
            }
        }
        if (own.size() == products_of_interest) {
            const auto oldest = std::ranges::min_element(own, {}, &Pair::minute);
            if (oldest->minute > minute) return;
            remove(who->second, static_cast<std::size_t>(oldest - own.begin()));
        }
    }
    add(number_of(customer), number_of(product), minute);
    age_some();
}

InterestIndex::Number InterestIndex::number_of(const CustomerId& customer) {
    const auto [known, is_new] = customer_numbers_.try_emplace(customer);
    if (!is_new) return known->second;
    known->second = take_number(free_customers_, customers_.size());
    if (known->second == customers_.size()) customers_.emplace_back();
    customers_[known->second].id = &known->first;
    return known->second;
}

InterestIndex::Number InterestIndex::number_of(std::string_view product) {
    if (const auto known = product_numbers_.find(product); known != product_numbers_.end())
        return known->second;
    const auto known = product_numbers_.try_emplace(std::string{product}).first;
    known->second = take_number(free_products_, products_.size());
    if (known->second == products_.size()) products_.emplace_back();
    products_[known->second].id = &known->first;
    return known->second;
}

void InterestIndex::add(Number customer, Number product, std::int32_t minute) {
    auto& list = products_[product].customers;
    customers_[customer].pairs.push_back(
        {product, minute, static_cast<std::uint32_t>(list.size())});
    list.push_back(customer);
    ++pairs_;
}

void InterestIndex::remove(Number customer, std::size_t pair) {
    auto& own = customers_[customer].pairs;
    const auto gone = own[pair];
    own[pair] = own.back();
    own.pop_back();
    --pairs_;
    auto& product = products_[gone.product];
    auto& list = product.customers;
    if (const auto last = list.back(); last != customer) {
        list[gone.place] = last;
        std::ranges::find(customers_[last].pairs, gone.product, &Pair::product)->place = gone.place;
    }
    list.pop_back();
    if (list.size() < list.capacity() / 4) list.shrink_to_fit();
    if (!list.empty()) return;
    product_numbers_.erase(product_numbers_.find(*product.id));
    product = {};
    free_products_.push_back(gone.product);
}

void InterestIndex::free_if_unused(Number number) {
    auto& customer = customers_[number];
    if (!customer.id || !customer.pairs.empty()) return;
    customer_numbers_.erase(customer_numbers_.find(*customer.id));
    customer = {};
    free_customers_.push_back(number);
}

std::vector<CustomerId> InterestIndex::interested_in(std::string_view product) const {
    std::vector<CustomerId> found;
    const auto what = product_numbers_.find(product);
    if (what == product_numbers_.end()) return found;
    const auto& list = products_[what->second].customers;
    found.reserve(list.size());
    for (const auto who : list) found.push_back(*customers_[who].id);
    std::ranges::sort(found);
    return found;
}

void InterestIndex::forget(const CustomerId& customer) {
    const auto who = customer_numbers_.find(customer);
    if (who == customer_numbers_.end()) return;
    const auto number = who->second;
    auto& own = customers_[number].pairs;
    while (!own.empty()) remove(number, own.size() - 1);
    free_if_unused(number);
}

void InterestIndex::age_some() {
    if (!aging_) {
        if (pairs_ <= pairs_max_) return;
        old_ = middle_minute();
        aging_ = 0;
    }
    const auto until = std::min(*aging_ + aged_at_once, customers_.size());
    for (; *aging_ < until; ++*aging_) {
        const auto number = static_cast<Number>(*aging_);
        auto& own = customers_[number].pairs;
        const auto before = own.size();
        for (auto pair = own.size(); pair-- > 0;)
            if (own[pair].minute <= old_) remove(number, pair);
        if (own.size() < before) own.shrink_to_fit();
        free_if_unused(number);
    }
    if (*aging_ == customers_.size()) aging_.reset();
}

/// Of a sample, spread over all customers.
std::int32_t InterestIndex::middle_minute() const {
    std::vector<std::int32_t> minutes;
    for (auto stride = std::max<std::size_t>(1, customers_.size() / sample); minutes.empty();
         stride = std::max<std::size_t>(1, stride / 2))
        for (std::size_t number = 0; number < customers_.size(); number += stride)
            for (const auto& pair : customers_[number].pairs) minutes.push_back(pair.minute);
    const auto middle = minutes.begin() + static_cast<std::ptrdiff_t>(minutes.size() / 2);
    std::ranges::nth_element(minutes, middle);
    return *middle;
}

void InterestIndex::clear() { *this = InterestIndex{pairs_max_}; }

} // namespace journeys
