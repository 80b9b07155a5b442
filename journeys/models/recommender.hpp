/// What goes with what somebody looks at: pairs and sequences of products within sessions, and the
/// sessions most like the one under way. Kept session by session; the same sessions in the same
/// order give the same recommendations.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

namespace journeys::models {

using ItemId = std::uint64_t;

struct ScoredItem {
    ItemId item = 0;
    double score = 0;
    bool operator==(const ScoredItem&) const = default;
};

/// Which products may be recommended at all: in stock, not bought yet, within a price band. Empty:
/// all.
using ItemFilter = std::function<bool(ItemId)>;

/// How often two products occur in one session (pairs), or one after another with a weight of 1 /
/// distance up to ten (sequences). A product with itself counts: people come back to what they saw.
class ItemRules {
public:
    enum class Kind : std::uint8_t { pairs, sequences };
    /// Where more than `pairs_max` are known all of them are halved, and those below one forgotten:
    /// what has not been seen for long goes first.
    explicit ItemRules(Kind kind, std::size_t pairs_max = 4'000'000)
        : kind_(kind), pairs_max_(pairs_max) {}

    /// The newest event of a session, after those `before`, oldest first.
    void add(std::span<const ItemId> before, ItemId newest);
    /// Scores of what goes with `item`, unordered.
    std::vector<ScoredItem> scores(ItemId item) const;
    std::size_t size() const { return size_; }

private:
    void count(ItemId item, ItemId other, double weight);
    void age();

    Kind kind_;
    std::size_t pairs_max_, size_ = 0;
    std::unordered_map<ItemId, std::unordered_map<ItemId, double>> counts_;
};

/// VS-kNN (Jannach, Ludewig 2017; Ludewig, Jannach 2018): of the newest sessions that share a
/// product with this one the most similar, where later products of this session weigh more.
class SessionNeighbours {
public:
    struct Settings {
        std::size_t sessions_max = 200'000; ///< Remembered; the oldest go first.
        std::size_t sample = 1000;          ///< Newest sessions that are compared,
        std::size_t neighbours = 100;       ///< and how many of them count.
        double memory = 2; ///< Products back in the session until the weight has fallen to 1/e.
    };
    SessionNeighbours() : SessionNeighbours(Settings{}) {}
    explicit SessionNeighbours(Settings settings) : settings_(settings) {}

    /// A session that is over. Sessions come by the time of their end; `ended_at` in any unit.
    void add(std::vector<ItemId> items, std::int64_t ended_at);
    /// Scores for the session so far, oldest product first; unordered.
    std::vector<ScoredItem> scores(std::span<const ItemId> session) const;
    std::size_t size() const { return sessions_.size(); }

private:
    struct Session {
        std::vector<ItemId> items; ///< Different ones, ascending.
        std::int64_t ended_at = 0;
    };
    Settings settings_;
    std::deque<Session> sessions_; ///< The first has the number `first_`.
    std::uint64_t first_ = 0;
    std::unordered_map<ItemId, std::deque<std::uint64_t>>
        by_item_; ///< Numbers of sessions, oldest first.
};

/// The best `n` that pass, the best first; of equal scores the lower id.
std::vector<ScoredItem> best(std::vector<ScoredItem> scores, std::size_t n,
                             const ItemFilter& allowed = {});

/// All of them together: neighbours, where they say too little pairs, then what most people look
/// at.
class Recommender {
public:
    /// Of more products than `items_max` the popularity is halved, and those seen once forgotten.
    explicit Recommender(SessionNeighbours::Settings settings = {}, std::size_t items_max = 500'000)
        : items_max_(items_max), neighbours_(settings) {}

    void add_session(const std::vector<ItemId>& items, std::int64_t ended_at);
    /// What goes with the session, the best first: neighbours, then pairs with its last product.
    std::vector<ItemId> related(std::span<const ItemId> session, std::size_t n,
                                const ItemFilter& allowed = {}) const;
    /// What most people look at, most of all first.
    std::vector<ItemId> popular(std::size_t n, const ItemFilter& allowed = {}) const;
    /// Related ones, filled up with popular ones.
    std::vector<ItemId> recommend(std::span<const ItemId> session, std::size_t n,
                                  const ItemFilter& allowed = {}) const;

private:
    struct Popularity {
        std::uint64_t views = 0;
        std::size_t rank = 0; ///< Its place in `popular_`.
    };
    void view(ItemId item);
    void forget_the_unpopular();

    std::size_t items_max_;
    SessionNeighbours neighbours_;
    ItemRules pairs_{ItemRules::Kind::pairs};
    std::unordered_map<ItemId, Popularity> popularity_;
    std::vector<ItemId> popular_; ///< Kept in order while views come in.
    std::unordered_map<std::uint64_t, std::size_t>
        first_of_; ///< By views: where the products with as many begin.
};

} // namespace journeys::models
