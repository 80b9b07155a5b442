#include "runtime/fit_schedule.hpp"

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

Result<std::string> fit_service(const std::string& conninfo, const std::filesystem::path& file,
                                journeys::Timestamp now) {
    const auto table = fitting::orders_in(conninfo);
    if (!table) return table.error();
    const auto today = journeys::models::day_of(now);
    auto report = fitting::fit_and_validate(*table, fitting::ModelKind::mbg_nbd,
                                            {.calibration_end = today, .validation_end = today});
    if (!report) return report.error();
    // Too few to tell anything: scores would only look like knowledge.
    constexpr std::size_t repeaters_min = 50;
    if (report->repeaters < repeaters_min)
        return Error{ErrorCode::invalid_argument, "only " + std::to_string(report->repeaters) +
                                                      " customers have ordered twice; " +
                                                      std::to_string(repeaters_min) +
                                                      " are asked for"};
    std::string said = std::to_string(report->customers) + " customers; ";
    if (const auto text = read_file(file)) {
        auto before = schema::parse_models(*text);
        if (!before)
            return Error{before.error().code, file.string() + ": " + before.error().detail};
        if (const auto drift = fitting::drift_of(*before, *table, today))
            said += fitting::to_text(*drift);
        report->models.intent = std::move(before->intent);
    }
    for (const auto& warning : report->warnings) said += "; " + warning;
    auto unfinished = file;
    unfinished += ".new";
    std::ofstream out{unfinished};
    out << schema::to_json(report->models);
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(unfinished, file, error);
    if (!out || error) return Error{ErrorCode::unavailable, file.string() + ": cannot be written"};
    return said;
}

FitSchedule::FitSchedule(FitScheduleSettings settings)
    : settings_(std::move(settings)), periodic_(settings_.every, [this] { fit_once(); }) {}

void FitSchedule::fit_once() {
    const auto fitted = fit_service(settings_.conninfo, settings_.file, settings_.clock());
    if (!fitted)
        return settings_.log->warning("fit: the models stay", {{"why", fitted.error().detail}});
    settings_.log->info("fit", {{"said", *fitted}});
    settings_.publish();
}

} // namespace runtime
