/// Features from a table of text: numbers by their logarithm, everything else as one column for
/// each value.
#pragma once

#include "journeys/result.hpp"
#include "runtime/fitting/logistic_fit.hpp"

#include <istream>
#include <string>
#include <vector>

namespace runtime::fitting {

struct Table {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;
};

/// Comma-separated with a header. The error names the line.
journeys::Result<Table> read_table(std::istream& in, const std::string& name);

struct FeatureTable {
    std::vector<std::string> names;
    std::vector<Observation> observations; ///< In the order of the rows.
};

/// `label`: the column that says whether it happened (TRUE, true, 1). `categories`: columns taken
/// as names although they are numbers. `left_out`: columns that are not looked at. Numbers become
/// ln(1 + x), scaled to mean 0 and deviation 1 over the table, and where many are 0 a column beside
/// it says which are not.
journeys::Result<FeatureTable> features_of(const Table& table, const std::string& label,
                                           const std::vector<std::string>& categories,
                                           const std::vector<std::string>& left_out);

/// Predictions for each row by a model fitted to the other folds; row i is in fold i mod `folds`.
std::vector<double> cross_validated(const FeatureTable& table, std::size_t folds, double ridge);

} // namespace runtime::fitting
