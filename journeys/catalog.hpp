/// Everything that decides, as of one publication: journeys, their older versions, settings,
/// templates.
#pragma once

#include "journeys/definition.hpp"
#include "journeys/lookups.hpp"
#include "journeys/models/model_set.hpp"
#include "journeys/settings.hpp"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace journeys {

class Template;
struct Offers;
class RecommendationSource;
class CouponSource;

/// What the state must keep because some journey (of any version still known) reads it.
struct Tracked {
    struct Count {
        Duration window{};                ///< The longest asked for.
        std::set<std::string> properties; ///< Kept of each occurrence.
    };
    std::map<std::string, Count, std::less<>> counts; ///< By event name: `count`, `last`, `recent`.
    std::set<std::string, std::less<>> newest; ///< Names that exits, waits and goals mention.
    std::set<std::string, std::less<>>
        properties;             ///< Properties that exits, waits and goals read; "*": all.
    bool session_ended = false; ///< Some journey names `Session Ended`.
    /// Actions with a cap, of which is counted how often a customer was given each; an empty one:
    /// discounts are counted against a budget.
    std::set<std::string, std::less<>> given;
    /// What shows that a customer is interested in a product: names of events that have one.
    std::set<std::string, std::less<>> interests;
};

/// Immutable; shared by all actors; replaced as a whole by a publication.
class Catalog {
public:
    /// `known` are older versions that open runs may be pinned to; of a pair that is also current,
    /// the current one counts. `publication` is the content hash of it all.
    Catalog(std::uint64_t publication, Settings settings, std::vector<JourneyPtr> current,
            std::vector<JourneyPtr> known = {},
            std::map<std::string, std::shared_ptr<const Template>> templates = {},
            models::ModelSetPtr models = nullptr, Lookups lookups = {},
            std::shared_ptr<const Offers> offers = nullptr,
            std::shared_ptr<const RecommendationSource> recommendations = nullptr,
            std::shared_ptr<CouponSource> coupons = nullptr);

    std::uint64_t publication() const { return publication_; }
    const Settings& settings() const { return settings_; }
    std::span<const JourneyPtr> journeys() const {
        return current_;
    } ///< Highest priority first, then by id.
    std::span<const JourneyPtr> known() const { return known_; }
    const Journey* journey(std::string_view id) const; ///< The current version; null where gone.
    const Journey* version(std::string_view id,
                           std::uint64_t version) const; ///< Null where unknown.
    std::span<const Journey* const> entered_by(std::string_view event) const; ///< By priority.
    /// Those that are entered when a condition turns true; by priority.
    std::span<const Journey* const> entered_by_condition() const { return becoming_; }
    /// Those that a rising risk opens; by priority.
    std::span<const Journey* const> entered_by_risk() const { return entered_by_risk_; }
    /// Those that a date of the customer opens; by priority.
    std::span<const Journey* const> entered_by_date() const { return entered_by_date_; }
    /// Those that an audience is let into; by priority.
    std::span<const Journey* const> entered_by_audience() const { return entered_by_audience_; }
    /// Null where no models of purchases are loaded.
    const models::ModelSet* models() const {
        return models_ && models_->has_purchases ? models_.get() : nullptr;
    }
    /// Null where no model of sessions is loaded.
    const models::Logistic* intent() const {
        return models_ && models_->intent ? &*models_->intent : nullptr;
    }
    const models::ModelSetPtr& model_set() const { return models_; }
    const Lookups& lookups() const { return lookups_; }
    /// What decisions choose among; never null, and empty where there are no actions.
    const std::shared_ptr<const Offers>& offers() const { return offers_; }
    /// What `recommend(n)` asks; null: nobody recommends anything. No part of any decision.
    const std::shared_ptr<const RecommendationSource>& recommendations() const {
        return recommendations_;
    }
    /// Who gives codes out at a hand-over; null: nobody, and every pool is empty. No part of any
    /// decision before it.
    const std::shared_ptr<CouponSource>& coupons() const { return coupons_; }
    /// Names what makes time do something: models, stages, journeys by risk and by date. A
    /// publication with another one concerns customers who sleep. 0: nothing does.
    std::uint64_t wake_reason() const;
    const Tracked& tracked() const { return tracked_; }
    const std::map<std::string, std::shared_ptr<const Template>>& templates() const {
        return templates_;
    }
    /// NAME.de-AT, NAME.de, NAME, the first that exists; null where none does.
    const Template* find_template(std::string_view name, std::string_view locale) const;

private:
    void track(const Journey& journey);
    void track(const Offers& offers);
    void track_calls(const Expression& expression);

    std::uint64_t publication_;
    Settings settings_;
    std::vector<JourneyPtr> current_, known_;
    std::map<std::string, const Journey*, std::less<>> by_id_;
    std::unordered_map<std::uint64_t, const Journey*> by_version_; ///< The hash covers the id.
    std::map<std::string, std::vector<const Journey*>, std::less<>> entered_by_;
    std::vector<const Journey*> becoming_;
    std::vector<const Journey*> entered_by_risk_;
    std::vector<const Journey*> entered_by_date_;
    std::vector<const Journey*> entered_by_audience_;
    std::map<std::string, std::shared_ptr<const Template>> templates_;
    models::ModelSetPtr models_;
    Lookups lookups_;
    std::shared_ptr<const Offers> offers_;
    std::shared_ptr<const RecommendationSource> recommendations_;
    std::shared_ptr<CouponSource> coupons_;
    Tracked tracked_;
};

using CatalogPtr = std::shared_ptr<const Catalog>;

} // namespace journeys
