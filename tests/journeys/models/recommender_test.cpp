/// Recommendations on the YooChoose slice (shared data), against the numbers of a count by other
/// means.
#include "journeys/models/recommender.hpp"
#include "tests/support/shared_data.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <sstream>

using namespace journeys::models;

namespace {

struct Visit {
    std::int64_t ended_at = 0;
    std::vector<ItemId> items;
};

/// By time of their end.
std::vector<Visit> visits_of(const std::filesystem::path& path) {
    std::map<std::int64_t, std::vector<std::pair<double, ItemId>>> sessions;
    bool is_header = true;
    for (const auto& line : support::read_lines(path)) {
        if (std::exchange(is_header, false) || line.empty()) continue;
        std::istringstream cells{line};
        std::int64_t session = 0;
        ItemId item = 0;
        double at = 0;
        cells >> session >> item >> at;
        sessions[session].emplace_back(at, item);
    }
    std::vector<Visit> visits;
    for (auto& [id, clicks] : sessions) {
        std::ranges::stable_sort(clicks, {}, &std::pair<double, ItemId>::first);
        Visit visit;
        visit.ended_at = static_cast<std::int64_t>(clicks.back().first * 1000);
        for (const auto& [at, item] : clicks) visit.items.push_back(item);
        visits.push_back(std::move(visit));
    }
    std::ranges::stable_sort(visits, {}, &Visit::ended_at);
    return visits;
}

struct Hits {
    double count = 0, hits = 0, reciprocal = 0;
    double rate() const { return hits / count; }
    double mean_reciprocal_rank() const { return reciprocal / count; }
};

/// Every next product of every session, among the best 20.
template <class Recommend>
Hits measure(const std::vector<Visit>& visits, Recommend recommend, bool only_unseen = false) {
    Hits hits;
    for (const auto& visit : visits)
        for (std::size_t i = 1; i < visit.items.size(); ++i) {
            const auto before = std::span{visit.items}.first(i);
            if (only_unseen && std::ranges::find(before, visit.items[i]) != before.end()) continue;
            const std::vector<ItemId> list = recommend(before);
            hits.count += 1;
            const auto found = std::ranges::find(list, visit.items[i]);
            if (found == list.end()) continue;
            hits.hits += 1;
            hits.reciprocal += 1.0 / static_cast<double>(found - list.begin() + 1);
        }
    return hits;
}

std::vector<ItemId> top20(std::vector<ScoredItem> scores, const ItemFilter& allowed = {}) {
    std::vector<ItemId> items;
    for (const auto& [item, score] : best(std::move(scores), 20, allowed)) items.push_back(item);
    return items;
}

} // namespace

TEST_CASE(
    "YooChoose: pairs, sequences and neighbours find the next product as often as published") {
    const auto train = support::shared_data("yoochoose_100k/train_full.txt.gz");
    const auto test = support::shared_data("yoochoose_100k/test.txt.gz");
    if (!train || !test) return;
    const auto seen = visits_of(*train), judged = visits_of(*test);
    ItemRules pairs{ItemRules::Kind::pairs}, sequences{ItemRules::Kind::sequences};
    Recommender recommender;
    for (const auto& visit : seen) {
        for (std::size_t i = 0; i < visit.items.size(); ++i) {
            pairs.add(std::span{visit.items}.first(i), visit.items[i]);
            sequences.add(std::span{visit.items}.first(i), visit.items[i]);
        }
        recommender.add_session(visit.items, visit.ended_at);
    }
    const auto by_pairs =
        measure(judged, [&](auto before) { return top20(pairs.scores(before.back())); });
    CHECK(by_pairs.count == 10'152);
    CHECK(by_pairs.rate() == Approx(.6323).margin(.001));
    CHECK(by_pairs.mean_reciprocal_rank() == Approx(.3279).margin(.001));
    const auto by_sequences =
        measure(judged, [&](auto before) { return top20(sequences.scores(before.back())); });
    CHECK(by_sequences.rate() == Approx(.6179).margin(.001));
    CHECK(by_sequences.mean_reciprocal_rank() == Approx(.3471).margin(.001));

    const auto began = std::chrono::steady_clock::now();
    const auto shipped =
        measure(judged, [&](auto before) { return recommender.recommend(before, 20); });
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - began;
    CHECK(shipped.rate() >= .681);
    CHECK(shipped.mean_reciprocal_rank() >= .362);
    // A mail does not show what was seen already.
    const auto unseen = measure(
        judged,
        [&](auto before) {
            return recommender.recommend(before, 20, [&](ItemId item) {
                return std::ranges::find(before, item) == before.end();
            });
        },
        true);
    CHECK(unseen.rate() > .5);
    WARN("shipped: HR@20 " << shipped.rate() << " MRR@20 " << shipped.mean_reciprocal_rank() << ", "
                           << spent.count() / shipped.count
                           << " us each; of products not seen before HR@20 " << unseen.rate()
                           << " MRR@20 " << unseen.mean_reciprocal_rank());
}

TEST_CASE("of equal scores the lower id comes first, and what is not allowed never") {
    const std::vector<ScoredItem> scores{{5, 1}, {3, 1}, {9, 2}, {1, .5}};
    CHECK(best(scores, 3) == std::vector<ScoredItem>{{9, 2}, {3, 1}, {5, 1}});
    CHECK(best(scores, 9, [](ItemId item) { return item != 9; }).front().item == 3);
    CHECK(best({}, 3).empty());
}

TEST_CASE("who is new is shown what most look at, and a short list is filled") {
    Recommender recommender;
    CHECK(recommender.recommend({}, 5).empty());
    recommender.add_session({1, 2}, 10);
    recommender.add_session({2, 3}, 20);
    recommender.add_session({4, 2, 4, 4}, 30);
    CHECK(recommender.recommend({}, 2) == std::vector<ItemId>{2, 4});
    const std::vector<ItemId> session{1};
    const auto list = recommender.recommend(session, 4, [](ItemId item) { return item != 1; });
    CHECK(list == std::vector<ItemId>{2, 4, 3});
}

TEST_CASE("sessions beyond the bound are forgotten, the oldest first") {
    SessionNeighbours neighbours{{.sessions_max = 2}};
    neighbours.add({1, 2}, 10);
    neighbours.add({1, 3}, 20);
    neighbours.add({4, 5}, 30);
    CHECK(neighbours.size() == 2);
    const std::vector<ItemId> session{1};
    const auto list = best(neighbours.scores(session), 10);
    REQUIRE(list.size() == 2);
    CHECK(list[0].item == 1);
    CHECK(list[1].item == 3);
    const std::vector<ItemId> forgotten{2};
    CHECK(neighbours.scores(forgotten).empty());
}

TEST_CASE("pairs and popularity are bounded: what is seldom seen is forgotten first") {
    ItemRules pairs{ItemRules::Kind::pairs, 20};
    const std::vector<ItemId> lamp{1};
    for (ItemId other = 100; other < 400; ++other) {
        for (int i = 0; i < 4; ++i) pairs.add(lamp, 2); // Often, all the time.
        pairs.add(lamp, other);                         // Once.
        CHECK(pairs.size() <= 22);
    }
    CHECK(best(pairs.scores(1), 1).front().item == 2);

    Recommender recommender{{}, 10};
    for (ItemId other = 100; other < 400; ++other) recommender.add_session({1, 2, 1, other}, 0);
    const auto popular = recommender.popular(100);
    CHECK(popular.size() <= 11);
    REQUIRE(popular.size() >= 2);
    CHECK(popular[0] == 1);
    CHECK(popular[1] == 2);
    CHECK(recommender.popular(1) == std::vector<ItemId>{1});
    CHECK(recommender.popular(5, [](ItemId item) { return item != 1; }).front() == 2);
}

TEST_CASE("what most people look at comes first, and a look moves a product past all its equals") {
    const SessionNeighbours::Settings few{.sessions_max = 1};
    const auto look = [](Recommender& recommender, ItemId item) {
        recommender.add_session({item}, 0);
    };
    SECTION("it changes places with the first of them") {
        Recommender recommender{few};
        for (const ItemId item : {1, 2, 3, 4, 4}) look(recommender, item);
        CHECK(recommender.popular(9) == std::vector<ItemId>{4, 2, 3, 1});
    }
    SECTION("by any looks, also behind a halving") {
        constexpr std::uint32_t seed = 7;
        INFO("seed " << seed);
        std::mt19937 chance{seed};
        Recommender recommender{few, 50};
        std::map<ItemId, int> looks;
        for (int i = 0; i < 5'000; ++i) {
            const ItemId item = std::min(chance() % 60, chance() % 60);
            look(recommender, item);
            ++looks[item];
            if (looks.size() <= 50) continue;
            for (auto& [known, times] : looks) times /= 2;
            std::erase_if(looks, [](const auto& one) { return one.second == 0; });
        }
        const auto popular = recommender.popular(100);
        REQUIRE(popular.size() == looks.size());
        for (std::size_t i = 1; i < popular.size(); ++i)
            CHECK(looks.at(popular[i - 1]) >= looks.at(popular[i]));
    }
    SECTION("without passing them one by one") { // Which would take minutes here.
        Recommender recommender{few};
        constexpr ItemId products = 100'000;
        for (ItemId item = 0; item < products; ++item) look(recommender, item);
        for (ItemId item = products; item-- > 0;) look(recommender, item);
        CHECK(recommender.popular(products + 1).size() == products);
    }
}
