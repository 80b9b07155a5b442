#include "runtime/publications.hpp"

#include <algorithm>

namespace runtime {

Publications::Publications(std::filesystem::path directory,
                           std::shared_ptr<const journeys::Products> products,
                           std::shared_ptr<const journeys::RecommendationSource> recommendations,
                           std::shared_ptr<journeys::CouponSource> coupons)
    : directory_(std::move(directory)), products_(std::move(products)),
      recommendations_(std::move(recommendations)), coupons_(std::move(coupons)),
      newest_(std::make_shared<const journeys::Catalog>(0, journeys::Settings{},
                                                        std::vector<journeys::JourneyPtr>{})) {
    catalogs_[0] = newest_;
}

Compiled Publications::compile_and_keep(const Files& files, bool was_taken) {
    CompileOptions options;
    options.directory = directory_;
    options.products = products_;
    options.recommendations = recommendations_;
    options.coupons = coupons_;
    options.was_taken = was_taken;
    {
        const std::scoped_lock lock{mutex_};
        options.known = known_;
    }
    auto compiled = compile(files, options);
    if (!compiled.catalog) return compiled;
    const std::scoped_lock lock{mutex_};
    for (const auto& journey : compiled.catalog->journeys()) {
        const bool is_known = std::ranges::any_of(known_, [&](const journeys::JourneyPtr& other) {
            return other->id == journey->id && other->version == journey->version;
        });
        if (!is_known) known_.push_back(journey);
    }
    catalogs_[compiled.catalog->publication()] = compiled.catalog;
    newest_ = compiled.catalog;
    return compiled;
}

std::vector<schema::Mistake> Publications::add_stored(std::string_view text) {
    const auto files = files_from_text(text);
    if (!files) return {{"stored publication", 0, 0, files.error().detail, false}};
    return compile_and_keep(*files, true).mistakes;
}

Compiled Publications::add(const Files& files) { return compile_and_keep(files, false); }

journeys::CatalogPtr Publications::find(std::uint64_t publication) {
    const std::scoped_lock lock{mutex_};
    const auto found = catalogs_.find(publication);
    return found == catalogs_.end() ? nullptr : found->second;
}

void Publications::forget(const std::vector<std::uint64_t>& publications) {
    const std::scoped_lock lock{mutex_};
    for (const auto publication : publications)
        if (publication != newest_->publication()) catalogs_.erase(publication);
}

journeys::CatalogPtr Publications::newest() const {
    const std::scoped_lock lock{mutex_};
    return newest_;
}

} // namespace runtime
