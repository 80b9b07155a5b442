#include "tests/faults/truth.hpp"

#include "journeys/copies.hpp"
#include "journeys/coupons.hpp"
#include "journeys/local_time.hpp"
#include "journeys/reference.hpp"
#include "runtime/archive.hpp"
#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "schema/log_json.hpp"
#include "schema/record_codec.hpp"

#include <fstream>
#include <utility>

namespace faults {

using namespace std::chrono_literals;

namespace {

std::string message_id_in(const std::string& body) {
    constexpr std::string_view key = R"("messageId":")";
    const auto at = body.find(key);
    if (at == body.npos) return {};
    const auto begin = at + key.size();
    return body.substr(begin, body.find('"', begin) - begin);
}

using Take = std::function<void(const schema::StoredRecord&)>;

/// In one pass, for the pages of `Archive::read_log` are each a search through all of the log.
journeys::Result<void> read_sample(const World& world, const Sample& sample, const Take& take) {
    auto connection = runtime::Connection::open(
        {.conninfo = world.conninfo(), .instance = "harness", .reply_timeout = 10min}, "sample");
    if (!connection) return connection.error();
    const auto query = "SELECT \"offset\", accepted_at, kind, customer, body FROM log WHERE true" +
                       sample.and_them() + " ORDER BY accepted_at, partition, \"offset\"";
    return connection->stream(query.c_str(), {}, [&](const runtime::SqlRows& row) {
        schema::StoredRecord record;
        record.header.offset = row.uint8(0, 0);
        record.header.accepted_at = row.time(0, 1);
        record.kind = static_cast<journeys::RecordKind>(row.int2(0, 2));
        record.header.customer =
            journeys::parse_customer_id(row.bytes(0, 3)).value_or(journeys::CustomerId{});
        record.body = std::string{row.bytes(0, 4)};
        take(record);
    });
}

journeys::Result<void> read_log(const World& world, const Sample& sample, const Take& take) {
    if (!sample.customers.empty()) return read_sample(world, sample, take);
    runtime::Archive archive{world.conninfo()};
    return archive.read_log(take);
}

} // namespace

std::string entered_text(const std::string& customer, const std::string& journey,
                         const std::string& key, journeys::Timestamp at) {
    return customer + ' ' + journey + ' ' + key + ' ' + journeys::to_text(at);
}

Truth truth_of(World& world, const Sample& sample, Findings& findings) {
    Truth truth;
    const auto file = world.folder() / "log.jsonl";
    std::map<std::size_t, std::set<std::uint64_t>> offsets;
    {
        std::ofstream out{file};
        const auto partitions = std::stoul(world.sql("SELECT partitions FROM deployment"));
        const auto read = read_log(world, sample, [&](const schema::StoredRecord& record) {
            out << schema::to_log_line(record) << '\n';
            if (const auto id = message_id_in(record.body);
                record.kind == journeys::RecordKind::event && !id.empty())
                ++truth.messages[id];
            if (record.header.customer.value.empty()) return;
            const auto partition = journeys::hash(record.header.customer) % partitions;
            auto& seen = offsets[partition];
            if (!seen.insert(record.header.offset).second)
                findings.add("I2 an offset is in the log twice",
                             std::to_string(record.header.offset));
            // They come by the log's clock.
            if (record.header.offset < *seen.rbegin())
                findings.add("I5 the log's clock went back", std::to_string(record.header.offset));
        });
        if (!read) findings.add("the log cannot be read", read.error().detail);
    }
    const auto recorded = runtime::read_log({file});
    if (!recorded) {
        findings.add("the log cannot be read", recorded.error().detail);
        return truth;
    }
    if (recorded->refused_count > 0)
        findings.add("I6 a record of the log is no whole one", recorded->refused.front().why);
    const auto files = runtime::read_files(world.config(), std::nullopt);
    runtime::CompileOptions compiling;
    compiling.directory = world.folder();
    compiling.coupons = std::make_shared<journeys::TrialCoupons>(); // Which one is no matter.
    const auto compiled = runtime::compile(*files, compiling);
    journeys::Reference reference{
        compiled.catalog,
        [&](const journeys::Customer& customer, const journeys::Effect& effect) {
            const auto id = journeys::to_text(customer.id);
            if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect))
                truth.opened[journeys::to_text(opened->id)] = {id, opened->journey, opened->channel,
                                                               opened->at};
            if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect);
                entry && entry->kind == journeys::EntryKind::enter)
                truth.entered.insert(entered_text(id, entry->journey, entry->key, entry->at));
        },
        journeys::Reference::Transfers::recorded};
    std::set<std::pair<std::string, std::uint64_t>> copies;
    for (const auto& record : recorded->records) {
        const auto* event = record.event();
        const bool is_copy = event && journeys::is_copied(event->name) &&
                             schema::kind_of(record) == journeys::RecordKind::event;
        const auto customer = journeys::to_text(record.customer);
        if (is_copy && !copies.emplace(customer, event->message_hash).second)
            findings.add("I2 a copy is in the log twice", customer + ' ' + event->name);
        reference.take(record);
    }
    reference.close(recorded->records.empty()
                        ? journeys::Timestamp{}
                        : recorded->records.back().accepted_at + std::chrono::hours{24});
    truth.customers = reference.customers();
    return truth;
}

} // namespace faults
