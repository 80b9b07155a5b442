#include "journeys/packed.hpp"
#include "runtime/metrics.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

TEST_CASE("what the service does is counted under the promised names", "[metrics]") {
    runtime::Metrics metrics{2};
    metrics.accepted(3);
    metrics.rejected(schema::RejectReason::no_identity, 1);
    metrics.failed(401);
    metrics.failed(401);
    metrics.acked(1, 3ms);
    runtime::Taken taken;
    taken.links = 2;
    taken.refused_links = 1;
    taken.clocks[static_cast<std::size_t>(schema::Clock::nonsense)] = 4;
    metrics.took(taken);
    metrics.records(0, {.applied = 5, .duplicate = 2});
    metrics.customers(0, 10, 0);
    metrics.customers(1, 5, 0);
    metrics.customers(0, 7, 0);
    metrics.position(0, 100, 90);
    metrics.timers(0, 1, 20ms);

    actors::FlushRequest flush;
    auto& customer = flush.customers.emplace_back();
    customer.effects.emplace_back(
        journeys::TimelineEntry{.kind = journeys::EntryKind::enter, .journey = "cart"});
    journeys::TimelineEntry suppressed{.kind = journeys::EntryKind::suppress, .journey = "cart"};
    suppressed.reason = "consent";
    customer.effects.emplace_back(suppressed);
    using journeys::EntryKind;
    journeys::TimelineEntry decided{.kind = EntryKind::decide, .journey = "cart"};
    decided.reason = "gift";
    journeys::TimelineEntry rewarded{.kind = EntryKind::reward};
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("action");
    writer.string("gift");
    writer.end_map(mark, 1);
    rewarded.data = writer.take();
    auto undone = rewarded, part = rewarded;
    undone.kind = part.kind = EntryKind::take_back;
    undone.reason = "whole";
    part.reason = "part";
    for (const auto& entry : {decided, rewarded, rewarded, undone, part})
        customer.effects.emplace_back(entry);
    metrics.flushed(flush, 12ms);

    const auto text = metrics.text();
    for (const auto* line :
         {"sojourn_ingested_total{result=\"accepted\"} 3",
          "sojourn_ingested_total{result=\"rejected\"} 1",
          "sojourn_rejected_total{reason=\"no_identity\"} 1",
          "sojourn_http_errors_total{status=\"401\"} 2",
          "sojourn_event_clock_total{clock=\"nonsense\"} 4",
          "sojourn_links_total{result=\"made\"} 2",
          "sojourn_links_total{result=\"refused\"} 1",
          "sojourn_applied_total{result=\"applied\"} 5",
          "sojourn_applied_total{result=\"duplicate\"} 2",
          "sojourn_active_customers 12",
          "sojourn_lag_events 10",
          "sojourn_open_runs{journey=\"cart\"} 1",
          "sojourn_runs_total{event=\"entered\",journey=\"cart\",reason=\"\"} 1",
          "sojourn_suppressed_total{journey=\"cart\",reason=\"consent\"} 1",
          "sojourn_decisions_total{action=\"gift\",journey=\"cart\"} 1",
          "sojourn_decision_rewards_total{action=\"gift\",result=\"rewarded\"} 2",
          "sojourn_decision_rewards_total{action=\"gift\",result=\"taken_back\"} 1",
          "sojourn_ack_seconds_count 1",
          "sojourn_flush_seconds_count 1",
          "sojourn_timer_lateness_seconds_count 1",
          "sojourn_trigger_seconds_count 0"}) {
        INFO(text);
        CHECK_THAT(text, Catch::Contains(line));
    }
}

TEST_CASE("labels that never end are one label", "[metrics]") {
    runtime::Metrics metrics{1};
    for (std::size_t i = 0; i < 2 * runtime::Metrics::labels_max; ++i)
        metrics.called("channel-" + std::to_string(i),
                       {.kind = actors::ProviderOutcome::Kind::accepted}, 1ms);
    const auto text = metrics.text();
    CHECK_THAT(text,
               Catch::Contains("sojourn_intents_total{channel=\"other\",state=\"other\"} 500"));
    CHECK_THAT(text, !Catch::Contains("channel-501"));
}
