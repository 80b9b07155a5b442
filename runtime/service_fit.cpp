#include "runtime/service_fit.hpp"

#include "runtime/event_files.hpp"
#include "runtime/fitting/drift.hpp"
#include "runtime/fitting/report.hpp"
#include "runtime/fitting/service_orders.hpp"
#include "schema/model_json.hpp"

#include <fstream>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

/// Too few to tell anything: scores would only look like knowledge.
constexpr std::size_t repeaters_min = 50;

/// Whole or not at all: somebody may be reading it.
Result<void> write(const std::filesystem::path& file, const std::string& text) {
    auto unfinished = file;
    unfinished += ".new";
    std::ofstream out{unfinished};
    out << text;
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(unfinished, file, error);
    if (!out || error) return Error{ErrorCode::unavailable, file.string() + ": cannot be written"};
    return {};
}

/// The models' text that `file` holds; where that is none, it is put aside and `in_force` counts.
std::optional<std::string> models_before(const std::filesystem::path& file,
                                         const std::optional<std::string>& in_force,
                                         std::string& said) {
    auto text = read_file(file);
    if (!text) return std::nullopt;
    const auto read = schema::parse_models(*text);
    if (read) return std::move(*text);
    auto aside = file;
    aside += ".unreadable";
    std::error_code error;
    std::filesystem::rename(file, aside, error);
    said += file.string() + ": " + read.error().detail +
            (error ? "; it is replaced; " : "; it stands in " + aside.string() + " now; ");
    return in_force;
}

} // namespace

Result<Fitted> fit_service(const std::string& conninfo, const std::filesystem::path& file,
                           const std::optional<std::string>& in_force, const std::string& currency,
                           journeys::Timestamp now) {
    const auto table = fitting::orders_in(conninfo, currency);
    if (!table) return table.error();
    const auto today = journeys::models::day_of(now);
    auto report = fitting::fit_and_validate(*table, fitting::ModelKind::mbg_nbd,
                                            {.calibration_end = today, .validation_end = today});
    if (!report) return report.error();
    if (report->repeaters < repeaters_min)
        return Error{ErrorCode::invalid_argument, "only " + std::to_string(report->repeaters) +
                                                      " customers have ordered twice; " +
                                                      std::to_string(repeaters_min) +
                                                      " are asked for"};
    std::string said = std::to_string(report->customers) + " customers; ";
    const auto before = models_before(file, in_force, said);
    if (before)
        if (const auto models = schema::parse_models(*before))
            if (const auto drift = fitting::drift_of(*models, *table, today))
                said += fitting::to_text(*drift);
    for (const auto& warning : report->warnings) said += "; " + warning;
    if (auto written = write(file, with_other_models_of(before, report->models)); !written)
        return written.error();
    return Fitted{std::move(report->models), std::move(said)};
}

std::string with_other_models_of(const std::optional<std::string>& text,
                                 journeys::models::ModelSet models) {
    if (text)
        if (auto known = schema::parse_models(*text)) models.intent = std::move(known->intent);
    return schema::to_json(models);
}

} // namespace runtime
