/// The bare pipeline on a PostgreSQL of its own, under load.
#pragma once

#include "runtime/postgres/embedded.hpp"
#include "tests/bench/bare_pipeline.hpp"
#include "tests/bench/loaded_service.hpp"

#include <filesystem>
#include <memory>

namespace bench {

class LoadedPipeline {
public:
    /// Throws where it does not start.
    explicit LoadedPipeline(const std::filesystem::path& folder);

    /// Until all that was sent is acked; then the table is emptied. Throws where rows are missing
    /// or too many.
    LoadRun run(const Producing& producing, const MakeFrame& make);
    LoadRun run(const SendLoad& send);

private:
    runtime::EmbeddedPostgres server_;
    std::unique_ptr<BarePipeline> pipeline_;
};

/// A PostgreSQL of its own in that folder. Throws where it does not start.
runtime::EmbeddedPostgres start_postgres(const std::filesystem::path& folder);

} // namespace bench
