/// Recorded events from files, as records that the core can apply one after the other.
#pragma once

#include "journeys/identity.hpp"
#include "journeys/record.hpp"
#include "journeys/result.hpp"
#include "schema/product_json.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace runtime {

/// What a shop said of a product, and when.
struct RecordedProduct {
    journeys::Timestamp at{};
    schema::ProductChange change;
};

struct RecordedEvents {
    std::vector<journeys::Record> records; ///< By `accepted_at`; of equal ones in file order.
    std::vector<RecordedProduct> products; ///< By time.
    std::uint64_t events = 0;
    struct Refused {
        std::string file;
        std::uint64_t line = 0;
        std::string why;
    };
    std::vector<Refused> refused; ///< The first hundred; `refused_count` counts all.
    std::uint64_t refused_count = 0;
};

/// Segment messages, one JSON value a line (a message, an array of them, or a batch). Among them
/// may stand what the shop says of a product, as `POST /v1/products` takes it, with `"type":
/// "product"` and `updated_at`. `accepted_at`
/// is the event's time, so nothing is late; ids are linked as the edge would do it. Fails where a
/// file can't be read.
journeys::Result<RecordedEvents> read_events(const std::vector<std::filesystem::path>& files,
                                             journeys::IdentityRules rules = {});

/// Recorded log lines, as `sojourn export --log` writes them, merged by `accepted_at` (then
/// partition order).
journeys::Result<RecordedEvents> read_log(const std::vector<std::filesystem::path>& files);

/// A whole file. Fails with `not_found`, naming it, where it can't be read.
journeys::Result<std::string> read_file(const std::filesystem::path& file);

} // namespace runtime
