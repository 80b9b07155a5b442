// What marketing reads in a terminal, line by line: recorded as tests/golden/readable/*.txt, in 100
// columns.

#include "journeys/environment.hpp"
#include "journeys/reason_reference.hpp"
#include "journeys/template.hpp"
#include "runtime/columns.hpp"
#include "runtime/commands/simulate_summary.hpp"
#include "runtime/console.hpp"
#include "runtime/coupon_keeper.hpp"
#include "runtime/journey_report.hpp"
#include "runtime/printable.hpp"
#include "runtime/reference_text.hpp"
#include "runtime/running_check.hpp"
#include "runtime/timeline_text.hpp"
#include "runtime/walk_list.hpp"
#include "schema/journey_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace runtime;
using namespace std::chrono_literals;
using journeys::EntryKind;
using journeys::TimelineEntry;
using journeys::Timestamp;

namespace {

/// Monday, 2 March 2026, 14:35 in Berlin.
constexpr Timestamp now = journeys::from_millis(1'772'458'500'000);

void check(const std::string& name, const std::string& text) {
    const auto file = support::source_path("tests/golden/readable/" + name + ".txt");
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream{file, std::ios::binary} << text;
    }
    CHECK(text == support::read_file(file));
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(width_of(line) <= text_columns);
        CHECK((line.empty() || line.back() != ' '));
    }
}

journeys::JourneyPtr load(const std::string& text) {
    auto loaded = schema::load_journey("j.yaml", text, {});
    for (const auto& mistake : loaded.mistakes)
        if (!mistake.is_warning) FAIL(to_text(mistake));
    return loaded.journey;
}

const std::string cart_text = R"(id: cart-abandon
status: live
enter: { on: Product Added, when: cart.value >= 20, key: cart.id, reentry: always }
exit:
  - { on: Order Completed, reason: purchased }
  - { when: size(cart.items) == 0, reason: cart-emptied }
steps:
  - name: first-wait
    wait: { for: 45m, restart_on: [Product Added, Product Viewed], at_most: 6h }
  - name: first-touch
    send: { channel: email, template: cart-1, topic: cart }
  - name: second-wait
    wait: { for: 24h, restart_on: [Product Viewed], at_most: 3d }
  - name: last-call
    send: { channel: email, template: cart-2, topic: cart }
)";

const std::string price_text = R"(id: price-conscious
status: live
enter:
  on: Product Viewed
  when:
    - count("Product Viewed", "7d") > 2
    - customer.orders == 0 && customer.traits.newsletter == true && customer.country in ["DE", "AT"]
  reentry: always
steps:
  - name: mail
    send: { channel: email, template: p, topic: browse }
)";

struct Shop {
    Shop() {
        journeys::Settings settings;
        settings.timezone = "UTC";
        settings.channels = {{.name = "email", .type = "sendgrid", .address = "email"},
                             {.name = "sms", .type = "twilio", .address = "phone"}};
        settings.caps = {{.channel = "email", .topic = {}, .messages = 3, .per = 24h * 7}};
        cart = load(cart_text);
        price = load(price_text);
        catalog = std::make_shared<const journeys::Catalog>(
            1, settings, std::vector<journeys::JourneyPtr>{cart, price});
    }
    journeys::JourneyPtr cart, price;
    journeys::CatalogPtr catalog;
};

journeys::SendMark mark(Timestamp at, std::uint64_t intent) {
    return {.at = at, .channel = "email", .topic = "x", .intent = {0, intent}};
}

journeys::Customer customer_of(const Shop& shop) {
    journeys::Customer ada;
    ada.id = {journeys::IdNamespace::user, "u-1042"};
    ada.first_seen = Timestamp{std::chrono::sys_days{std::chrono::year{2025} / 3 / 12}};
    ada.now = ada.accepted_at = now;
    ada.locale = "de-DE";
    ada.timezone = "Europe/Berlin";
    ada.order_count = 3;
    ada.currency = "EUR";
    ada.revenue = journeys::Money::of(1214.8);
    ada.last_order_at = now - 24h * 41;
    journeys::PackedWriter traits;
    const auto map = traits.begin_map();
    traits.key("email");
    traits.string("ada@example.com");
    traits.key("phone");
    traits.string("+491701234567");
    traits.end_map(map, 2);
    ada.traits = traits.take();
    ada.consents = {{.channel = "email",
                     .topic = "",
                     .state = journeys::ConsentState::subscribed,
                     .at = ada.first_seen}};
    journeys::Cart cart;
    cart.id = "c-7";
    cart.currency = "EUR";
    cart.updated_at = now - 20h - 33min;
    cart.lines = {{.product_id = "p1", .price = journeys::Money::of(64.9), .quantity = 1},
                  {.product_id = "p2", .price = journeys::Money::of(10), .quantity = 2}};
    ada.carts = {cart};
    // Sent on Wednesday, Friday and Sunday.
    ada.sends = {mark(now - 24h * 5, 1), mark(now - 24h * 3, 2), mark(now - 18h - 48min, 3)};
    ada.sends.back().intent = journeys::intent_id({1, 2}, "first-touch");

    journeys::Run run;
    run.id = {1, 2};
    run.journey = "cart-abandon";
    run.version = shop.cart->version;
    run.key = run.cart_id = "c-7";
    run.step = 2;
    run.step_reached = now - 18h - 48min;
    run.due = now + 5h + 12min;
    journeys::SentStep sent;
    sent.step = "first-touch";
    sent.at = now - 18h - 48min;
    sent.opened_at = now - 18h - 25min;
    run.sent = {sent};
    ada.runs = {run};
    return ada;
}

TimelineRow row(EntryKind kind, Timestamp at, const std::string& journey,
                const std::string& step = {}, const std::string& reason = {}) {
    TimelineRow made;
    made.entry.kind = kind;
    made.entry.at = at;
    made.entry.journey = journey;
    made.entry.step = step;
    made.entry.reason = reason;
    return made;
}

std::vector<TimelineRow> rows_of(const Shop& shop) {
    std::vector<TimelineRow> rows;
    const auto sunday = now - 20h - 33min;
    auto newsletter = row(EntryKind::send, now - 24h * 5, "newsletter", "mail");
    newsletter.entry.intent = {0, 1};
    newsletter.entry.channel = "email";
    newsletter.entry.template_name = "march-news";
    rows.push_back(newsletter);
    auto welcome = row(EntryKind::send, now - 24h * 3, "welcome", "preferences");
    welcome.entry.intent = {0, 2};
    welcome.entry.channel = "email";
    welcome.entry.template_name = "welcome";
    rows.push_back(welcome);
    auto entered = row(EntryKind::enter, sunday, "cart-abandon");
    entered.entry.key = "c-7";
    rows.push_back(entered);
    auto refused = row(EntryKind::no_entry, sunday, "price-conscious", "7", "when");
    refused.entry.version = shop.price->version;
    refused.entry.condition = 2;
    rows.push_back(refused);
    auto again =
        row(EntryKind::restart, sunday + 45min, "cart-abandon", "first-wait", "Product Viewed");
    again.entry.until = sunday + 105min;
    rows.push_back(again);
    auto sent = row(EntryKind::send, sunday + 105min, "cart-abandon", "first-touch");
    sent.entry.channel = "email";
    sent.entry.template_name = "cart-1.de";
    sent.entry.intent = journeys::intent_id({1, 2}, "first-touch");
    rows.push_back(sent);
    auto held = row(EntryKind::defer, sunday + 3h, "price-drop", "mail", "quiet_hours");
    held.entry.until = sunday + 14h;
    rows.push_back(held);
    auto capped = row(EntryKind::suppress, sunday + 15h, "product-alerts", "alert", "capped");
    capped.entry.channel = "email";
    rows.push_back(capped);
    rows.push_back(row(EntryKind::suppress, sunday + 15h, "back-in-stock-for-those-who-looked",
                       "second-mail", "consent"));
    rows.push_back(row(EntryKind::exit, sunday + 16h, "welcome", "", "purchased"));
    auto broken = row(EntryKind::suppress, sunday + 17h, "price-drop", "mail", "render_failed");
    journeys::PackedWriter why;
    const auto map = why.begin_map();
    why.key("error");
    why.string("division by zero");
    why.key("expression");
    why.string("1 / run.event.properties.zero");
    why.key("line");
    why.integer(12);
    why.key("name");
    why.string("total");
    why.end_map(map, 4);
    broken.entry.data = why.take();
    rows.push_back(broken);
    return rows;
}

} // namespace

TEST_CASE("a customer's timeline is read without help", "[golden]") {
    const Shop shop;
    const auto ada = customer_of(shop);
    const auto rows = rows_of(shop);
    const std::vector<MessageOutcome> outcomes{
        {journeys::intent_id({1, 2}, "first-touch"), "accepted", "202", rows[5].entry.at + 1s},
        {{0, 1}, "unknown", "no answer", rows[0].entry.at + 15s}};
    const auto nobody = [](std::string_view, std::string_view) { return false; };
    check("timeline", customer_text(ada, *shop.catalog, now, nobody) + '\n' +
                          timeline_text(rows, outcomes, ada, *shop.catalog, now));
}

TEST_CASE("a message that the provider has not taken is not said to be sent", "[readable]") {
    const Shop shop;
    const auto ada = customer_of(shop);
    const auto rows = rows_of(shop);
    const auto shown = [&](const std::string& state) {
        const std::vector<MessageOutcome> outcomes{
            {rows[5].entry.intent, state, "", rows[5].entry.at + 1s}};
        std::istringstream lines{timeline_text(rows, outcomes, ada, *shop.catalog, now)};
        for (std::string line; std::getline(lines, line);)
            if (line.find(' ' + state + ' ') != line.npos) return line.substr(7, 8);
        return std::string{};
    };
    REQUIRE(rows[5].entry.kind == EntryKind::send);
    CHECK(shown("pending") == "sending ");
    CHECK(shown("claimed") == "sending ");
    CHECK(shown("accepted") == "sent    ");
    CHECK(shown("unknown") == "sent    ");
    CHECK(shown("rejected") == "refused ");
    CHECK(shown("recalled") == "recalled");
}

TEST_CASE("what a producer sends neither commands a terminal nor begins a line", "[terminal]") {
    SECTION("letters of every script stay, and what is no letter is written out") {
        CHECK(printable("cart-abandon › Grüße 東京 🛒 100\u00a0€ \\n") ==
              "cart-abandon › Grüße 東京 🛒 100\u00a0€ \\n");
        CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
        CHECK(printable("\x1b[2J\x1b]0;t\x07") == "\\u001b[2J\\u001b]0;t\\u0007");
        CHECK(printable(std::string_view{"\0", 1}) == "\\u0000");
    }
    SECTION("both sides of every limit") {
        CHECK(printable("\x1f \x7e\x7f") == "\\u001f ~\\u007f");
        CHECK(printable("\u0080\u009b\u009f\u00a0") == "\\u0080\\u009b\\u009f\u00a0");
        CHECK(printable("\u2027\u2028\u2029") == "\u2027\\u2028\\u2029");
        CHECK(printable("\u200d\u200e\u200f\u2010") == "\u200d\\u200e\\u200f\u2010");
        CHECK(printable("\u202a\u202e\u202f\u2065\u2066\u2069\u206a") ==
              "\\u202a\\u202e\u202f\u2065\\u2066\\u2069\u206a");
    }
    SECTION("octets that are no UTF-8 are written out, U+FFFD itself stays") {
        CHECK(printable("a\xff"
                        "b\xc3") == "a\\xffb\\xc3");
        CHECK(printable("\xe2\x82") == "\\xe2\\x82"); // Cut off.
        CHECK(printable("\xc0\x9b") == "\\xc0\\x9b"); // U+001B in an overlong form.
        CHECK(printable("\ufffd") == "\ufffd");
    }
    SECTION("a text of lines keeps them, and nothing else") {
        CHECK(printable_lines("a\nb\r\n\x1b[2J\n") == "a\nb\\r\n\\u001b[2J\n");
    }
}

TEST_CASE("messages of several runs of a journey are told apart by their keys", "[timeline]") {
    const Shop shop;
    auto one = row(EntryKind::send, now, "refill", "mail");
    one.entry.key = "p1";
    auto other = one;
    const auto text = [&] {
        return timeline_text({one, other}, {}, journeys::Customer{}, *shop.catalog, now);
    };
    CHECK(text().find("p1") == std::string::npos); // Twice the same run.
    other.entry.key = "p2";
    CHECK(text().find("refill › mail p1") != std::string::npos);
    CHECK(text().find("refill › mail p2") != std::string::npos);
    other.entry.step = "second";
    CHECK(text().find("p1") == std::string::npos);
}

TEST_CASE("no id and no key forges a line of a timeline", "[terminal]") {
    const std::string evil = "x\n05:03  sent      cheaper › news  email\x1b[2J\u009b1A";
    const std::string shown = "x\\n05:03  sent      cheaper › news  email\\u001b[2J\\u009b1A";
    const Shop shop;
    auto ada = customer_of(shop);
    ada.id.value = evil;
    ada.carts.front().id = evil;
    ada.runs.front().key = evil;
    ada.locale = evil;
    auto rows = rows_of(shop);
    for (auto& row : rows) {
        row.entry.key = evil;
        if (row.entry.kind == EntryKind::restart) row.entry.reason = evil; // The event's name.
    }
    const std::vector<MessageOutcome> outcomes{{{0, 1}, "unknown", evil, rows[0].entry.at + 15s}};
    const auto nobody = [](std::string_view, std::string_view) { return false; };
    const auto text = customer_text(ada, *shop.catalog, now, nobody) +
                      timeline_text(rows, outcomes, ada, *shop.catalog, now);
    CHECK(text.find('\x1b') == text.npos);
    CHECK(text.find("\u009b") == text.npos);
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) CHECK_FALSE(line.starts_with("05:03"));

    for (const auto& row : rows) {
        for (const auto& line : {trigger_line(ada.id, row.entry, "UTC"),
                                 timeline_line(row.entry, "UTC", now), entry_text(row.entry)}) {
            CHECK(line.find('\n') == line.npos);
            CHECK(line.find('\x1b') == line.npos);
        }
    }
    CHECK(trigger_line(ada.id, rows[0].entry, "UTC").find(shown) != std::string::npos);
}

TEST_CASE("a customer of whom little is known takes few lines", "[golden]") {
    const Shop shop;
    journeys::Customer guest;
    guest.id = {journeys::IdNamespace::anonymous, "7f0c"};
    guest.first_seen = now;
    const auto everybody = [](std::string_view, std::string_view) { return true; };
    check("guest", customer_text(guest, *shop.catalog, now, everybody));
    // An address may be done with, whatever its owner has said.
    const auto text = customer_text(customer_of(shop), *shop.catalog, now, everybody);
    CHECK(text.find("email no (suppressed: the address)") != std::string::npos);
}

TEST_CASE("a journey's report is read without help", "[golden]") {
    JourneyReport report;
    report.journey = "cart-abandon";
    report.entered = 8120;
    report.not_entered = {{"when line 13 \"cart.value >= 20\"", 2308},
                          {"reentry", 611},
                          {"open_run", 540},
                          {"exclusive", 17}};
    report.ended = {{"purchased", 2911}, {"completed", 4100}, {"cart-emptied", 720}};
    report.watch = "91 sent in 24 hours, at least 100 are expected; not sent: capped 41 · consent "
                   "12 · no_address 4; since 2026-03-02T10:00:00.000Z";
    report.is_alarming = true;
    report.steps = {{.step = "first-touch",
                     .channel = "email",
                     .sent = 3102,
                     .held_out = 344,
                     .deferred = 190,
                     .not_sent = {{"capped", 402},
                                  {"consent", 210},
                                  {"stale_cart", 96},
                                  {"no_address", 33},
                                  {"provider_rejected", 7}},
                     .accepted = 3090,
                     .rejected = 7,
                     .unknown = 5},
                    {.step = "last-call", .channel = "sms", .sent = 811, .held_out = 92}};
    report.sent = {.people = 3102, .reached = 702};
    report.held_out = {.people = 344, .reached = 60};
    report.sent_revenue = 51'204.8;
    report.held_out_revenue = 4'102.25;
    report.lift = journeys::lift(report.sent, report.held_out);
    check("report", report_text(report));
    report.held_out = {};
    report.lift = journeys::lift(report.sent, report.held_out);
    report.watch = "812 sent in 24 hours (at least 50), 12 % not sent (below 40 %)";
    report.is_alarming = false;
    report.not_entered.clear();
    check("report_without_holdout", report_text(report));
}

TEST_CASE("a message that is missing is not laid on an event that has no part in it", "[golden]") {
    journeys::RunRecord before, after;
    const auto note = [](journeys::RunRecord& run, EntryKind kind, Timestamp at,
                         const std::string& step, const std::string& reason = {}) {
        run.note({journeys::IdNamespace::user, "ada"}, row(kind, at, "cart", step, reason).entry);
    };
    const auto why = [&] {
        return journeys::compare(before, after).why_no_longer.at({"cart", "mail"}).begin()->first;
    };
    note(before, EntryKind::enter, now, "");
    note(before, EntryKind::send, now + 1h, "mail");
    SECTION("a later event found the run open; it was entered all the same") {
        note(after, EntryKind::enter, now, "");
        note(after, EntryKind::no_entry, now + 30min, "", "open_run");
        CHECK(why() == "not reached before the events end");
        note(after, EntryKind::end, now + 1h, "", "completed");
        CHECK(why() == "the run takes another way");
    }
    SECTION("of several events that opened none, the one that opened it before counts") {
        note(after, EntryKind::no_entry, now - 1h, "3", "when");
        note(after, EntryKind::no_entry, now, "7", "when");
        note(after, EntryKind::no_entry, now + 30min, "", "reentry");
        CHECK(why() == "when line 7");
    }
}

TEST_CASE("lines that changed are named, and where some are only gone those of before",
          "[golden]") {
    using Texts = std::map<std::string, std::string>;
    const auto changed = [](const std::string& before, const std::string& after) {
        return changes_between(Texts{{"a/cart.yaml", before}}, Texts{{"b/cart.yaml", after}})
            .changed;
    };
    CHECK(changed("id: cart\nsteps:\n  - wait\n", "id: cart\nsteps:\n  - send\n") ==
          std::vector<std::string>{"cart (line 3 send)"});
    CHECK(changed("id: cart\nsteps:\n\n  - wait\n", "id: cart\nsteps:\n") ==
          std::vector<std::string>{"cart (without its line 4 wait)"});
    CHECK(changed("id: cart\n", "id: cart\n").empty());
}

TEST_CASE("what a draft would change is read without help", "[golden]") {
    journeys::RunRecord before, after;
    const auto note = [](journeys::RunRecord& run, int who, EntryKind kind, Timestamp at,
                         const std::string& journey, const std::string& step,
                         const std::string& reason = {}) {
        auto entry = row(kind, at, journey, step, reason).entry;
        run.note({journeys::IdNamespace::user, "u-" + std::to_string(who)}, entry);
    };
    for (int who = 0; who < 1200; ++who) {
        const auto at = now + std::chrono::minutes{who};
        note(before, who, EntryKind::send, at, "cart-abandon", "first-touch");
        if (who % 9 == 0) {
            note(after, who, EntryKind::no_entry, at - 1h, "cart-abandon", "7", "when");
        } else if (who % 31 == 0) {
            note(after, who, EntryKind::exit, at, "cart-abandon", "", "purchased");
        } else {
            note(after, who, EntryKind::send, at + 2h + 15min, "cart-abandon", "first-touch");
            if (who % 7 == 0)
                note(after, who, EntryKind::suppress, at + 1h, "browse-abandon", "mail", "capped");
            if (who % 5 == 0) note(after, who, EntryKind::send, at, "browse-abandon", "mail");
        }
    }
    SimulationSummary summary;
    summary.before_name = "journeys";
    summary.after_name = "draft";
    summary.events = 1'204'331;
    summary.customers = 88'120;
    summary.first = now - 24h;
    summary.last = now + 24h * 12;
    summary.took = std::chrono::milliseconds{4123};
    summary.changes = {.changed = {"cart-abandon (line 7 when, line 14 wait)"},
                       .added = {"browse-abandon"},
                       .removed = {},
                       .same = 5};
    summary.conditions = {{{"cart-abandon", "7"}, "cart.value >= 35"}};
    check("diff", summary_text(summary, before, journeys::compare(before, after)));
    SECTION("a step that is gone or has another name is no fault of customers") {
        journeys::SendSteps olds, news;
        olds.journeys["cart-abandon"] = {{"first-touch", "email\ncart"}};
        news.journeys["cart-abandon"] = {{"touch", "email\ncart"}};
        const auto why = [&] {
            const auto compared = journeys::compare(before, after, olds, news);
            CHECK(compared.examples.empty());
            return compared.why_no_longer.at({"cart-abandon", "first-touch"});
        };
        using Reasons = std::map<std::string, std::uint64_t>;
        CHECK(why() == Reasons{{"renamed: the step is now touch", 168}});
        news.journeys["cart-abandon"] = {{"call", "sms\ncart"}};
        CHECK(why() == Reasons{{"the step is gone", 168}});
        news.journeys.clear();
        CHECK(why() == Reasons{{"the journey is gone", 168}});
        news = olds;
        CHECK(journeys::compare(before, after, olds, news).why_no_longer ==
              journeys::compare(before, after).why_no_longer);
    }
    summary.after_name.clear();
    check("summary", summary_text(summary, after));
}

TEST_CASE("what a publication would do to open runs is read without help", "[golden]") {
    RunningCheck running;
    running.runs = 12'031;
    running.customers = 11'870;
    running.runs_of_same = 9'020;
    running.same = 3;
    using Kind = JourneyChange::Kind;
    running.changes = {{.journey = "browse-abandon",
                        .kind = Kind::changed,
                        .before = 0x1111111122222222,
                        .after = 0x3333333344444444,
                        .on_publish = "pin",
                        .status = "archived",
                        .moves = {},
                        .stays = {},
                        .ends = {{"superseded", 12}}},
                       {.journey = "cart-abandon",
                        .kind = Kind::changed,
                        .before = 0x9f2c11d000000000,
                        .after = 0x77aa0b1200000000,
                        .on_publish = "migrate",
                        .status = {},
                        .moves = {{"first-wait", 640}, {"second-wait", 172}},
                        .stays = {{"first-touch", 1}},
                        .ends = {}},
                       {.journey = "welcome",
                        .kind = Kind::added,
                        .before = 0,
                        .after = 7,
                        .on_publish = "pin",
                        .status = {},
                        .moves = {},
                        .stays = {},
                        .ends = {}},
                       {.journey = "win-back",
                        .kind = Kind::gone,
                        .before = 8,
                        .after = 0,
                        .on_publish = {},
                        .status = {},
                        .moves = {},
                        .stays = {{"quarter", 2186}},
                        .ends = {}}};
    running.others = {"settings",
                      "template cart-reminder.de",
                      "template cart-second-look",
                      "template win-back-last",
                      "table refills.csv",
                      "audiences"};
    check("running", running_text(running));
    check("running_same", running_text({.publication = 1, .runs = 4, .is_unchanged = true}));
}

TEST_CASE("what is left of the codes is read without help", "[golden]") {
    const std::map<std::string, schema::CouponPool> pools{
        {"autumn", {.file = {}, .at = {}, .low = 10}},
        {"spring", {.file = "spring.csv", .at = {2, 1}, .low = 500}},
        {"welcome-back", {.file = {}, .at = {}, .low = 0}}};
    check("coupons", coupons_text(pools, {{"spring", 1000, 912, 40, 12},
                                          {"summer", 20, 20, 0, 0},
                                          {"welcome-back", 200, 4, 1, 0}}));
    check("coupons_none", coupons_text({}, {}));
}

TEST_CASE("how far events have come to many is read without help", "[golden]") {
    const auto at = journeys::from_millis(1'795'766'400'000);
    WalkStand open{.event = "Audience Reached",
                   .product = {},
                   .journey = "vip-preview",
                   .audience = "vips",
                   .at = at,
                   .copied = 12'400,
                   .copies_max = std::nullopt,
                   .pace = 200,
                   .over_at = std::nullopt};
    auto limited = open;
    limited.copies_max = 50'000;
    limited.pace = 0.5;
    auto over = limited;
    over.copied = 50'000;
    over.over_at = at + std::chrono::minutes{5};
    const WalkStand told{.event = "Product Price Dropped",
                         .product = "p_1042",
                         .journey = {},
                         .audience = {},
                         .at = at,
                         .copied = 731,
                         .copies_max = std::nullopt,
                         .pace = 20'000,
                         .over_at = at + std::chrono::seconds{2}};
    check("walks", walks_text({open, limited, over, told}));
    check("walks_none", walks_text({}));
}

TEST_CASE("the references of expressions and reasons fit a terminal, whole and by a word",
          "[readable]") {
    const auto expressions = journeys::expressions_reference();
    check("help-cel-cart", reference_text(expressions, "cart"));
    check("help-cel-size", reference_text(expressions, "SIZE"));
    check("help-reasons", reference_text(journeys::reasons_reference()));
    const auto whole = reference_text(expressions);
    std::istringstream lines{whole};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(width_of(line) <= text_columns);
        CHECK(line.find("| ---") == line.npos);
        CHECK(line.find("<br>") == line.npos);
    }
    CHECK(whole.find("duration.getSeconds() → int") != whole.npos);
    CHECK(reference_text(expressions, "siz").empty());
    CHECK(reference_text("", "size").empty());
    CHECK(reference_text("| a |\n| --- |\n| b \\| c |\n") == "  b | c\n");
    CHECK(reference_text("|").empty());
}
