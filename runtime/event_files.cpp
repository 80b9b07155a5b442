#include "runtime/event_files.hpp"

#include "journeys/packed.hpp"
#include "schema/log_json.hpp"
#include "schema/message_json.hpp"
#include "schema/packed_json.hpp"
#include "schema/record_codec.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

namespace runtime {
namespace {

constexpr std::size_t refused_kept = 100;
constexpr std::size_t line_bytes_max = 16 * 1024 * 1024;

/// Right behind what failed: it looks at `errno`. A folder opens like a file, and only reading it
/// fails.
journeys::Error cannot_be_read(const std::filesystem::path& file) {
    const int number = errno;
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(file, ignored);
    return {journeys::ErrorCode::not_found,
            file.string() + ": cannot be read: " + std::strerror(is_folder ? EISDIR : number)};
}

/// Calls `take(line, number)` for each line of the file that is not blank.
journeys::Result<void>
for_each_line(const std::filesystem::path& file,
              const std::function<void(const std::string&, std::uint64_t)>& take) {
    std::ifstream in{file};
    if (!in) return cannot_be_read(file);
    std::string line;
    for (std::uint64_t number = 1; std::getline(in, line); ++number) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.find_first_not_of(" \t") == std::string::npos) continue;
        if (line.size() > line_bytes_max) line.resize(line_bytes_max); // Refused further on.
        take(line, number);
    }
    if (in.bad()) return cannot_be_read(file);
    return {};
}

void refuse(RecordedEvents& events, const std::filesystem::path& file, std::uint64_t line,
            std::string why) {
    if (events.refused_count++ < refused_kept)
        events.refused.push_back({file.string(), line, std::move(why)});
}

/// `detail`, unless the line is of the other kind of file.
std::string why_refused(const std::string& line, std::string detail) {
    if (!schema::from_log_line(line)) return detail;
    return "a line of a service's log, which is read with --log";
}

/// Whether the line is about a product, and no message.
bool is_product(const std::string& line) {
    if (line.find("\"product\"") == line.npos) return false;
    const auto packed = schema::packed_from_json(line);
    return packed && journeys::PackedView{*packed}.string_at("type") == "product";
}

/// Takes the product, or says why not.
std::string take_product(const std::string& line, RecordedEvents& events) {
    auto body = schema::products_from_json(line);
    if (!body) return body.error().detail;
    if (!body->refused.empty()) return body->refused.front().why;
    auto& change = body->products.front();
    if (!change.said_at) return "a product among events needs updated_at";
    events.products.push_back({*change.said_at, std::move(change)});
    return {};
}

} // namespace

journeys::Result<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) return cannot_be_read(file);
    std::string text;
    std::vector<char> part(64 * 1024);
    // Iterators of the buffer would throw where reading fails, and know no file.
    while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount() > 0)
        text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return cannot_be_read(file);
    return text;
}

journeys::Result<RecordedEvents> read_events(const std::vector<std::filesystem::path>& files,
                                             journeys::IdentityRules rules) {
    RecordedEvents result;
    schema::MessageDecoder decoder;
    std::vector<journeys::Event> events;
    schema::Envelope envelope;
    envelope.recorded = true;
    envelope.limits.frame_bytes_max = line_bytes_max;
    for (const auto& file : files) {
        const auto read = for_each_line(file, [&](const std::string& line, std::uint64_t number) {
            if (is_product(line)) {
                if (auto why = take_product(line, result); !why.empty())
                    refuse(result, file, number, std::move(why));
                return;
            }
            auto frame = decoder.decode(line, envelope);
            if (!frame)
                return refuse(result, file, number, why_refused(line, frame.error().detail));
            for (auto& item : frame->items) {
                if (!item.event) {
                    refuse(result, file, number, why_refused(line, item.event.error().detail));
                    continue;
                }
                // At the door the receipt stands in; a file has none.
                if (item.clock == schema::Clock::unreadable) {
                    refuse(result, file, number,
                           "its timestamp is no time; write it as 2026-03-02T10:00:00Z");
                    continue;
                }
                envelope.received_at =
                    item.event->time; // For the next that says no time of its own.
                events.push_back(std::move(*item.event));
            }
        });
        if (!read) return read.error();
    }
    std::ranges::stable_sort(events, {}, &journeys::Event::time);
    std::ranges::stable_sort(result.products, {}, &RecordedProduct::at);

    journeys::IdentityCache identity{std::move(rules)};
    result.events = events.size();
    result.records.reserve(events.size());
    const auto append = [&](journeys::CustomerId customer, journeys::Timestamp at, auto body) {
        journeys::Record record;
        record.offset = result.records.size() + 1;
        record.accepted_at = at;
        record.customer = std::move(customer);
        record.body = std::move(body);
        result.records.push_back(std::move(record));
    };
    for (auto& event : events) {
        auto routing = identity.route(event, event.time);
        const auto at = event.time;
        for (auto& link : routing.links) append(std::move(link.loser), at, std::move(link.link));
        append(std::move(routing.customer), at, std::move(event));
    }
    return result;
}

journeys::Result<RecordedEvents> read_log(const std::vector<std::filesystem::path>& files) {
    RecordedEvents result;
    schema::MessageDecoder decoder;
    for (const auto& file : files) {
        const auto read = for_each_line(file, [&](const std::string& line, std::uint64_t number) {
            const auto stored = schema::from_log_line(line);
            if (!stored) return refuse(result, file, number, stored.error().detail);
            auto record = schema::decode(stored->kind, stored->body, stored->header, decoder);
            if (!record) return refuse(result, file, number, record.error().detail);
            if (record->event()) ++result.events;
            result.records.push_back(std::move(*record));
        });
        if (!read) return read.error();
    }
    std::ranges::stable_sort(result.records, {}, &journeys::Record::accepted_at);
    return result;
}

} // namespace runtime
