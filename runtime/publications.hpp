/// The publications of this service: compiled once each, found by their number, older versions kept
/// for the runs that are on them.
#pragma once

#include "actors/ports.hpp"
#include "runtime/publication.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace runtime {

/// For any thread.
class Publications final : public actors::CatalogSource {
public:
    /// `products`: what `product(id)` asks, in every publication; `recommendations`: what
    /// `recommend(n)` asks; `coupons`: who gives codes out.
    explicit Publications(
        std::filesystem::path directory,
        std::shared_ptr<const journeys::Products> products = nullptr,
        std::shared_ptr<const journeys::RecommendationSource> recommendations = nullptr,
        std::shared_ptr<journeys::CouponSource> coupons = nullptr);

    /// A publication stored earlier. What no longer compiles is left out, and said in the answer;
    /// runs that are on its versions end with `error`.
    std::vector<schema::Mistake> add_stored(std::string_view text);
    /// Compiles `files` with all known versions beside them. The catalogue is null where there are
    /// mistakes.
    Compiled add(const Files& files);

    journeys::CatalogPtr find(std::uint64_t publication) override;
    /// They are named by nothing any more; whoever still has one keeps it.
    void forget(const std::vector<std::uint64_t>& publications);
    journeys::CatalogPtr newest() const; ///< The one that was added last; never null.

private:
    Compiled compile_and_keep(const Files& files, bool was_taken);

    const std::filesystem::path directory_;
    const std::shared_ptr<const journeys::Products> products_;
    const std::shared_ptr<const journeys::RecommendationSource> recommendations_;
    const std::shared_ptr<journeys::CouponSource> coupons_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, journeys::CatalogPtr> catalogs_;
    std::vector<journeys::JourneyPtr> known_;
    journeys::CatalogPtr newest_;
};

} // namespace runtime
