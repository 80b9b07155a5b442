#include "runtime/tally.hpp"

#include "runtime/console.hpp"
#include "runtime/failure_text.hpp"

#include <utility>

namespace runtime {

namespace {

/// Of what came of a call what no provider can put words into: `HTTP 401`, and not the field or
/// code behind it, which may be an address.
std::string_view loggable(std::string_view detail) {
    if (!detail.starts_with("HTTP ") && !detail.starts_with("SMTP ")) return detail;
    return detail.substr(0, detail.find(' ', 5));
}

} // namespace

Tally::Journey Tally::of(const std::string& journey) const {
    const std::scoped_lock lock{mutex_};
    const auto found = journeys_.find(journey);
    return found == journeys_.end() ? Journey{} : found->second;
}

std::map<std::string, std::uint64_t> Tally::refused_of(const std::string& journey) const {
    const std::scoped_lock lock{mutex_};
    const auto found = refused_.find(journey);
    return found == refused_.end() ? std::map<std::string, std::uint64_t>{} : found->second;
}

void Tally::refused(actors::Partition partition, const std::vector<actors::RefusalCount>& counts) {
    Metrics::refused(partition, counts);
    const std::scoped_lock lock{mutex_};
    for (const auto& count : counts) refused_[count.journey][count.reason] += count.count;
}

std::uint64_t Tally::active() const {
    std::uint64_t all = 0;
    for (const auto& active : active_by_) all += active;
    return all;
}

void Tally::records(actors::Partition partition, const actors::AppliedCounts& counts) {
    Metrics::records(partition, counts);
    applied_ += counts.applied + counts.late;
}

void Tally::flushed(const actors::FlushRequest& request, journeys::Duration took) {
    if (listen_) listen_(request);
    Metrics::flushed(request, took);
    for (const auto& write : request.customers) {
        for (const auto& effect : write.effects) {
            const auto* entry = std::get_if<journeys::TimelineEntry>(&effect);
            if (!entry || entry->journey.empty()) continue;
            {
                const std::scoped_lock lock{mutex_};
                auto& journey = journeys_[entry->journey];
                switch (entry->kind) {
                case journeys::EntryKind::enter: ++journey.entered; break;
                case journeys::EntryKind::send: ++journey.sent; break;
                case journeys::EntryKind::suppress: ++journey.held_back; break;
                case journeys::EntryKind::exit:
                case journeys::EntryKind::end: ++journey.ended; break;
                default: break;
                }
            }
            if (entry->kind == journeys::EntryKind::suppress)
                if (const auto why = failure_text(entry->data, false); !why.empty())
                    log_.repeated_warning("a message was left out for an error: " + entry->journey +
                                              " › " + entry->step + ", " + entry->reason + why,
                                          {});
            if (!show_) continue;
            if (const auto line = trigger_line(write.customer, *entry, zone_); !line.empty())
                show_(line);
        }
    }
}

void Tally::flush_failed(actors::Partition partition, const journeys::Error& error) {
    Metrics::flush_failed(partition, error);
    log_.repeated_warning("a flush failed and is tried again",
                          {{"partition", partition}, {"why", error.detail}});
}

void Tally::broke(std::string_view fault) {
    log_.repeated_warning("a request could not be answered", {{"why", fault}});
}

void Tally::write_refused(actors::Partition partition, const journeys::CustomerId& customer,
                          const journeys::Error& error) {
    Metrics::write_refused(partition, customer, error);
    log_.repeated_warning(
        "what a customer has become is refused by the storage, and tried again",
        {{"partition", partition}, {"customer", log_text(customer)}, {"why", error.detail}});
}

void Tally::parked(actors::Partition partition, const actors::ParkedRecord& record) {
    Metrics::parked(partition, record);
    log_.repeated_warning(
        "a record was parked",
        {{"partition", partition}, {"offset", record.offset}, {"why", record.reason}});
}

void Tally::customers(actors::Partition partition, std::uint64_t active, std::uint64_t loading) {
    Metrics::customers(partition, active, loading);
    active_by_.at(partition) = active;
}

void Tally::partition_state(actors::Partition partition, std::string_view state,
                            std::string_view why) {
    Metrics::partition_state(partition, state, why);
    if (why.empty())
        log_.debug("partition", {{"partition", partition}, {"state", state}});
    else
        log_.warning("partition", {{"partition", partition}, {"state", state}, {"why", why}});
}

void Tally::channel(std::string_view name, const actors::ChannelCounts& counts) {
    Metrics::channel(name, counts);
    Channel before;
    {
        const std::scoped_lock lock{mutex_};
        auto known = channels_.find(name);
        if (known == channels_.end()) known = channels_.emplace(name, Channel{}).first;
        before = std::exchange(known->second, {counts.breaker_open, counts.dead});
    }
    // A breaker stays open for seconds, so these are few.
    if (counts.breaker_open && !before.breaker_is_open)
        log_.warning("a channel's calls fail, and its breaker opens",
                     {{"channel", name}, {"why", loggable(counts.last_failure)}});
    if (!counts.breaker_open && before.breaker_is_open)
        log_.info("a channel's breaker closes", {{"channel", name}});
    if (counts.dead > before.set_aside)
        log_.repeated_warning("messages of " + std::string{name} +
                                  " are set aside, until retry-dead or their end",
                              {{"set_aside", counts.dead}, {"why", loggable(counts.last_failure)}});
}

void Tally::called(std::string_view channel, const actors::ProviderOutcome& outcome,
                   journeys::Duration since_opened) {
    using Kind = actors::ProviderOutcome::Kind;
    Metrics::called(channel, outcome, since_opened);
    if (outcome.stops_channel && stop_) stop_(std::string{channel});
    if (outcome.kind != Kind::retry && outcome.kind != Kind::unknown) return;
    log_.repeated_warning(
        "a call of " + std::string{channel} +
            (outcome.kind == Kind::retry ? " came to nothing" : " has an unknown end"),
        {{"why", loggable(outcome.detail)}});
}

} // namespace runtime
