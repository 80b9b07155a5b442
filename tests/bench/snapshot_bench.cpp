#include "tests/bench/snapshot_bench.hpp"

#include "actors/messages.hpp"
#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/product_codec.hpp"
#include "runtime/system_settings.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/loaded_pipeline.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

namespace bench {
namespace {

constexpr double goal = 0.8;
constexpr std::size_t block_bytes = 550, raw_batch = 1'000;
constexpr auto wait = std::chrono::minutes{45};

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"snapshot: " + what};
}

template <class Value> Value must(journeys::Result<Value> result) {
    if (!result) throw std::runtime_error{"snapshot: " + result.error().detail};
    if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

journeys::CustomerId customer(std::uint32_t number) {
    return {journeys::IdNamespace::user, user_of(number)};
}

/// Rows that nobody has compressed away: a state's bytes are not all alike.
class Changes {
public:
    Changes(std::uint32_t customers, std::uint64_t seed) : revisions_(customers), random_(seed) {
        for (auto& block : blocks_) {
            std::string text(block_bytes, '\0');
            for (auto& byte : text) byte = static_cast<char>(random_());
            text.front() = '\1';
            block = actors::Block{text};
        }
    }

    /// The next change of somebody; of the same customer with a higher revision.
    actors::CustomerWrite next() {
        const auto number = static_cast<std::uint32_t>(random_() % revisions_.size());
        return of(number);
    }
    actors::CustomerWrite of(std::uint32_t number) {
        sum_ += 1;
        actors::CustomerWrite write;
        write.customer = customer(number);
        write.revision = ++revisions_[number];
        write.applied = write.revision;
        write.wake_at = wall_now() + wait;
        write.block = blocks_[random_() % std::size(blocks_)];
        return write;
    }
    std::uint32_t customers() const { return static_cast<std::uint32_t>(revisions_.size()); }
    /// Of all revisions: each change is one.
    std::uint64_t sum() const { return sum_; }

private:
    std::vector<std::uint64_t> revisions_;
    std::mt19937_64 random_;
    actors::Block blocks_[1'000];
    std::uint64_t sum_ = 0;
};

void check_stored(runtime::Connection& connection, const char* table, const Changes& changes) {
    const auto rows =
        must(connection.run_script("SELECT count(*), sum(revision) FROM " + std::string{table}));
    check(std::stoull(std::string{rows.bytes(0, 0)}) == changes.customers() &&
              std::stoull(std::string{rows.bytes(0, 1)}) == changes.sum(),
          std::string{"not every revision is in "} + table);
}

/// The product's store, asked as the flush actors of all partitions ask it: one request of each
/// under way.
class Ours {
public:
    Ours(const SnapshotOptions& options, caf::actor_system& system)
        : server_(start_postgres(options.folder / "ours")), self_(system),
          changes_(options.customers, 1) {
        runtime::ConnectionSettings connection;
        connection.conninfo = server_.conninfo();
        connection.instance = runtime::random_instance();
        auto opened = must(runtime::Connection::open(connection, "bench"));
        must(runtime::migrate(opened));
        must(runtime::fix_partition_count(opened, runtime::partition_count));
        connection_.emplace(std::move(opened));
        runtime::StoreSettings settings;
        settings.connection = connection;
        settings.clock = wall_now;
        settings.codec = runtime::product_codec();
        store_ = std::make_unique<runtime::PostgresStore>(std::move(settings), ownership_);
        for (actors::Partition i = 0; i < runtime::partition_count; ++i) {
            store_->take_over(i, caf::actor_cast<caf::actor>(self_));
            self_->receive(
                [&](const actors::TakenOver& taken) {
                    partitions_[taken.partition].epoch = taken.epoch;
                },
                [&](const actors::TakeOverFailed& failed) { check(false, failed.error.detail); });
        }
        for (std::uint32_t i = 0; i < options.customers; ++i) keep(changes_.of(i));
        write();
    }

    double round(std::uint32_t rows) {
        for (std::uint32_t i = 0; i < rows; ++i) keep(changes_.next());
        const auto postgres = tree_cpu(server_.server_pid());
        const auto cpu = process_cpu();
        const auto begin = seconds_now();
        const auto written = write();
        const auto took = seconds_now() - begin;
        cpu_micros.push_back((process_cpu() - cpu + tree_cpu(server_.server_pid()) - postgres) /
                             written * 1e6);
        check_stored(*connection_, "snapshots", changes_);
        return written / took;
    }

    std::vector<double> cpu_micros;

private:
    struct Partition {
        std::uint64_t epoch = 0, sequence = 0;
        std::map<journeys::CustomerId, actors::CustomerWrite> waiting;
    };

    /// Who changes twice before they are written is written once.
    void keep(actors::CustomerWrite write) {
        auto& partition =
            partitions_[actors::partition_of(write.customer, runtime::partition_count)];
        partition.waiting[write.customer] = std::move(write);
    }

    double write() {
        double rows = 0;
        std::size_t under_way = 0;
        for (auto& [number, partition] : partitions_) {
            rows += static_cast<double>(partition.waiting.size());
            under_way += send(number);
        }
        while (under_way > 0) {
            self_->receive([&](const actors::Flushed& flushed) {
                check(flushed.result.has_value(),
                      flushed.result ? "" : flushed.result.error().detail);
                under_way += send(flushed.partition);
                --under_way;
            });
        }
        return rows;
    }

    std::size_t send(actors::Partition number) {
        auto& partition = partitions_[number];
        if (partition.waiting.empty()) return 0;
        auto request = std::make_shared<actors::FlushRequest>();
        request->partition = number;
        request->epoch = partition.epoch;
        request->sequence = ++partition.sequence;
        const auto most = actors::FlushSettings{}.calm_max;
        while (!partition.waiting.empty() && request->customers.size() < most)
            request->customers.push_back(
                std::move(partition.waiting.extract(partition.waiting.begin()).mapped()));
        store_->flush(std::move(request), caf::actor_cast<caf::actor>(self_));
        return 1;
    }

    runtime::EmbeddedPostgres server_;
    caf::scoped_actor self_;
    Changes changes_;
    runtime::Ownership ownership_;
    std::optional<runtime::Connection> connection_;
    std::map<actors::Partition, Partition> partitions_;
    std::unique_ptr<runtime::PostgresStore> store_;
};

class Bare {
public:
    explicit Bare(const SnapshotOptions& options)
        : server_(start_postgres(options.folder / "bare")), changes_(options.customers, 2) {
        runtime::ConnectionSettings settings;
        settings.conninfo = server_.conninfo();
        settings.instance = runtime::random_instance();
        connection_.emplace(must(runtime::Connection::open(settings, "bench")));
        must(connection_->run_script(
            "CREATE TABLE bare (customer bytea NOT NULL PRIMARY KEY, partition smallint NOT NULL, "
            "schema_version smallint NOT NULL, revision bigint NOT NULL, applied bigint NOT NULL, "
            "wake_at timestamptz, block bytea NOT NULL) WITH (fillfactor = 70)"));
        must(connection_->run_script("ALTER TABLE bare ALTER COLUMN block SET COMPRESSION lz4"));
        for (std::uint32_t i = 0; i < options.customers; ++i) keep(changes_.of(i));
        write();
    }

    double round(std::uint32_t rows) {
        for (std::uint32_t i = 0; i < rows; ++i) keep(changes_.next());
        const auto postgres = tree_cpu(server_.server_pid());
        const auto cpu = process_cpu();
        const auto begin = seconds_now();
        const auto written = write();
        const auto took = seconds_now() - begin;
        cpu_micros.push_back((process_cpu() - cpu + tree_cpu(server_.server_pid()) - postgres) /
                             written * 1e6);
        check_stored(*connection_, "bare", changes_);
        return written / took;
    }

    std::vector<double> cpu_micros;

private:
    void keep(actors::CustomerWrite write) { waiting_[write.customer] = std::move(write); }

    double write() {
        const auto rows = static_cast<double>(waiting_.size());
        while (!waiting_.empty()) {
            using Type = runtime::SqlArray::Type;
            runtime::SqlArray customers{Type::bytea}, partitions{Type::int2}, versions{Type::int2},
                revisions{Type::int8}, applied{Type::int8}, wakes{Type::timestamptz},
                blocks{Type::bytea};
            for (std::size_t i = 0; i < raw_batch && !waiting_.empty(); ++i) {
                const auto write = waiting_.extract(waiting_.begin()).mapped();
                customers.add(journeys::to_text(write.customer));
                partitions.add(std::int16_t{0});
                versions.add(std::int16_t{1});
                revisions.add(write.revision);
                applied.add(write.applied);
                wakes.add(write.wake_at);
                blocks.add(*write.block);
            }
            runtime::SqlParams params;
            params.add(customers).add(partitions).add(versions).add(revisions).add(applied);
            params.add(wakes).add(blocks);
            must(connection_->run(
                "INSERT INTO bare SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) "
                "ON CONFLICT (customer) DO UPDATE SET partition = excluded.partition, "
                "schema_version = excluded.schema_version, revision = excluded.revision, "
                "applied = excluded.applied, wake_at = excluded.wake_at, block = excluded.block",
                params));
        }
        return rows;
    }

    runtime::EmbeddedPostgres server_;
    Changes changes_;
    std::optional<runtime::Connection> connection_;
    std::map<journeys::CustomerId, actors::CustomerWrite> waiting_;
};

} // namespace

Figure bench_snapshot(const SnapshotOptions& options) {
    caf::actor_system_config config;
    config.set("scheduler.max-threads", std::size_t{1});
    caf::actor_system system{config};
    Ours ours{options, system};
    Bare bare{options};
    const auto rows = static_cast<std::uint32_t>(options.changed * options.customers);
    auto figure = compare(
        "snapshots", "rows/s", options.rounds, [&] { return ours.round(rows); },
        [&] { return bare.round(rows); });
    figure.goal = ">= 0.8";
    figure.reached = figure.ratio.median >= goal;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"ours: CPU us/row, PostgreSQL included", spread_of(ours.cpu_micros).median},
                      {"raw: CPU us/row, PostgreSQL included", spread_of(bare.cpu_micros).median}};
    return figure;
}

} // namespace bench
