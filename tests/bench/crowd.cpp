#include "tests/bench/crowd.hpp"

#include "runtime/free_memory.hpp"
#include "runtime/stop_system.hpp"

#include "actors/messages.hpp"
#include "runtime/publication.hpp"
#include "schema/record_codec.hpp"
#include "tests/bench/measure.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr actors::Partition partitions = 8;
constexpr std::size_t batch_records = 1'000;
constexpr std::uint64_t in_flight_max = 20'000;
constexpr double patience = 600; ///< Seconds.

/// Of a customer of the load; any other has none that counts.
std::size_t number_of(const journeys::CustomerId& customer) {
    std::size_t number = 0;
    const auto& text = customer.value;
    const auto end = text.data() + text.size();
    if (!text.starts_with('u') || std::from_chars(text.data() + 1, end, number).ptr != end)
        return std::numeric_limits<std::size_t>::max();
    return number;
}

void pause() { std::this_thread::sleep_for(std::chrono::microseconds{200}); }

} // namespace

Crowd::Crowd(const std::filesystem::path& config, std::uint32_t customers,
             const CrowdSettings& crowd)
    : customers_(customers), publications_(config), load_(customers, customers),
      offsets_(partitions), batches_(partitions), watermarks_(partitions), active_(partitions),
      wakes_(customers, journeys::no_time) {
    const auto files = runtime::read_files(config / "sojourn.yaml", std::nullopt);
    if (!files) throw std::runtime_error{files.error().detail};
    if (!publications_.add(*files).catalog)
        throw std::runtime_error{"the journeys have mistakes; see `sojourn check`"};

    ports_.log = this;
    ports_.store = this;
    ports_.catalogs = &publications_;
    ports_.pacer = this;
    ports_.observer = this;
    ports_.encode = [](const journeys::Record& record) { return schema::encode(record); };
    ports_.trim = runtime::give_memory_back;
    actors::SystemSettings settings;
    settings.partitions = partitions;
    settings.shards = std::clamp(std::thread::hardware_concurrency(), 1u, unsigned{partitions});
    settings.partition.active_customers_max = customers;
    settings.partition.idle_after = crowd.idle_after;
    settings.partition.timer_window = crowd.timer_window;
    settings.rules = &actors::product_rules();
    system_ = std::make_unique<actors::System>(ports_, settings);
    system_->start();
    while (true) {
        const std::scoped_lock lock{mutex_};
        if (readers_.size() == partitions &&
            std::ranges::all_of(readers_, [](const caf::actor& reader) { return bool{reader}; }))
            break;
        pause();
    }
    publish();
}

Crowd::~Crowd() {
    readers_.clear();
    runtime::stop_system(*system_, std::chrono::steady_clock::now() + std::chrono::minutes{10});
}

void Crowd::publish() {
    journeys::Record record;
    record.body = journeys::Publish{publications_.newest()->publication(), {}};
    record.accepted_at = now();
    for (std::size_t i = 0; i < partitions; ++i) {
        auto copy = std::make_shared<journeys::Record>(record);
        copy->offset = ++offsets_[i];
        batches_[i].push_back(std::move(copy));
    }
    give();
}

void Crowd::gather(std::uint32_t first, std::uint32_t end) {
    for (const bool fills_cart : {false, true})
        for (auto customer = first; customer < end;) {
            std::string frame{"["};
            for (int i = 0; i < 100 && customer < end; ++i, ++customer) {
                if (i > 0) frame += ',';
                if (fills_cart)
                    load_.append_to_cart(frame, now(), customer);
                else
                    load_.append(frame, now(), customer);
            }
            take(frame + ']');
        }
    give();
    wait_until_done();
}

void Crowd::wait_until_asleep() {
    const auto until = seconds_now() + patience;
    while (std::ranges::any_of(active_, [](const auto& one) { return one != 0; })) {
        if (seconds_now() > until) throw std::runtime_error{"the crowd does not sleep"};
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

std::uint64_t Crowd::pass(journeys::Duration span, std::uint64_t expected) {
    for (actors::Partition i = 0; i < partitions; ++i)
        caf::anon_send(readers_[i], actors::LogClosed{i, now() + span});
    actors::let_go_of_logger();
    const auto until = seconds_now() + patience;
    while (woken_ < expected && seconds_now() < until) pause();
    return woken_;
}

std::uint64_t Crowd::with_timer(journeys::Timestamp before) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(wakes_, [&](journeys::Timestamp at) { return at < before; }));
}

void Crowd::visit(std::uint64_t events) {
    for (std::uint64_t i = 0; i < events; i += 100) take(load_.frame(100, now()));
    give();
    wait_until_done();
}

void Crowd::take(const std::string& text) {
    schema::Envelope envelope;
    envelope.received_at = now();
    auto frame = decoder_.decode(text, envelope);
    if (!frame) throw std::runtime_error{frame.error().detail};
    for (auto& item : frame->items) {
        auto record = std::make_shared<journeys::Record>();
        record->customer = item.event.value().ids.front();
        record->accepted_at = envelope.received_at;
        record->body = std::move(item.event.value());
        schema::cap_time(*record);
        const auto partition = actors::partition_of(record->customer, partitions);
        record->offset = ++offsets_[partition];
        batches_[partition].push_back(std::move(record));
        ++given_;
        ++gathered_;
    }
    if (gathered_ >= batch_records) give();
}

void Crowd::give() {
    gathered_ = 0;
    const auto closed = now() - journeys::Duration{1};
    for (actors::Partition i = 0; i < partitions; ++i)
        if (!batches_[i].empty())
            caf::anon_send(readers_[i],
                           actors::LogBatch{i, std::exchange(batches_[i], {}), closed});
    actors::let_go_of_logger();
    while (system_->credit().in_flight() > in_flight_max) pause();
}

void Crowd::wait_until_done() {
    const auto until = seconds_now() + patience;
    const auto is_done = [this] {
        if (applied_ != given_) return false;
        const std::scoped_lock lock{mutex_};
        for (std::size_t i = 0; i < partitions; ++i)
            if (watermarks_[i] != offsets_[i]) return false;
        return true;
    };
    while (!is_done()) {
        if (seconds_now() > until) throw std::runtime_error{"the crowd's events were not applied"};
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    if (twice_ != 0)
        throw std::runtime_error{"some of the crowd's events were duplicates or parked"};
}

void Crowd::append(std::vector<actors::Draft> drafts,
                   std::function<void(journeys::Result<void>)> done) {
    std::vector<actors::LogBatch> batches(partitions);
    {
        const std::scoped_lock lock{mutex_};
        accepted_at_ = std::max(accepted_at_, now());
        for (auto& draft : drafts) {
            const auto partition = actors::partition_of(draft.customer, partitions);
            draft.record->offset = ++offsets_[partition];
            draft.record->accepted_at = accepted_at_;
            schema::cap_time(*draft.record);
            batches[partition].records.push_back(std::move(draft.record));
        }
        given_ += drafts.size();
        for (actors::Partition i = 0; i < partitions; ++i) {
            if (batches[i].records.empty()) continue;
            batches[i].partition = i;
            batches[i].closed = accepted_at_ - journeys::Duration{1};
            caf::anon_send(readers_[i], std::move(batches[i]));
        }
    }
    done({});
}
void Crowd::subscribe(actors::Partition partition, std::uint64_t, caf::actor reader) {
    const std::scoped_lock lock{mutex_};
    readers_.resize(partitions);
    readers_[partition] = std::move(reader);
}
void Crowd::find_duplicates(actors::Partition, const journeys::CustomerId&,
                            std::vector<std::uint64_t>, std::uint64_t tag, caf::actor asker) {
    caf::anon_send(asker, actors::SeenBefore{.tag = tag, .hashes = {}, .offsets = {}});
}
void Crowd::take_over(actors::Partition partition, caf::actor asker) {
    caf::anon_send(asker, actors::TakenOver{partition, 1, 0, 0, 0, 0});
}
void Crowd::load(actors::Partition partition, std::vector<journeys::CustomerId> customers,
                 caf::actor asker) {
    actors::Loaded loaded{.partition = partition, .entries = {}};
    loaded.entries.reserve(customers.size());
    for (auto& customer : customers) loaded.entries.push_back({std::move(customer), nullptr, {}});
    caf::anon_send(asker, std::move(loaded));
}
void Crowd::flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) {
    for (const auto& write : request->customers) {
        if (!write.block) continue;
        ++rows_;
        bytes_ += write.block->size();
        if (const auto number = number_of(write.customer); number < wakes_.size())
            wakes_[number] = write.wake_at;
    }
    watermarks_[request->partition] = request->watermark;
    caf::anon_send(asker, actors::Flushed{request->partition, request->sequence, {}});
}
void Crowd::find_due(actors::Partition partition, journeys::Timestamp, std::size_t,
                     caf::actor asker) {
    caf::anon_send(asker, actors::Due{.partition = partition, .entries = {}});
}
void Crowd::find_waiting(actors::Partition partition, actors::WaitingCursor, std::size_t,
                         std::uint64_t tag, caf::actor asker) {
    caf::anon_send(asker, actors::Waiting{.partition = partition, .tag = tag, .entries = {}});
}
void Crowd::open_intents(actors::Partition partition, caf::actor asker) {
    caf::anon_send(asker, actors::OpenIntents{.partition = partition, .rows = {}});
}
journeys::Timestamp Crowd::now() const {
    return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
}
void Crowd::records(actors::Partition, const actors::AppliedCounts& counts) {
    applied_ += counts.applied + counts.late + counts.duplicate + counts.forwarded + counts.parked;
    twice_ += counts.duplicate + counts.parked;
}
void Crowd::timers(actors::Partition, std::uint64_t woken, journeys::Duration) { woken_ += woken; }
void Crowd::customers(actors::Partition partition, std::uint64_t active, std::uint64_t) {
    active_[partition] = active;
}

} // namespace bench
