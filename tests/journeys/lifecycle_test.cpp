/// Stages, scores and journeys by churn risk, as stories; and win-back over all of CDNOW.
#include "support/story.hpp"
#include "tests/support/cdnow.hpp"

#include "journeys/cel/program.hpp"
#include "schema/journey_yaml.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace support;
using journeys::EntryKind;
using journeys::Stage;
using Lines = std::vector<std::string>;

namespace {

/// MBG/NBD and Gamma-Gamma as fitted to CDNOW's sample.
journeys::models::ModelSet cdnow_models() {
    journeys::models::ModelSet models;
    models.version = 7;
    models.purchases.purchases = journeys::models::BgNbd{
        .r = .524843, .alpha = 6.183085, .a = .891359, .b = 1.614002, .modified = true};
    models.purchases.spend =
        journeys::models::GammaGamma{.p = 6.24957, .q = 3.74422, .v = 15.44352};
    models.cuts.vip_clv = 150;
    models.cuts.has_rfm = true;
    models.cuts.recency_days = {10, 40, 90, 200};
    models.cuts.orders = {2, 3, 4, 6};
    models.cuts.spend = {20, 50, 100, 200};
    return models;
}

journeys::models::ModelSetPtr shared(journeys::models::ModelSet models) {
    return std::make_shared<const journeys::models::ModelSet>(std::move(models));
}

const std::string win_back = R"(
id: win-back
status: live
enter: { on_churn_risk: 0.5, reentry: always }
exit: { on: Order Completed, reason: bought }
steps:
  - name: missed
    send:
      channel: email
      template: win-back
      topic: offers
      data:
        risk: customer.churn_risk
        said: run.event.properties.risk
  - name: patience
    wait: { until_churn_risk: 0.9, at_most: 520w }
  - name: last-word
    send: { channel: email, template: win-back-last, topic: offers }
)";

/// Says on the timeline what the stage became.
const std::string watcher = R"(
id: watcher
status: live
enter: { on: Stage Changed, reentry: always }
steps:
  - name: note
    update: { set: { stage: customer.stage, from: run.event.properties.from, cause: run.event.properties.cause } }
)";

std::string order(int number, double value = 30) {
    return R"({"order_id":"o-)" + std::to_string(number) + R"(","currency":"EUR","revenue":)" +
           std::to_string(value) + "}";
}

std::vector<std::string> stages(const Story& story) {
    std::vector<std::string> all;
    for (const auto& entry : story.entries())
        if (entry.kind == EntryKind::stage) all.push_back(entry.reason);
    return all;
}

journeys::Event order_event(const journeys::CustomerId& customer, std::uint64_t number,
                            const CdnowOrder& order) {
    journeys::Event event;
    event.message_hash = number;
    event.name = "Order Completed";
    event.ids = {customer};
    event.time = event.written = midnight(order.day);
    journeys::PackedWriter writer;
    const auto map = writer.begin_map();
    writer.key("order_id");
    writer.string(std::to_string(number));
    writer.key("revenue");
    writer.floating(order.spend.to_double());
    writer.end_map(map, 2);
    event.properties = writer.take();
    return event;
}

Timestamp rises(const journeys::Customer& customer, double risk) {
    return *journeys::rises_at(cdnow_models(), customer.purchases, risk);
}

} // namespace

TEST_CASE("a stage is always one of six, and each change is said once, with its cause",
          "[lifecycle]") {
    Story story{{watcher}};
    story.use_models(shared(cdnow_models()));
    story.track("ada", "Product Viewed", monday);
    CHECK(story.customer("ada").lifecycle.stage == Stage::prospect);
    story.track("ada", "Order Completed", monday + 1h, order(1));
    CHECK(stages(story) == Lines{"prospect → new (order)"});
    story.track("ada", "Order Completed", monday + 7 * 24h, order(2));
    CHECK(stages(story).back() == "new → active (order)");
    story.track("ada", "Order Completed", monday + 14 * 24h, order(3));
    CHECK(stages(story).size() == 2);

    const auto& policy = journeys::StagePolicy{};
    const auto at_risk = journeys::next_stage_at(cdnow_models(), story.customer("ada").purchases,
                                                 policy, monday + 14 * 24h);
    const auto lapsed = rises(story.customer("ada"), policy.lapsed);
    CHECK(at_risk < lapsed);
    story.until(at_risk - 1ms);
    CHECK(stages(story).size() == 2);
    story.until(at_risk);
    CHECK(stages(story).back() == "active → at_risk (time)");
    story.until(lapsed - 1ms);
    CHECK(stages(story).size() == 3);
    story.until(lapsed);
    CHECK(stages(story).back() == "at_risk → lapsed (time)");
    story.until(lapsed + 24h * 700);
    CHECK(stages(story).size() == 4);

    story.track("ada", "Order Completed", lapsed + 24h * 700, order(4));
    CHECK(stages(story).back() == "lapsed → reactivated (order)");
    story.track("ada", "Order Completed", lapsed + 24h * 702, order(5));
    CHECK(stages(story).back() == "reactivated → active (order)");
    CHECK(story.happened(EntryKind::update).size() ==
          stages(story).size()); // The watcher heard of each.

    SECTION("cancelling all that was bought makes a prospect again") {
        for (int i = 1; i <= 5; ++i)
            story.track("ada", "Order Cancelled", lapsed + 24h * 703,
                        R"({"order_id":"o-)" + std::to_string(i) + "\"}");
        CHECK(story.customer("ada").lifecycle.stage == Stage::prospect);
        CHECK(story.customer("ada").purchases.empty());
        CHECK(story.customer("ada").lifecycle.due == journeys::no_time);
    }
}

TEST_CASE("history that is told while models are loaded opens what silence opens, once and today",
          "[lifecycle]") {
    Story story{{win_back, watcher}};
    story.use_models(shared(cdnow_models()));
    const auto today = monday + 24h * 300;
    for (int i = 1; i <= 4; ++i)
        story.track_late("ada", "Order Completed", monday + 24h * 7 * i, today + 1s * i, order(i));
    CHECK(stages(story).empty());
    CHECK(story.happened(EntryKind::enter).empty());
    story.until(today + 5min);
    CHECK(stages(story).empty());
    story.until(today + 5min + 1s);
    CHECK(stages(story) == Lines{"prospect → lapsed (time)"});
    REQUIRE(story.happened(EntryKind::send).size() == 1); // Of today: it has not expired.
    CHECK(story.last_at(EntryKind::send) == today + 5min + 1s);
    CHECK(story.happened(EntryKind::suppress).empty());

    // Who has ordered a week ago, as that history ends, is no one who came back.
    for (int i = 1; i <= 2; ++i)
        story.track_late("bob", "Order Completed", today - 24h * (21 - 7 * i), today + 1h + 1s * i,
                         order(10 + i));
    story.until(today + 2h);
    CHECK(story.customer("bob").lifecycle.stage == Stage::active);
    CHECK(stages(story).back() == "prospect → active (time)");
}

TEST_CASE("becomes sees a stage that time has brought, and one that a model brings",
          "[lifecycle]") {
    Story story{{greeting("gone", R"(becomes: customer.stage == "lapsed", reentry: always)")}};
    const auto lapses = [&] { return rises(story.customer("ada"), .8); };
    SECTION("time") {
        story.use_models(shared(cdnow_models()));
        for (int i = 0; i < 3; ++i)
            story.track("ada", "Order Completed", monday + i * 7 * 24h, order(i));
        story.until(lapses() - 1ms);
        CHECK(story.happened(EntryKind::enter).empty());
        SECTION("at its timer") {
            story.until(lapses());
            CHECK(story.happened(EntryKind::enter) == Lines{"enter gone"});
        }
        SECTION("which an event may be behind of") {
            story.track("ada", "Page Viewed", lapses() + 1h);
            CHECK(story.happened(EntryKind::enter) == Lines{"enter gone"});
        }
        story.track("ada", "Page Viewed", lapses() + 24h);
        CHECK(story.happened(EntryKind::enter).empty());
    }
    SECTION("a model") {
        for (int i = 0; i < 3; ++i)
            story.track("ada", "Order Completed", monday + i * 7 * 24h, order(i));
        story.use_models(shared(cdnow_models()));
        story.wake_all(monday + 700 * 24h);
        CHECK(story.happened(EntryKind::enter) == Lines{"enter gone"});
        story.track("ada", "Page Viewed", monday + 701 * 24h);
        CHECK(story.happened(EntryKind::enter).empty());
    }
}

TEST_CASE("without a purchase a stage gets better only by more than the hysteresis",
          "[lifecycle]") {
    const auto models = cdnow_models();
    journeys::models::Purchases purchases;
    for (const int day : {20'000, 20'030, 20'060}) journeys::models::add_order(purchases, day, {});
    const journeys::StagePolicy policy{
        .at_risk = .5, .lapsed = .8, .overdue = .999, .hysteresis = .1};
    const auto at = [&](double risk) { return *journeys::rises_at(models, purchases, risk); };
    const auto stage = [&](journeys::Timestamp now, Stage before) {
        return journeys::stage_at(models, purchases, policy, now, before, false);
    };
    CHECK(stage(at(.45), Stage::active) == Stage::active);
    CHECK(stage(at(.45), Stage::at_risk) == Stage::at_risk);
    CHECK(stage(at(.39), Stage::at_risk) == Stage::active);
    CHECK(stage(at(.75), Stage::lapsed) == Stage::lapsed);
    CHECK(stage(at(.69), Stage::lapsed) == Stage::at_risk);
    CHECK(stage(at(.75), Stage::at_risk) == Stage::at_risk);
    // A purchase needs no margin.
    CHECK(journeys::stage_at(models, purchases, policy, at(.39), Stage::lapsed, true) ==
          Stage::reactivated);
}

namespace {

const std::string scores = R"(
id: scores
status: live
enter: { on: Order Completed, reentry: always }
steps:
  - name: scores
    update:
      set:
        risk: customer.churn_risk
        alive: customer.p_alive
        clv: customer.clv
        orders: customer.expected_orders_90d
        stage: customer.stage
        vip: customer.vip
        rfm: customer.rfm
        next: customer.expected_next_order_at
)";

/// Of `ada`, as `scores` has set it.
journeys::PackedView trait(const Story& story, std::string_view name) {
    return journeys::PackedView{story.customer("ada").traits}.find(name);
}

} // namespace

TEST_CASE("scores come alive in expressions when models are loaded, and are null before",
          "[lifecycle]") {
    Story story{{scores}};
    story.track("ada", "Order Completed", monday, order(1));
    CHECK(trait(story, "risk").kind() == journeys::PackedKind::null);
    CHECK(trait(story, "stage").kind() == journeys::PackedKind::null);
    story.use_models(shared(cdnow_models()));
    story.track("ada", "Order Completed", monday + 24h * 30, order(2, 200));

    const auto models = cdnow_models();
    const auto history = story.customer("ada").purchases.history(monday + 24h * 30);
    CHECK(history.x == 1);
    CHECK(history.z == 200);
    CHECK(trait(story, "alive").as_double() == Approx(*models.purchases.p_alive(history)));
    CHECK(trait(story, "risk").as_double() == Approx(1 - *models.purchases.p_alive(history)));
    CHECK(trait(story, "clv").as_double() == Approx(*models.purchases.clv(history)));
    CHECK(trait(story, "orders").as_double() ==
          Approx(models.purchases.expected_orders(history, 90 / 7.0)));
    CHECK(trait(story, "stage").as_string() == "active");
    CHECK(trait(story, "vip").as_bool());
    CHECK(trait(story, "rfm").as_string() == "525");
}

TEST_CASE("who buys in another currency than the workspace's or the models' has a rhythm and no "
          "value",
          "[lifecycle]") {
    const auto story_in = [](const std::string& workspace, const std::string& fitted) {
        journeys::Settings settings;
        settings.all_live = settings.assume_permission = true;
        settings.currency = workspace;
        auto models = cdnow_models();
        models.currency = fitted;
        auto story =
            std::make_unique<Story>(std::vector{scores}, std::optional{std::move(settings)});
        story->use_models(shared(std::move(models)));
        story->track("ada", "Order Completed", monday, order(1)); // EUR
        story->track("ada", "Order Completed", monday + 24h * 30, order(2, 200));
        return story;
    };
    for (const auto& [workspace, fitted] :
         {std::pair{"", ""}, {"EUR", ""}, {"", "EUR"}, {"EUR", "EUR"}}) {
        const auto told = story_in(workspace, fitted);
        const auto& story = *told;
        CHECK(trait(story, "clv").as_double() > 150);
        CHECK(trait(story, "vip").as_bool());
        CHECK(trait(story, "rfm").as_string() == "525");
    }
    for (const auto& [workspace, fitted] :
         {std::pair{"USD", ""}, {"", "USD"}, {"EUR", "USD"}, {"USD", "EUR"}}) {
        const auto told = story_in(workspace, fitted);
        const auto& story = *told;
        CHECK(trait(story, "clv").is_null());
        CHECK_FALSE(trait(story, "vip").as_bool());
        CHECK(trait(story, "rfm").is_null());
        CHECK(trait(story, "risk").as_double() > 0);
        CHECK(trait(story, "stage").as_string() == "active");
    }
}

TEST_CASE("a journey opens when the risk rises above its threshold, once in a silence",
          "[lifecycle]") {
    Story story{{win_back}};
    story.use_models(shared(cdnow_models()));
    story.track("ada", "Order Completed", monday, order(1));
    story.track("ada", "Order Completed", monday + 24h * 20, order(2));
    const auto at = rises(story.customer("ada"), .5);
    story.until(at - 1ms);
    CHECK(story.happened().empty());
    story.until(at);
    CHECK(story.happened() == Lines{"enter win-back", "send win-back/missed"});
    CHECK(story.last_at(EntryKind::enter) == at);
    const auto last = rises(story.customer("ada"), .9);
    story.until(last - 1ms);
    CHECK(story.happened().empty());
    story.until(last);
    CHECK(story.happened() == Lines{"send win-back/last-word", "end win-back/last-word completed"});
    story.until(last + 24h * 900);
    CHECK(story.happened().empty());

    SECTION("a purchase begins another silence") {
        story.track("ada", "Order Completed", last + 24h, order(3));
        const auto again = rises(story.customer("ada"), .5);
        CHECK(again > last + 24h);
        story.until(again);
        CHECK(story.happened() == Lines{"enter win-back", "send win-back/missed"});
        story.track("ada", "Order Completed", again + 24h, order(4));
        CHECK(story.happened() == Lines{"exit win-back/patience bought"});
    }
    SECTION("a purchase that is cancelled does not open it twice") {
        story.track("ada", "Order Completed", last + 24h, order(3));
        story.track("ada", "Order Cancelled", last + 25h, R"({"order_id":"o-3"})");
        story.until(last + 24h * 30);
        CHECK(story.happened(EntryKind::enter).empty()); // It is the same silence again.
    }
}

TEST_CASE("a wait for a risk moves with a purchase and with another model", "[lifecycle]") {
    const std::string waits = R"(
id: waits
status: live
enter: { on: Order Completed, reentry: never }
steps:
  - name: silence
    wait: { until_churn_risk: 0.6 }
  - name: missed
    send: { channel: email, template: win-back, topic: offers }
)";
    Story story{{waits}};
    story.track("ada", "Order Completed", monday, order(1));
    story.until(monday + 24h * 2000);
    CHECK(story.happened(EntryKind::send).empty()); // Without a model nothing ends it.
    story.track("ada", "Order Completed", monday + 24h * 2000, order(2));
    story.use_models(shared(cdnow_models()));
    story.track("ada", "Product Viewed", monday + 24h * 2001);
    const auto first = rises(story.customer("ada"), .6);
    story.track("ada", "Order Completed", first - 24h, order(3));
    const auto second = rises(story.customer("ada"), .6);
    CHECK(second > first);
    story.until(second - 1ms);
    CHECK(story.happened(EntryKind::send).empty());

    SECTION("the same model") {
        story.until(second);
        CHECK(story.happened(EntryKind::send).size() == 1);
    }
    SECTION("another one, under which it is over already") {
        auto models = cdnow_models();
        std::get<journeys::models::BgNbd>(models.purchases.purchases).a = 50;
        story.use_models(shared(models));
        story.track("ada", "Product Viewed", second - 1ms);
        story.until(second);
        REQUIRE(story.happened(EntryKind::send).size() == 1);
        CHECK(story.last_at(EntryKind::send) == second - 1ms); // Not in the past.
    }
}

TEST_CASE("who has been silent since before is met when a model is published", "[lifecycle]") {
    Story story{{win_back}};
    story.track("ada", "Order Completed", monday, order(1));
    story.until(monday + 24h * 1000);
    CHECK(story.happened().empty());
    story.use_models(shared(cdnow_models()));
    story.wake_all(monday + 24h * 1000);
    REQUIRE(story.happened(EntryKind::enter).size() == 1);
    CHECK(story.last_at(EntryKind::enter) == monday + 24h * 1000);
    story.wake_all(monday + 24h * 1001);
    CHECK(story.happened(EntryKind::enter).empty());
}

TEST_CASE("CDNOW event by event, shuffled, late and twice, gives the batch's purchases",
          "[lifecycle]") {
    const auto path = shared_data("cdnow/CDNOW_master.txt.gz");
    if (!path) return;
    auto orders = cdnow_orders(*path, false);
    const auto batch = cdnow_purchases(orders, cdnow_end);
    std::mt19937 random{21};
    std::ranges::shuffle(orders, random);
    journeys::Settings settings;
    journeys::Reference run{
        std::make_shared<const journeys::Catalog>(1, settings, std::vector<journeys::JourneyPtr>{}),
        nullptr};
    std::uint64_t number = 0;
    auto accepted_at = midnight(cdnow_end); // Months after most of them.
    for (const auto& order : orders) {
        journeys::Record record;
        record.accepted_at = accepted_at += 1ms;
        record.customer = {journeys::IdNamespace::user, order.customer};
        record.body = order_event(record.customer, ++number, order);
        run.take(record);
        if (number % 3 != 0) continue;
        // The same message again, or the same order as a webhook tells of it.
        if (number % 2 == 0) std::get<journeys::Event>(record.body).message_hash += 1'000'000;
        record.accepted_at = accepted_at += 1ms;
        run.take(std::move(record));
    }
    CHECK(run.customers().size() == 23'570);
    std::size_t wrong = 0;
    for (const auto& [id, purchases] : batch) {
        const auto* customer = run.find({journeys::IdNamespace::user, id});
        if (!customer || customer->purchases != purchases)
            if (++wrong <= 3) CHECK(id == "");
    }
    CHECK(wrong == 0);
}

TEST_CASE("win-back over CDNOW: each customer at the closed form's instant, once in each silence",
          "[lifecycle]") {
    const auto path = shared_data("cdnow/CDNOW_master.txt.gz");
    if (!path) return;
    auto orders = cdnow_orders(*path, false);
    std::ranges::stable_sort(orders, {}, &CdnowOrder::day);
    auto loaded = schema::load_journey("win-back.yaml", R"(
id: win-back
status: live
enter: { on_churn_risk: 0.7, reentry: always }
steps:
  - name: missed
    send: { channel: email, template: win-back, topic: offers }
)",
                                       {});
    REQUIRE(loaded.journey);
    const auto models = cdnow_models();
    journeys::Settings settings;
    settings.assume_permission = settings.all_live = true;
    const auto catalog = std::make_shared<const journeys::Catalog>(
        1, settings, std::vector{loaded.journey}, std::vector<journeys::JourneyPtr>{},
        std::map<std::string, std::shared_ptr<const journeys::Template>>{}, shared(models));

    std::map<std::string, std::vector<Timestamp>> entered;
    journeys::Reference run{
        catalog, [&](const journeys::Customer& customer, const journeys::Effect& effect) {
            if (const auto* entry = std::get_if<journeys::TimelineEntry>(&effect))
                if (entry->kind == EntryKind::enter)
                    entered[customer.id.value].push_back(entry->at);
        }};
    std::uint64_t number = 0;
    for (const auto& order : orders) {
        journeys::Record record;
        record.accepted_at = midnight(order.day);
        record.customer = {journeys::IdNamespace::user, order.customer};
        record.body = order_event(record.customer, ++number, order);
        run.take(std::move(record));
    }
    const auto end = midnight(cdnow_end + 365);
    run.close(end);
    CHECK(run.customers().size() == 23'570);

    std::map<std::string, journeys::models::Purchases> so_far;
    std::map<std::string, std::vector<Timestamp>> expected;
    std::size_t by_formula = 0;
    double worst = 0;
    const auto silence_until = [&](const std::string& id, Timestamp next) {
        const auto& purchases = so_far[id];
        const auto history = purchases.history(purchases.first_day());
        const double T = *models.purchases.rises_to(.7, history.x, history.t_x);
        const double earliest = history.t_x + 1 / 7.0;
        const auto at = purchases.first_day() +
                        std::chrono::ceil<Duration>(journeys::models::Weeks{std::max(T, earliest)});
        if (at >= next) return;
        expected[id].push_back(at);
        if (T <= earliest) return;
        ++by_formula;
        auto then = history;
        then.T = T;
        worst = std::max(worst, std::abs(*models.purchases.p_alive(then) - .3));
    };
    for (const auto& order : orders) {
        const auto known = so_far.find(order.customer);
        if (known != so_far.end() && known->second.days.back().day < order.day)
            silence_until(order.customer, midnight(order.day));
        journeys::models::add_order(so_far[order.customer], order.day, order.spend);
    }
    for (const auto& [id, purchases] : so_far) silence_until(id, end + 1ms);
    CHECK(by_formula > 20'000);
    CHECK(worst < 1e-9);
    std::size_t wrong = 0, triggers = 0;
    for (const auto& [id, instants] : expected) {
        triggers += instants.size();
        if (entered[id] != instants && ++wrong <= 3) CHECK(entered[id] == instants);
    }
    CHECK(wrong == 0);
    std::size_t happened = 0;
    for (const auto& [id, instants] : entered) happened += instants.size();
    CHECK(happened == triggers);
}
