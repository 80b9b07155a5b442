#include "runtime/postgres/append_batch.hpp"

#include "journeys/ids.hpp"

#include <algorithm>
#include <utility>

namespace runtime {

using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Record;
using journeys::RecordKind;
using journeys::RecordPtr;

namespace {

bool goes_to_all(RecordKind kind) { return kind == RecordKind::publish; }

} // namespace

bool AppendBatch::moves() const {
    return std::ranges::any_of(appends,
                               [](const auto& append) { return !append.transfers.empty(); });
}

void measure(LogAppend& append, Partition partitions) {
    append.customer_hashes.reserve(append.drafts.size());
    for (const auto& draft : append.drafts) {
        append.customer_hashes.push_back(journeys::hash(draft.customer));
        append.rows += goes_to_all(draft.kind) ? partitions : 1;
        append.bytes += draft.bytes.size() + draft.customer.value.size() + 100;
    }
}

std::optional<Error> refusal_of(const std::map<Partition, OwnedPartition>& owned,
                                Partition partitions) {
    const auto refusal = [](ErrorCode code, Partition partition, const char* why) {
        return Error{code, "partition " + std::to_string(partition) + why};
    };
    for (Partition partition = 0; partition < partitions; ++partition) {
        const auto found = owned.find(partition);
        if (found == owned.end())
            return refusal(ErrorCode::storage_unavailable, partition, " is not taken over yet");
        if (found->second.lost)
            return refusal(ErrorCode::fenced, partition, " belongs to another process");
    }
    return std::nullopt;
}

void build_rows(AppendBatch& batch, Partition partitions) {
    batch.rows.clear();
    for (const auto& append : batch.appends) {
        for (std::size_t i = 0; i < append.drafts.size(); ++i) {
            const auto& draft = append.drafts[i];
            const auto hash = append.customer_hashes[i];
            if (!goes_to_all(draft.kind)) {
                batch.rows.push_back(
                    {static_cast<Partition>(hash % partitions), hash, &draft, draft.record, 0});
                continue;
            }
            for (Partition partition = 0; partition < partitions; ++partition)
                batch.rows.push_back(
                    {partition, hash, &draft,
                     draft.record ? std::make_shared<Record>(*draft.record) : nullptr, 0});
        }
    }
}

std::map<Partition, std::vector<RecordPtr>> records_of(AppendBatch& batch, const LogCodec& codec) {
    std::map<Partition, std::vector<RecordPtr>> records;
    for (const auto& [partition, stretch] : batch.stretches)
        records[partition].reserve(stretch.last - stretch.first + 1);
    for (auto& row : batch.rows) {
        if (!row.record) {
            row.record = std::make_shared<Record>(
                decode_or_keep(codec, row.draft->kind, row.draft->bytes, row.offset,
                               batch.accepted_at, row.draft->customer));
        } else {
            row.record->offset = row.offset;
            row.record->accepted_at = batch.accepted_at;
            codec.stamp(*row.record);
        }
        records[row.partition].push_back(std::move(row.record));
    }
    return records;
}

} // namespace runtime
