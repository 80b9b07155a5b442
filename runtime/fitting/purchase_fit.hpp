/// Fits the purchase models to customers' histories.
#pragma once

#include "journeys/models/purchase_model.hpp"
#include "runtime/fitting/maximum_likelihood.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime::fitting {

enum class ModelKind { bg_nbd, mbg_nbd, pareto_nbd, nbd, gamma_gamma };

std::string_view to_text(ModelKind kind); ///< `bgnbd`, `mbgnbd`, …
std::optional<ModelKind> parse_model_kind(std::string_view text);

struct ModelFit {
    ModelKind kind = ModelKind::mbg_nbd;
    std::vector<std::string> names;
    Estimate estimate;
    /// False where the data cannot tell who has stopped; then `why`, and P(alive) must not be used.
    /// Of `gamma_gamma`: where by the fit no mean exists; then no spend must be expected.
    bool identifiable = true;
    std::string why;

    /// Precondition: not `gamma_gamma`.
    journeys::models::PurchaseModel model() const;
    journeys::models::GammaGamma spend() const; ///< Precondition: `gamma_gamma`.
};

/// Customers without repeat orders count too; of `gamma_gamma` only those with repeat orders that
/// cost something. Precondition: at least one customer that counts.
ModelFit fit(ModelKind kind, const std::vector<journeys::models::History>& histories);

/// The correlation of how often and for how much, over those with repeat orders; `gamma_gamma`
/// takes it for 0.
double spend_correlation(const std::vector<journeys::models::History>& histories);

} // namespace runtime::fitting
