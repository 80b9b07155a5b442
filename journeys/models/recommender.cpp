#include "journeys/models/recommender.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace journeys::models {
namespace {

std::vector<ScoredItem> listed(const std::unordered_map<ItemId, double>& scores) {
    std::vector<ScoredItem> list;
    list.reserve(scores.size());
    for (const auto& [item, score] : scores) list.push_back({item, score});
    return list;
}

bool is_better(const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
}

} // namespace

void ItemRules::count(ItemId item, ItemId other, double weight) {
    auto& of_item = counts_[item];
    const auto before = of_item.size();
    of_item[other] += weight;
    size_ += of_item.size() - before;
}

void ItemRules::age() {
    size_ = 0;
    for (auto of_item = counts_.begin(); of_item != counts_.end();) {
        for (auto& [other, weight] : of_item->second) weight /= 2;
        std::erase_if(of_item->second, [](const auto& pair) { return pair.second < 1; });
        size_ += of_item->second.size();
        of_item = of_item->second.empty() ? counts_.erase(of_item) : std::next(of_item);
    }
}

void ItemRules::add(std::span<const ItemId> before, ItemId newest) {
    if (size_ > pairs_max_) age();
    if (kind_ == Kind::pairs) {
        for (const auto item : before) {
            count(item, newest, 1);
            count(newest, item, 1);
        }
        return;
    }
    constexpr std::size_t steps_max = 10;
    for (std::size_t step = 1; step <= std::min(steps_max, before.size()); ++step)
        count(before[before.size() - step], newest, 1.0 / static_cast<double>(step));
}

std::vector<ScoredItem> ItemRules::scores(ItemId item) const {
    const auto found = counts_.find(item);
    return found == counts_.end() ? std::vector<ScoredItem>{} : listed(found->second);
}

void SessionNeighbours::add(std::vector<ItemId> items, std::int64_t ended_at) {
    std::ranges::sort(items);
    items.erase(std::unique(items.begin(), items.end()), items.end());
    const auto number = first_ + sessions_.size();
    for (const auto item : items) by_item_[item].push_back(number);
    sessions_.push_back({std::move(items), ended_at});
    if (sessions_.size() <= settings_.sessions_max) return;
    for (const auto item : sessions_.front().items) {
        const auto numbers = by_item_.find(item);
        numbers->second.pop_front(); // It is the oldest of each of its products.
        if (numbers->second.empty()) by_item_.erase(numbers);
    }
    sessions_.pop_front();
    ++first_;
}

std::vector<ScoredItem> SessionNeighbours::scores(std::span<const ItemId> session) const {
    // Each product's newest place in the session, counted from its end, and its weight.
    struct Here {
        double weight;
        double step;
    };
    std::unordered_map<ItemId, Here> here;
    for (std::size_t back = 0; back < session.size(); ++back) {
        const auto distance = static_cast<double>(back);
        here.try_emplace(session[session.size() - 1 - back],
                         Here{std::exp(-distance / settings_.memory), distance + 1});
    }
    std::vector<std::uint64_t> candidates;
    for (const auto& [item, place] : here) {
        const auto numbers = by_item_.find(item);
        if (numbers == by_item_.end()) continue;
        const auto take = std::min(numbers->second.size(), settings_.sample);
        candidates.insert(candidates.end(),
                          numbers->second.end() - static_cast<std::ptrdiff_t>(take),
                          numbers->second.end());
    }
    std::ranges::sort(candidates, std::greater<>{});
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    if (candidates.size() > settings_.sample) candidates.resize(settings_.sample);

    struct Neighbour {
        double similarity;
        std::uint64_t number;
    };
    std::vector<Neighbour> neighbours;
    neighbours.reserve(candidates.size());
    for (const auto number : candidates) {
        double similarity = 0;
        for (const auto item : sessions_[number - first_].items)
            if (const auto common = here.find(item); common != here.end())
                similarity += common->second.weight;
        neighbours.push_back({similarity, number});
    }
    const auto count = std::min(neighbours.size(), settings_.neighbours);
    std::partial_sort(neighbours.begin(), neighbours.begin() + static_cast<std::ptrdiff_t>(count),
                      neighbours.end(), [](const Neighbour& a, const Neighbour& b) {
                          return std::tie(a.similarity, a.number) >
                                 std::tie(b.similarity, b.number);
                      });
    std::unordered_map<ItemId, double> scores;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& items = sessions_[neighbours[i].number - first_].items;
        double step = HUGE_VAL;
        for (const auto item : items)
            if (const auto common = here.find(item); common != here.end())
                step = std::min(step, common->second.step);
        for (const auto item : items) scores[item] += neighbours[i].similarity / step;
    }
    return listed(scores);
}

std::vector<ScoredItem> best(std::vector<ScoredItem> scores, std::size_t n,
                             const ItemFilter& allowed) {
    if (allowed) std::erase_if(scores, [&](const ScoredItem& each) { return !allowed(each.item); });
    const auto count = std::min(n, scores.size());
    std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count),
                      scores.end(), is_better);
    scores.resize(count);
    return scores;
}

void Recommender::forget_the_unpopular() {
    for (auto& [item, known] : popularity_) known.views /= 2;
    std::erase_if(popularity_, [](const auto& each) { return each.second.views == 0; });
    std::erase_if(popular_, [this](ItemId item) { return !popularity_.contains(item); });
    first_of_.clear();
    for (std::size_t rank = 0; rank < popular_.size(); ++rank) {
        auto& known = popularity_[popular_[rank]];
        known.rank = rank;
        first_of_.try_emplace(known.views, rank);
    }
}

/// One more view moves it past those that had as many: it changes places with the first of them.
void Recommender::view(ItemId item) {
    const auto [known, is_new] = popularity_.try_emplace(item);
    auto& [views, rank] = known->second;
    if (is_new) {
        rank = popular_.size();
        popular_.push_back(item);
    } else {
        const auto had_as_many = first_of_.find(views);
        const auto first = had_as_many->second;
        const auto passed = popular_[first];
        popularity_[passed].rank = rank;
        std::swap(popular_[first], popular_[rank]);
        rank = first;
        const auto next = first + 1;
        if (next < popular_.size() && popularity_[popular_[next]].views == views)
            had_as_many->second = next;
        else
            first_of_.erase(had_as_many);
    }
    ++views;
    first_of_.try_emplace(views, rank);
}

void Recommender::add_session(const std::vector<ItemId>& items, std::int64_t ended_at) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        pairs_.add(std::span{items}.first(i), items[i]);
        view(items[i]);
    }
    if (popular_.size() > items_max_) forget_the_unpopular();
    neighbours_.add(items, ended_at);
}

std::vector<ItemId> Recommender::related(std::span<const ItemId> session, std::size_t n,
                                         const ItemFilter& allowed) const {
    std::vector<ItemId> result;
    const auto take = [&](ItemId item) {
        if (result.size() < n && std::ranges::find(result, item) == result.end())
            result.push_back(item);
    };
    for (const auto& [item, score] : best(neighbours_.scores(session), n, allowed)) take(item);
    if (result.size() < n && !session.empty())
        for (const auto& [item, score] : best(pairs_.scores(session.back()), 2 * n, allowed))
            take(item);
    return result;
}

std::vector<ItemId> Recommender::popular(std::size_t n, const ItemFilter& allowed) const {
    std::vector<ItemId> result;
    for (const auto item : popular_) {
        if (result.size() >= n) break;
        if (!allowed || allowed(item)) result.push_back(item);
    }
    return result;
}

std::vector<ItemId> Recommender::recommend(std::span<const ItemId> session, std::size_t n,
                                           const ItemFilter& allowed) const {
    auto result = related(session, n, allowed);
    for (const auto item : popular_) {
        if (result.size() >= n) break;
        if ((!allowed || allowed(item)) && std::ranges::find(result, item) == result.end())
            result.push_back(item);
    }
    return result;
}

} // namespace journeys::models
