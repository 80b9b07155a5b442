#include "tests/bench/loaded_pipeline.hpp"

#include "tests/bench/measure.hpp"

#include <stdexcept>

namespace bench {

runtime::EmbeddedPostgres start_postgres(const std::filesystem::path& folder) {
    auto server = runtime::EmbeddedPostgres::start(folder);
    if (!server) throw std::runtime_error{server.error().detail};
    return std::move(*server);
}

LoadedPipeline::LoadedPipeline(const std::filesystem::path& folder)
    : server_(start_postgres(folder)) {
    auto started = BarePipeline::start(server_.conninfo());
    if (!started) throw std::runtime_error{started.error().detail};
    pipeline_ = std::move(*started);
}

LoadRun LoadedPipeline::run(const Producing& producing, const MakeFrame& make) {
    return run([&](std::uint16_t port) { return produce(port, producing, make); });
}

LoadRun LoadedPipeline::run(const SendLoad& send) {
    LoadRun run;
    const auto postgres = tree_cpu(server_.server_pid());
    const auto cpu = process_cpu();
    run.sent = send(pipeline_->port());
    run.applied_after = run.sent.took;
    run.postgres = tree_cpu(server_.server_pid()) - postgres;
    run.cpu = process_cpu() - cpu - run.sent.cpu + run.postgres;
    if (run.sent.rejected != 0 || run.sent.accepted == 0 || run.sent.accepted != run.sent.sent ||
        pipeline_->count_and_clear() != run.sent.accepted)
        throw std::runtime_error{"the bare pipeline lost messages"};
    return run;
}

} // namespace bench
