#include "journeys/reference.hpp"

#include "journeys/engine.hpp"

#include <algorithm>

namespace journeys {

Reference::Reference(CatalogPtr catalog, Sink sink, Transfers transfers)
    : catalog_(std::move(catalog)), sink_(std::move(sink)), transfers_(transfers) {}

const Customer* Reference::find(const CustomerId& id) const {
    const auto found = customers_.find(id);
    return found == customers_.end() ? nullptr : &found->second;
}

void Reference::schedule(const Customer& customer) {
    const auto due = wake_at(customer, *catalog_);
    if (due >= when_published) return;
    const auto [armed, is_new] = armed_.try_emplace(customer.id, due);
    if (!is_new && armed->second <= due) return;
    armed->second = due;
    timers_.push({due, customer.id});
}

void Reference::close(Timestamp closed) {
    while (!timers_.empty() && timers_.top().due <= closed) {
        const auto timer = timers_.top();
        timers_.pop();
        const auto armed = armed_.find(timer.customer);
        if (armed == armed_.end() || armed->second != timer.due) continue;
        armed_.erase(armed);
        auto& customer = customers_.at(timer.customer);
        Effects effects;
        fire(customer, timer.due, *catalog_, effects, 1'000'000);
        perform(customer, std::move(effects));
        if (wake_at(customer, *catalog_) > timer.due) schedule(customer);
    }
}

void Reference::wake_all(Timestamp at) {
    std::vector<CustomerId> ids;
    for (const auto& [id, customer] : customers_) ids.push_back(id);
    std::ranges::sort(ids);
    for (const auto& id : ids) {
        auto& customer = customers_.at(id);
        Effects effects;
        fire(customer, at, *catalog_, effects, 1'000'000);
        perform(customer, std::move(effects));
        schedule(customer);
    }
}

Applied Reference::take(Record record) {
    close(record.accepted_at - Duration{1});
    const auto result = apply_one(std::move(record));
    while (!moved_.empty()) {
        auto next = std::move(moved_.front());
        moved_.erase(moved_.begin());
        apply_one(std::move(next));
    }
    return result;
}

Applied Reference::apply_one(Record record) {
    if (record.customer.value.empty()) return Applied::applied; // A publication: nobody's record.
    if (transfers_ == Transfers::recorded) {
        // The hand-over is ours, so a recorded outcome has nothing to settle; a recorded transfer
        // says when.
        if (std::holds_alternative<Settled>(record.body)) return Applied::applied;
        if (auto* const transfer = std::get_if<Transfer>(&record.body)) {
            const auto made = on_the_way_.find(transfer->id);
            if (made == on_the_way_.end()) return Applied::duplicate;
            *transfer = std::move(made->second);
            on_the_way_.erase(made);
        }
    }
    auto& customer = customers_[record.customer];
    if (customer.id.value.empty()) customer.id = record.customer;
    Effects effects;
    const auto result = apply(customer, record, *catalog_, effects);
    perform(customer, std::move(effects));
    schedule(customer);
    return result;
}

void Reference::perform(Customer& customer, Effects effects) {
    std::vector<IntentOpened> opened;
    for (auto& effect : effects) {
        if (sink_) sink_(customer, effect);
        if (auto* const intent = std::get_if<IntentOpened>(&effect)) {
            opened.push_back(std::move(*intent));
        } else if (auto* const out = std::get_if<TransferOut>(&effect)) {
            if (transfers_ == Transfers::recorded) {
                on_the_way_[out->transfer.id] = std::move(out->transfer);
            } else {
                Record record;
                record.accepted_at = customer.accepted_at;
                record.customer = out->to;
                record.body = std::move(out->transfer);
                moved_.push_back(std::move(record));
            }
        } else if (auto* const forward = std::get_if<ForwardOut>(&effect)) {
            if (transfers_ == Transfers::recorded) continue; // Stands in the log by itself.
            forward->record.offset = 0;
            moved_.push_back(std::move(forward->record));
        }
    }
    if (!opened.empty()) hand_over_all(customer, std::move(opened));
}

void Reference::hand_over_all(Customer& customer, std::vector<IntentOpened> opened) {
    std::ranges::stable_sort(opened, std::greater<>{}, &IntentOpened::priority);
    for (const auto& intent : opened) {
        Effects effects;
        const auto answer = hand_over(customer, intent.id, intent.at, *catalog_, effects);
        perform(customer, std::move(effects));
        if (answer.verdict != HandOver::Verdict::grant) continue;
        Record outcome;
        outcome.accepted_at = std::max(customer.accepted_at, intent.at);
        outcome.customer = customer.id;
        outcome.body = Settled{intent.id, IntentState::accepted, {}};
        effects.clear();
        apply(customer, outcome, *catalog_, effects);
        perform(customer, std::move(effects));
    }
}

} // namespace journeys
