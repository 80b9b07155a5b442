#include "tests/bench/simulate_bench.hpp"

#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"
#include "tests/bench/bare_parse.hpp"
#include "tests/bench/load.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

constexpr double goal = 0.15;
constexpr journeys::Timestamp morning{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"simulate: " + what};
}

journeys::CatalogPtr catalog_of(const std::filesystem::path& config) {
    const auto files = runtime::read_files(config / "sojourn.yaml", std::nullopt);
    check(files.has_value(), files ? "" : files.error().detail);
    runtime::CompileOptions compiling;
    compiling.trial = true;
    compiling.directory = config;
    compiling.products = std::make_shared<runtime::ProductShelf>();
    auto compiled = runtime::compile(*files, compiling);
    check(compiled.catalog != nullptr, "the journeys have mistakes; see `sojourn check`");
    return compiled.catalog;
}

/// A day's events, one a line.
void write_events(const std::filesystem::path& file, const SimulateOptions& options,
                  std::uint64_t events) {
    std::ofstream out{file, std::ios::binary};
    Load load{options.customers, 1};
    std::string line;
    for (std::uint64_t i = 0; i < events; ++i) {
        line.clear();
        const auto millis = static_cast<std::int64_t>(i * 86'400'000 / events);
        load.append(line, morning + journeys::Duration{millis});
        out << line << '\n';
    }
    check(out.flush().good(), "cannot write " + file.string());
}

class Bench {
public:
    explicit Bench(const SimulateOptions& options)
        : events_(std::uint64_t{options.customers} * options.events_each),
          file_(options.folder / "events.ndjson"), catalog_(catalog_of(options.config)) {
        write_events(file_, options, events_);
    }

    double ours() {
        const auto cpu = thread_cpu();
        const auto recorded = runtime::read_events({file_});
        check(recorded && recorded->events == events_ && recorded->refused_count == 0,
              "events were refused");
        std::uint64_t said = 0;
        runtime::simulate(catalog_, recorded->records, {},
                          [&](const auto&, const auto&) { ++said; });
        const auto spent = thread_cpu() - cpu;
        check(said > 0 && (entries == 0 || said == entries), "two rounds differ");
        entries = said;
        return static_cast<double>(events_) / spent;
    }

    double raw() {
        const auto cpu = thread_cpu();
        std::ifstream in{file_, std::ios::binary};
        simdjson::ondemand::parser parser;
        std::uint64_t parsed = 0;
        std::size_t seen = 0;
        for (std::string line; std::getline(in, line);) {
            line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
            simdjson::ondemand::document document;
            simdjson::ondemand::object object;
            BareMessage message;
            if (parser.iterate(line).get(document) || document.get_object().get(object) ||
                !parse_message(object, message))
                break;
            ++parsed;
            seen += message.seen;
        }
        const auto spent = thread_cpu() - cpu;
        check(parsed == events_ && seen > parsed, "the bare parse left something out");
        return static_cast<double>(events_) / spent;
    }

    std::uint64_t events() const { return events_; }
    std::uint64_t entries = 0;

private:
    const std::uint64_t events_;
    const std::filesystem::path file_;
    const journeys::CatalogPtr catalog_;
};

} // namespace

Figure bench_simulate(const SimulateOptions& options) {
    Bench bench{options};
    auto figure = compare(
        "simulate", "events/s", options.rounds, [&] { return bench.ours(); },
        [&] { return bench.raw(); });
    figure.goal = ">= 0.15";
    figure.reached = figure.ratio.median >= goal;
    figure.details = {{"events", static_cast<double>(bench.events())},
                      {"customers", static_cast<double>(options.customers)},
                      {"entries of timelines", static_cast<double>(bench.entries)}};
    return figure;
}

} // namespace bench
