#include "runtime/metrics.hpp"

#include "journeys/packed.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <vector>

namespace runtime {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

double seconds(std::chrono::nanoseconds span) {
    return std::chrono::duration<double>(span).count();
}

/// From half a millisecond, where an ack is fast, to the minute that a full stop takes.
const Histogram::BucketBoundaries fast{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                       0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
/// A trigger may also wait: for quiet hours, or a provider that is down.
const Histogram::BucketBoundaries slow{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,
                                       2.5,   5,    10,    30,   60,  300,  1800, 7200};

/// Series of one metric, found again by the values of their labels.
template <class Metric> class Labelled {
public:
    Labelled(prometheus::Family<Metric>& family, std::vector<std::string> names)
        : family_(family), names_(std::move(names)) {}

    Metric& at(std::vector<std::string> values) {
        const std::lock_guard lock{mutex_};
        if (const auto known = series_.find(values); known != series_.end()) return *known->second;
        if (series_.size() >= Metrics::labels_max) {
            values.assign(names_.size(), "other");
            if (const auto known = series_.find(values); known != series_.end())
                return *known->second;
        }
        prometheus::Labels labels;
        for (std::size_t i = 0; i < names_.size(); ++i) labels.emplace(names_[i], values[i]);
        auto& metric = family_.Add(labels);
        series_.emplace(std::move(values), &metric);
        return metric;
    }

private:
    prometheus::Family<Metric>& family_;
    std::vector<std::string> names_;
    std::mutex mutex_;
    std::map<std::vector<std::string>, Metric*> series_;
};

/// A number per partition, shown as their sum.
class Sum {
public:
    Sum(Gauge& gauge, std::size_t partitions) : gauge_(gauge), parts_(partitions) {}
    void set(std::size_t partition, std::uint64_t value) {
        if (partition >= parts_.size()) return;
        const auto before = parts_[partition].exchange(value);
        gauge_.Increment(static_cast<double>(value) - static_cast<double>(before));
    }

private:
    Gauge& gauge_;
    std::vector<std::atomic<std::uint64_t>> parts_;
};

} // namespace

struct Metrics::Series {
    explicit Series(std::size_t partitions)
        : active(gauge("active_customers", "Customers held in memory."), partitions),
          lag(gauge("lag_events", "Records received and not yet flushed."), partitions) {
        for (const auto reason : schema::all_reject_reasons)
            rejected_by[static_cast<std::size_t>(reason)] =
                &rejected.Add({{"reason", std::string{schema::to_text(reason)}}});
        for (const auto clock : schema::all_clocks)
            clocks_by[static_cast<std::size_t>(clock)] =
                &clocks.Add({{"clock", std::string{schema::to_text(clock)}}});
    }

    prometheus::Family<Counter>& counters(const char* name, const char* help) {
        return prometheus::BuildCounter()
            .Name(std::string{"sojourn_"} + name)
            .Help(help)
            .Register(registry);
    }
    prometheus::Family<Gauge>& gauges(const char* name, const char* help) {
        return prometheus::BuildGauge()
            .Name(std::string{"sojourn_"} + name)
            .Help(help)
            .Register(registry);
    }
    Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }
    Histogram& histogram(const char* name, const char* help,
                         const Histogram::BucketBoundaries& bounds) {
        return prometheus::BuildHistogram()
            .Name(std::string{"sojourn_"} + name)
            .Help(help)
            .Register(registry)
            .Add({}, bounds);
    }

    static std::string action_of(const journeys::TimelineEntry& entry) {
        const auto action = journeys::PackedView{entry.data}.string_at("action");
        return action.empty() ? "nothing" : std::string{action};
    }

    void count(const journeys::TimelineEntry& entry) {
        using journeys::EntryKind;
        const auto run = [&](const char* event, const char* reason) {
            runs.at({entry.journey, event, reason}).Increment();
        };
        // Other kinds tell of steps within a run; `runs_total` is about its beginning and its end.
        if (entry.kind == EntryKind::enter) {
            run("entered", "");
            open_runs.at({entry.journey}).Increment();
        } else if (entry.kind == EntryKind::exit) {
            run("exited", entry.reason.c_str());
        } else if (entry.kind == EntryKind::end) {
            run("completed", entry.reason.c_str());
        } else if (entry.kind == EntryKind::suppress) {
            suppressed.at({entry.journey, entry.reason}).Increment();
        } else if (entry.kind == EntryKind::decide) {
            decisions.at({entry.journey, entry.reason}).Increment();
        } else if (entry.kind == EntryKind::reward) {
            rewards.at({action_of(entry), "rewarded"}).Increment();
        } else if (entry.kind == EntryKind::take_back && entry.reason == "whole") {
            rewards.at({action_of(entry), "taken_back"}).Increment();
        }
        if (entry.kind == EntryKind::exit || entry.kind == EntryKind::end)
            open_runs.at({entry.journey}).Decrement();
    }

    prometheus::Registry registry;

    prometheus::Family<Counter>& ingested =
        counters("ingested_total", "Messages of producers; accepted ones are durable.");
    Counter& accepted = ingested.Add({{"result", "accepted"}});
    Counter& refused = ingested.Add({{"result", "rejected"}});
    prometheus::Family<Counter>& rejected =
        counters("rejected_total", "Messages and frames refused at the door.");
    std::array<Counter*, schema::all_reject_reasons.size()> rejected_by{};
    Labelled<Counter> http_errors{
        counters("http_errors_total", "Requests answered with 4xx or 5xx, whatever the path."),
        {"status"}};
    prometheus::Family<Counter>& clocks =
        counters("event_clock_total", "Accepted messages, by how their event came by its time.");
    std::array<Counter*, schema::all_clocks.size()> clocks_by{};
    prometheus::Family<Counter>& links =
        counters("links_total", "Ids shown to be of one customer; refused: one had too many.");
    Counter& links_made = links.Add({{"result", "made"}});
    Counter& links_refused = links.Add({{"result", "refused"}});

    prometheus::Family<Counter>& applied =
        counters("applied_total", "Records, by what became of them.");
    Counter& applied_applied = applied.Add({{"result", "applied"}});
    Counter& applied_duplicate = applied.Add({{"result", "duplicate"}});
    Counter& applied_late = applied.Add({{"result", "late"}});
    Counter& applied_parked = applied.Add({{"result", "parked"}});
    Counter& applied_forwarded = applied.Add({{"result", "forwarded"}});

    Labelled<Counter> runs{
        counters("runs_total", "Runs of journeys entered, exited and completed."),
        {"journey", "event", "reason"}};
    Labelled<Counter> refusals{
        counters("no_entry_total", "Events that a journey named and that opened no run, and why."),
        {"journey", "reason"}};
    Labelled<Gauge> open_runs{gauges("open_runs", "Runs entered less runs ended, since the start."),
                              {"journey"}};
    Labelled<Counter> intents{
        counters("intents_total", "Messages to send, by the state they came to."),
        {"channel", "state"}};
    Labelled<Counter> suppressed{counters("suppressed_total", "Messages not sent, and why."),
                                 {"journey", "reason"}};
    Labelled<Counter> decisions{
        counters("decisions_total", "Decisions, by journey (none: the shop asked) and action."),
        {"journey", "action"}};
    Counter& decisions_lost =
        counters("decisions_lost_total", "Decisions answered at once that could not be stored.")
            .Add({});
    Labelled<Counter> rewards{
        counters("decision_rewards_total", "Rewards of decisions, and those taken back again."),
        {"action", "result"}};
    Labelled<Gauge> channels{gauges("channel_intents", "Where a channel's intents stand."),
                             {"channel", "state"}};
    Labelled<Gauge> coupons{gauges("coupons_left", "Codes that a pool still has to give."),
                            {"pool"}};
    Labelled<Gauge> watched_sends{
        gauges("watched_sends", "Messages that a watched journey handed over in 24 hours."),
        {"journey"}};
    Labelled<Gauge> watched_shares{gauges("watched_suppressed_share",
                                          "Of a watched journey's messages of 24 hours, the share "
                                          "not sent; the held-out apart."),
                                   {"journey"}};
    Labelled<Gauge> alarms{
        gauges("watch_alarm", "1 while a watched journey does not do what is expected of it."),
        {"journey", "alarm"}};
    Labelled<Gauge> breakers{gauges("channel_breaker_open", "1 while a channel's breaker is open."),
                             {"channel"}};

    Histogram& ack = histogram("ack_seconds", "From a frame's last byte to its ack.", fast);
    Histogram& flush = histogram("flush_seconds", "One flush of states and effects.", fast);
    Histogram& trigger =
        histogram("trigger_seconds", "From the opened intent to the request's sending.", slow);
    Histogram& lateness = histogram("timer_lateness_seconds", "How late timers fired.", slow);
    Counter& failures =
        counters("flush_failures_total", "Flushes that failed and are tried again.").Add({});
    Counter& refused_writes =
        counters("refused_writes_total",
                 "Times that PostgreSQL refused what a single customer has become. Others go on.")
            .Add({});
    Gauge& open_walks =
        gauge("walks_open", "Events on their way to many customers, 64 at most are counted.");
    prometheus::Family<Counter>& copies =
        counters("walk_copies_total", "Events that were copied to one of many customers.");
    Counter& audience_copies = copies.Add({{"of", "audience"}});
    Counter& product_copies = copies.Add({{"of", "product"}});
    Gauge& open_connections = gauge("connections", "Connections of producers and operators.");
    Sum active, lag;
};

Metrics::Metrics(actors::Partition partitions) : series_(std::make_unique<Series>(partitions)) {}

Metrics::~Metrics() = default;

std::string Metrics::text() const {
    return prometheus::TextSerializer{}.Serialize(series_->registry.Collect());
}

void Metrics::records(actors::Partition, const actors::AppliedCounts& counts) {
    const auto add = [](Counter& counter, std::uint32_t value) {
        if (value != 0) counter.Increment(value);
    };
    add(series_->applied_applied, counts.applied);
    add(series_->applied_duplicate, counts.duplicate);
    add(series_->applied_late, counts.late);
    add(series_->applied_parked, counts.parked);
    add(series_->applied_forwarded, counts.forwarded);
}

void Metrics::refused(actors::Partition, const std::vector<actors::RefusalCount>& counts) {
    for (const auto& count : counts)
        series_->refusals.at({count.journey, count.reason})
            .Increment(static_cast<double>(count.count));
}

void Metrics::flushed(const actors::FlushRequest& request, journeys::Duration took) {
    series_->flush.Observe(seconds(took));
    for (const auto& customer : request.customers)
        for (const auto& effect : customer.effects) {
            if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect))
                series_->count(*entry);
            else if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect))
                series_->intents.at({opened->channel, "opened"}).Increment();
        }
}

void Metrics::decision_lost() { series_->decisions_lost.Increment(); }

void Metrics::flush_failed(actors::Partition, const journeys::Error&) {
    series_->failures.Increment();
}

void Metrics::write_refused(actors::Partition, const journeys::CustomerId&,
                            const journeys::Error&) {
    series_->refused_writes.Increment();
}

void Metrics::customers(actors::Partition partition, std::uint64_t active, std::uint64_t) {
    series_->active.set(partition, active);
}

void Metrics::timers(actors::Partition, std::uint64_t woken, journeys::Duration latest) {
    if (woken != 0) series_->lateness.Observe(seconds(latest));
}

void Metrics::position(actors::Partition partition, std::uint64_t received,
                       std::uint64_t watermark) {
    series_->lag.set(partition, received > watermark ? received - watermark : 0);
}

void Metrics::channel(std::string_view name, const actors::ChannelCounts& counts) {
    const auto show = [&](const char* state, std::uint64_t value) {
        series_->channels.at({std::string{name}, state}).Set(static_cast<double>(value));
    };
    show("queued", counts.queued);
    show("calling", counts.calling);
    show("backing_off", counts.backing_off);
    show("settling", counts.settling);
    show("dead", counts.dead);
    series_->breakers.at({std::string{name}}).Set(counts.breaker_open ? 1 : 0);
}

void Metrics::called(std::string_view channel, const actors::ProviderOutcome& outcome,
                     journeys::Duration since_opened) {
    using Kind = actors::ProviderOutcome::Kind;
    const auto state = [&] {
        switch (outcome.kind) {
        case Kind::accepted: return "accepted";
        case Kind::rejected: return "rejected";
        case Kind::retry: return "retry";
        case Kind::unknown: return "unknown";
        }
        return "unknown";
    }();
    series_->intents.at({std::string{channel}, state}).Increment();
    series_->trigger.Observe(seconds(since_opened));
}

void Metrics::walks(std::uint64_t open) { series_->open_walks.Set(static_cast<double>(open)); }

void Metrics::copied(const actors::Walk& walk, std::uint64_t copies) {
    auto& counter = walk.product.empty() ? series_->audience_copies : series_->product_copies;
    counter.Increment(static_cast<double>(copies));
}

void Metrics::coupons_left(const std::string& pool, std::int64_t left) {
    series_->coupons.at({pool}).Set(static_cast<double>(left));
}

void Metrics::watched(const std::string& journey, std::uint64_t sent, double share_not_sent,
                      std::string_view alarm) {
    series_->watched_sends.at({journey}).Set(static_cast<double>(sent));
    series_->watched_shares.at({journey}).Set(share_not_sent);
    for (const char* kind : {"silent", "flooding", "suppressed"})
        series_->alarms.at({journey, kind}).Set(alarm == kind ? 1 : 0);
}

void Metrics::accepted(std::size_t messages) {
    series_->accepted.Increment(static_cast<double>(messages));
}

void Metrics::rejected(schema::RejectReason reason, std::size_t messages) {
    series_->refused.Increment(static_cast<double>(messages));
    const auto place = static_cast<std::size_t>(reason);
    if (place < series_->rejected_by.size())
        series_->rejected_by[place]->Increment(static_cast<double>(messages));
}

void Metrics::failed(int status) { series_->http_errors.at({std::to_string(status)}).Increment(); }

void Metrics::acked(std::size_t, std::chrono::nanoseconds slowest) {
    series_->ack.Observe(seconds(slowest));
}

void Metrics::took(const Taken& taken) {
    for (std::size_t i = 0; i < taken.clocks.size(); ++i)
        if (taken.clocks[i] > 0)
            series_->clocks_by[i]->Increment(static_cast<double>(taken.clocks[i]));
    if (taken.links > 0) series_->links_made.Increment(static_cast<double>(taken.links));
    if (taken.refused_links > 0)
        series_->links_refused.Increment(static_cast<double>(taken.refused_links));
}

void Metrics::connections(std::int64_t open) {
    series_->open_connections.Set(static_cast<double>(open));
}

} // namespace runtime
