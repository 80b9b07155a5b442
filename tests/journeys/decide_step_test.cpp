/// A journey decides which action to take, and what comes of it comes back.
#include "journeys/decision.hpp"
#include "journeys/expressions.hpp"
#include "journeys/profile.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace support;
using journeys::EntryKind;
using journeys::PackedView;

namespace {

constexpr auto actions = R"(
reward: Order Completed
within: 3d
actions:
  - id: gift
    channel: email
    when: cart.value >= 20.0
    value: 20
    prior: { rate: 0.5 }
    cap: { max: 1, per: 30d }
    steps:
      - name: mail
        send: { channel: email, template: gift, topic: cart }
      - wait: { for: 1h }
      - call: { channel: crm }
  - { id: note, channel: email, value: 10, prior: { rate: 0.5 }, steps: [{ name: mail, send: { channel: email, template: note, topic: cart } }] }
  - { id: nothing-else, surface: cart-page, value: 1, prior: { rate: 0.1 } }
)";

constexpr auto journey = R"(
id: j
status: live
enter: { on: Product Added, key: event.properties.run, reentry: always }
steps:
  - wait: { for: 1h }
  - name: offer
    decide: { actions: [gift, note, nothing-else] }
  - name: last
    send: { channel: email, template: last, topic: cart }
)";

void fill_cart(Story& story, Timestamp at, std::string_view run = "1",
               std::string_view who = "ada") {
    story.track(
        who, "Product Added", at,
        R"({"cart_id":"c","product_id":"p","price":30,"quantity":1,"currency":"EUR","run":")" +
            std::string{run} + "\"}");
}

std::vector<std::string> rewards(Story& story) { return story.happened(EntryKind::reward); }

PackedView data_of(const Story& story, EntryKind kind) {
    const auto& all = story.entries();
    const auto found = std::find_if(all.rbegin(), all.rend(),
                                    [&](const auto& entry) { return entry.kind == kind; });
    REQUIRE(found != all.rend());
    return PackedView{found->data};
}

} // namespace

TEST_CASE("a journey takes the best action, its steps run, and then what follows", "[decide]") {
    Story story{{journey}, {}, actions};
    fill_cart(story, monday);
    story.until(monday + 1h);
    CHECK(story.happened() == std::vector<std::string>{"enter j 1", "decide j/offer 1 gift",
                                                       "send j/offer.gift.mail 1"});
    story.until(monday + 2h);
    CHECK(story.happened() == std::vector<std::string>{"call j/offer.gift.3 1", "send j/last 1",
                                                       "end j/last 1 completed"});

    const auto said = data_of(story, EntryKind::decide);
    CHECK(said.string_at("action") == "gift");
    CHECK(said.string_at("policy") == "best");
    CHECK(said.find("propensity").as_double() == 1);
    CHECK(said.string_at("reward") == "Order Completed");
    CHECK(said.find("within_ms").as_int() == 3 * 24 * 3'600'000);
    std::string last;
    for (const auto& [key, reason] : said.find("reasons").entries()) last = reason.as_string();
    CHECK(last == "gift is worth most: 10.00, with 50 % to succeed.");

    SECTION("the cap knows of it, and the next run gets the next best") {
        fill_cart(story, monday + 3h, "2");
        story.until(monday + 4h);
        CHECK(story.happened() == std::vector<std::string>{"enter j 2", "decide j/offer 2 note",
                                                           "send j/offer.note.mail 2",
                                                           "send j/last 2",
                                                           "end j/last 2 completed"});
    }
    SECTION("an action without steps changes nothing but what is remembered") {
        story.offer(R"(
actions: [{ id: nothing-else, surface: cart-page, value: 1 }, { id: gift, channel: email, value: 0 }, { id: note, channel: email, value: 0 }]
)");
        fill_cart(story, monday + 3h, "2");
        story.until(monday + 4h);
        CHECK(story.happened() ==
              std::vector<std::string>{"enter j 2", "decide j/offer 2 nothing-else",
                                       "send j/last 2", "end j/last 2 completed"});
    }
}

TEST_CASE("where no action may be taken the run goes on", "[decide]") {
    Story story{{R"(
id: j
enter: { on: Product Added, reentry: always }
steps:
  - name: offer
    decide: { actions: gift }
  - call: { channel: crm }
)"},
                {},
                actions};
    story.track("ada", "Product Added", monday,
                R"({"cart_id":"c","product_id":"p","price":19,"quantity":1,"currency":"EUR"})");
    CHECK(story.happened() == std::vector<std::string>{"enter j", "decide j/offer nothing",
                                                       "call j/2", "end j/2 completed"});
    CHECK(data_of(story, EntryKind::decide).find("action").is_null());
}

TEST_CASE("two decisions in one go know of each other", "[decide]") {
    Story story{{R"(
id: j
enter: { on: Product Added, reentry: always }
steps:
  - name: first
    decide: { actions: [gift, nothing-else] }
  - name: second
    decide: { actions: [gift, nothing-else] }
)"},
                {},
                R"(
actions:
  - { id: gift, surface: x, value: 20, cap: { max: 1, per: 1d } }
  - { id: nothing-else, surface: x, value: 1 }
)"};
    fill_cart(story, monday);
    CHECK(story.happened(EntryKind::decide) ==
          std::vector<std::string>{"decide j/first gift", "decide j/second nothing-else"});
}

TEST_CASE("a decision opens journeys as any event does", "[decide]") {
    Story story{{journey, R"(
id: after
enter: { on: Action Decided, when: event.properties.action == "gift", reentry: never }
steps: [{ name: wait, wait: { for: 1d } }]
)"},
                {},
                actions};
    fill_cart(story, monday);
    story.until(monday + 1h);
    CHECK(story.happened(EntryKind::enter) == std::vector<std::string>{"enter j 1", "enter after"});
}

TEST_CASE("a reward comes back exactly once", "[decide]") {
    Story story{{journey}, {}, actions};
    fill_cart(story, monday);
    story.until(monday + 1h); // Decided.
    const auto decided = monday + 1h;
    constexpr auto order = R"({"order_id":"o-1","total":25,"currency":"EUR"})";
    REQUIRE(story.customer("ada").decisions.size() == 1);

    SECTION("by the first of two messages about one order") {
        story.track("ada", "Order Completed", decided + 1h, order);
        CHECK(rewards(story) == std::vector<std::string>{"reward  Order Completed"});
        CHECK(data_of(story, EntryKind::reward).string_at("action") == "gift");
        CHECK(data_of(story, EntryKind::reward).find("value").as_double() == 25);
        story.track("ada", "Order Completed", decided + 2h, order);
        story.track("ada", "Order Completed", decided + 3h,
                    R"({"order_id":"o-2","total":9,"currency":"EUR"})");
        CHECK(rewards(story).empty());
        CHECK(story.customer("ada").decisions.empty());
    }
    SECTION("not by what happened before it or with it") {
        story.track_late("ada", "Order Completed", decided - 1min, decided + 1min, order);
        story.track_late("ada", "Order Completed", decided, decided + 2min,
                         R"({"order_id":"o-2","total":9})");
        // The shop tells of the first again, later.
        story.track("ada", "Order Completed", decided + 1h, order);
        CHECK(rewards(story).empty());
        story.track("ada", "Order Completed", decided + 2h, R"({"order_id":"o-3","total":9})");
        CHECK(rewards(story).size() == 1);
    }
    SECTION("until its time is over, by the event's own time") {
        const auto until = decided + 72h;
        SECTION("at the last instant") {
            story.track("ada", "Order Completed", until, order);
            CHECK(rewards(story).size() == 1);
        }
        SECTION("not a moment later") {
            story.track("ada", "Order Completed", until + 1ms, order);
            CHECK(rewards(story).empty());
        }
        SECTION("however late it is told of, as far as late messages count") {
            story.track("ada", "Product Viewed", until + 23h, R"({"product_id":"p"})");
            story.track_late("ada", "Order Completed", until - 1h, until + 23h, order);
            CHECK(rewards(story).size() == 1);
        }
        SECTION("and not beyond") {
            story.track("ada", "Product Viewed", until + 24h + 1ms, R"({"product_id":"p"})");
            CHECK(story.customer("ada").decisions.empty());
            story.track_late("ada", "Order Completed", until - 1h, until + 25h, order);
            CHECK(rewards(story).empty());
        }
    }
    SECTION("not by another event") {
        story.track("ada", "Order Refunded", decided + 1h, order);
        CHECK(rewards(story).empty());
    }
}

TEST_CASE("what the order is undone of is taken back, once", "[decide]") {
    Story story{{journey}, {}, actions};
    fill_cart(story, monday);
    story.until(monday + 1h);
    const auto decided = monday + 1h;
    constexpr auto order = R"({"order_id":"o-1","total":25,"currency":"EUR"})";
    constexpr auto undone = R"({"order_id":"o-1"})";
    const auto taken_back = [&] { return story.happened(EntryKind::take_back); };
    const auto left = [&] {
        return data_of(story, EntryKind::take_back).find("value").as_double();
    };
    using Lines = std::vector<std::string>;
    const Lines whole{"take_back  whole"}, part{"take_back  part"};

    SECTION("by a cancellation, and its window waits on") {
        story.track("ada", "Order Completed", decided + 1h, order);
        REQUIRE(rewards(story).size() == 1);
        REQUIRE(story.customer("ada").rewarded.size() == 1);
        story.track("ada", "Order Cancelled", decided + 2h, undone);
        CHECK(taken_back() == whole);
        CHECK(left() == 0);
        CHECK(story.entries().back().intent == story.customer("ada").decisions.at(0).id);
        CHECK(story.entries().back().until == decided + 2h);
        CHECK(story.customer("ada").rewarded.empty());
        SECTION("not by a second one, nor by the order's own echo") {
            story.track("ada", "Order Cancelled", decided + 3h, undone);
            story.track("ada", "Order Completed", decided + 4h, order);
            CHECK(story.happened().empty());
        }
        SECTION("and another order rewards it, once") {
            constexpr auto other = R"({"order_id":"o-2","total":9,"currency":"EUR"})";
            story.track("ada", "Order Completed", decided + 3h, other);
            CHECK(rewards(story).size() == 1);
            story.track("ada", "Order Cancelled", decided + 4h, R"({"order_id":"o-2"})");
            CHECK(taken_back() == whole);
        }
        SECTION("but none behind its time") {
            story.track("ada", "Order Completed", decided + 73h, R"({"order_id":"o-2","total":9})");
            CHECK(rewards(story).empty());
        }
    }
    SECTION("long after its time was over") {
        story.track("ada", "Order Completed", decided + 1h, order);
        story.until(decided + 24h * 30);
        story.happened();
        story.track("ada", "Order Refunded", decided + 24h * 30, undone);
        CHECK(taken_back() == whole);
        story.track("ada", "Product Viewed", decided + 24h * 31, R"({"product_id":"p"})");
        CHECK(story.customer("ada").decisions.empty());
    }
    SECTION("and not for ever") {
        story.track("ada", "Order Completed", decided + 1h, order);
        story.track("ada", "Order Completed", decided + 24h * 101,
                    R"({"order_id":"o-9","total":1})");
        CHECK(story.customer("ada").rewarded.empty());
        story.happened();
        story.track("ada", "Order Cancelled", decided + 24h * 101 + 1h, undone);
        CHECK(taken_back().empty());
    }
    SECTION("nor where nothing was bought meanwhile") {
        story.track("ada", "Order Completed", decided + 1h, order);
        story.happened();
        SECTION("up to a hundred days") {
            story.track("ada", "Order Cancelled", decided + 1h + 24h * 100, undone);
            CHECK(taken_back() == whole);
        }
        SECTION("and a moment more") {
            story.track("ada", "Order Cancelled", decided + 1h + 24h * 100 + 1ms, undone);
            CHECK(taken_back().empty());
            CHECK(story.customer("ada").rewarded.empty());
        }
        SECTION("and a moment more, of a part") {
            story.track("ada", "Order Refunded", decided + 1h + 24h * 100 + 1ms,
                        R"({"order_id":"o-1","total":10})");
            CHECK(taken_back().empty());
        }
    }
    SECTION("as far as it goes, where a part is given back") {
        story.track("ada", "Order Completed", decided + 1h, order);
        story.track("ada", "Order Refunded", decided + 2h, R"({"order_id":"o-1","total":10})");
        CHECK(taken_back() == part);
        CHECK(left() == 15);
        story.track("ada", "Order Updated", decided + 3h, R"({"order_id":"o-1","total":25})");
        CHECK(taken_back().empty());
        story.track("ada", "Order Refunded", decided + 4h, R"({"order_id":"o-1","total":15})");
        CHECK(taken_back() == whole);
        CHECK(story.customer("ada").decisions.size() == 1);
    }
    SECTION("told of late, however the messages are shuffled") {
        SECTION("the cancellation comes first") {
            story.track("ada", "Order Cancelled", decided + 2h, undone);
            story.track_late("ada", "Order Completed", decided + 1h, decided + 3h, order);
            CHECK(rewards(story).empty());
            CHECK(story.customer("ada").decisions.size() == 1);
        }
        SECTION("the cancellation is told of a week later") {
            story.track("ada", "Order Completed", decided + 1h, order);
            story.track_late("ada", "Order Cancelled", decided + 2h, decided + 24h * 7, undone);
            CHECK(taken_back() == whole);
            // When it became known, by which what was learned is corrected.
            CHECK(story.entries().back().until == decided + 24h * 7);
        }
    }
    SECTION("an order that was there already takes its place") {
        story.track("ada", "Order Completed", decided + 1h, order);
        story.track("ada", "Order Completed", decided + 2h, R"({"order_id":"o-2","total":9})");
        REQUIRE(rewards(story).size() == 1);
        story.track("ada", "Order Cancelled", decided + 24h * 9, undone);
        CHECK(story.happened() == Lines{"take_back  whole", "reward  Order Completed"});
        CHECK(data_of(story, EntryKind::reward).find("value").as_double() == 9);
    }
    SECTION("of somebody who turned out to be another: each half knew a half of it") {
        story.track("ada", "Order Completed", decided + 1h, order);
        SECTION("the cancellation was told of the guest") {
            story.track("anonymous:dev", "Order Cancelled", decided + 2h, undone);
            CHECK(taken_back().empty());
            story.identify("ada", decided + 3h, "{}", "dev");
            CHECK(taken_back() == whole);
            story.track("ada", "Order Cancelled", decided + 4h, undone);
            CHECK(taken_back().empty());
        }
        SECTION("the rewarded one was the guest") {
            fill_cart(story, decided + 1h, "2", "anonymous:dev");
            story.until(decided + 2h);
            story.track("anonymous:dev", "Order Completed", decided + 3h,
                        R"({"order_id":"o-7","total":9})");
            story.happened();
            story.identify("ada", decided + 4h, "{}", "dev");
            CHECK(story.customer("ada").rewarded.size() == 2);
            CHECK(taken_back().empty());
            story.track("ada", "Order Cancelled", decided + 5h, R"({"order_id":"o-7"})");
            CHECK(taken_back() == whole);
        }
    }
    SECTION("only so many are remembered") {
        for (std::size_t i = 0; i < journeys::bounds::rewarded + 3; ++i) {
            const auto n = std::to_string(i);
            const auto at = decided + 4h * (i + 1);
            fill_cart(story, at, "r" + n);
            story.until(at + 1h);
            story.track("ada", "Order Completed", at + 2h,
                        R"({"order_id":"x)" + n + R"(","total":1})");
        }
        CHECK(story.customer("ada").rewarded.size() == journeys::bounds::rewarded);
    }
}

TEST_CASE("each decision has its own reward, and a step may name another event", "[decide]") {
    Story story{{R"(
id: j
enter: { on: Product Added, reentry: always }
steps:
  - name: first
    decide: { actions: nothing-else, reward: Product Viewed, within: 1h }
  - name: second
    decide: { actions: nothing-else }
)"},
                {},
                actions};
    fill_cart(story, monday);
    story.happened();
    story.track("ada", "Product Viewed", monday + 30min, R"({"product_id":"p"})");
    CHECK(rewards(story) == std::vector<std::string>{"reward  Product Viewed"});
    story.track("ada", "Product Viewed", monday + 40min, R"({"product_id":"p"})");
    story.track("ada", "Order Completed", monday + 50min, R"({"order_id":"o","total":5})");
    CHECK(rewards(story) == std::vector<std::string>{"reward  Order Completed"});
}

TEST_CASE("the event that resumes a wait does not reward the decision behind it", "[decide]") {
    Story story{{R"(
id: j
enter: { on: Product Added, reentry: always }
steps:
  - name: order
    wait: { for_event: Order Completed, at_most: 1d }
  - name: thanks
    decide: { actions: nothing-else }
)"},
                {},
                actions};
    fill_cart(story, monday);
    story.track("ada", "Order Completed", monday + 1h, R"({"order_id":"o","total":5})");
    CHECK(story.happened(EntryKind::decide).size() == 1);
    CHECK(story.customer("ada").decisions.size() == 1);
}

TEST_CASE("a reward finds the decision of who turned out to be the same person", "[decide]") {
    Story story{{journey}, {}, actions};
    fill_cart(story, monday, "1", "anonymous:dev");
    story.until(monday + 1h);
    story.happened();
    SECTION("when it comes after they were joined") {
        story.identify("ada", monday + 2h, "{}", "dev");
        story.track("ada", "Order Completed", monday + 3h, R"({"order_id":"o","total":5})");
        CHECK(rewards(story).size() == 1);
    }
    SECTION("when it came before") {
        story.track("ada", "Order Completed", monday + 2h, R"({"order_id":"o","total":5})");
        CHECK(rewards(story).empty());
        story.identify("ada", monday + 3h, "{}", "dev");
        CHECK(rewards(story).size() == 1);
        story.track("ada", "Order Completed", monday + 4h, R"({"order_id":"o","total":5})");
        CHECK(rewards(story).empty());
    }
    SECTION("and not an order from before the decision") {
        story.track_late("ada", "Order Completed", monday, monday + 2h,
                         R"({"order_id":"o","total":5})");
        story.identify("ada", monday + 3h, "{}", "dev");
        CHECK(rewards(story).empty());
        CHECK(story.customer("ada").decisions.size() == 1);
    }
}

TEST_CASE("a reward that overtakes its decision on the way to the log is not lost", "[decide]") {
    Story story{{journey}, {}, actions};
    const auto decided = monday + 1h;
    const auto tell_decision = [&](std::string_view event) {
        story.track_late(
            "ada", "Action Decided", decided, decided + 2s,
            R"({"decision_id":"000000000000000000000000000000aa","action":"note","reward":")" +
                std::string{event} + R"(","within_ms":3600000})");
    };
    SECTION("by an order") {
        story.track("ada", "Order Completed", decided + 1s, R"({"order_id":"o","total":5})");
        tell_decision("Order Completed");
        CHECK(rewards(story) == std::vector<std::string>{"reward  Order Completed"});
        CHECK(data_of(story, EntryKind::reward).find("value").as_double() == 5);
        CHECK(story.customer("ada").decisions.empty());
        story.track("ada", "Order Completed", decided + 3s, R"({"order_id":"p","total":6})");
        CHECK(rewards(story).empty()); // Once.
    }
    SECTION("by an order that stands") {
        story.track("ada", "Order Completed", decided + 1s, R"({"order_id":"o","total":5})");
        story.track("ada", "Order Cancelled", decided + 1s, R"({"order_id":"o"})");
        tell_decision("Order Completed");
        CHECK(rewards(story).empty());
        CHECK(story.customer("ada").decisions.size() == 1);
    }
    SECTION("and not by one that was there when it was decided") {
        story.track("ada", "Order Completed", decided, R"({"order_id":"o","total":5})");
        tell_decision("Order Completed");
        CHECK(rewards(story).empty());
        CHECK(story.customer("ada").decisions.size() == 1);
    }
}

TEST_CASE("for who is held out nothing is decided, and what they do is still known", "[decide]") {
    journeys::Settings settings;
    settings.assume_permission = true;
    settings.all_live = true;
    settings.holdout = 1;
    Story story{{journey}, settings, actions};
    fill_cart(story, monday);
    story.until(monday + 1h);
    CHECK(story.happened(EntryKind::decide) ==
          std::vector<std::string>{"decide j/offer 1 held out"});
    CHECK(story.entries().back().kind != EntryKind::send);
    story.track("ada", "Order Completed", monday + 2h, R"({"order_id":"o","total":5})");
    CHECK(rewards(story).size() == 1);
    CHECK(journeys::count(story.customer("ada"), journeys::action_decided, monday) == 1);
}

TEST_CASE("a draft decides, and nothing is given, counted or waited for", "[decide]") {
    journeys::Settings settings;
    settings.assume_permission = true; // And not every journey is live.
    auto draft = std::string{journey};
    draft.replace(draft.find("status: live"), 12, "status: draft");
    Story story{{draft}, settings, actions};
    fill_cart(story, monday);
    story.until(monday + 1h);
    CHECK(story.happened(EntryKind::decide) == std::vector<std::string>{"decide j/offer 1 gift"});
    CHECK(story.customer("ada").decisions.empty());
    CHECK(journeys::count(story.customer("ada"), journeys::action_decided, monday) == 0);
    CHECK_FALSE(data_of(story, EntryKind::decide).find("within_ms"));
}

TEST_CASE("what the actions are worth reaches open runs, their steps do not", "[decide]") {
    Story story{{journey}, {}, actions};
    fill_cart(story, monday);
    CHECK(story.happened() == std::vector<std::string>{"enter j 1"});
    story.offer(R"(
actions:
  - { id: gift, channel: email, value: 1 }
  - { id: note, channel: email, value: 90, steps: [{ name: other, send: { channel: sms, template: t, topic: cart } }] }
  - { id: nothing-else, surface: cart-page, value: 1 }
)");
    story.until(monday + 1h);
    CHECK(story.happened() == std::vector<std::string>{"decide j/offer 1 note",
                                                       "send j/offer.note.mail 1", "send j/last 1",
                                                       "end j/last 1 completed"});
    fill_cart(story, monday + 2h, "2"); // A new run is of the new version.
    story.until(monday + 3h);
    CHECK(story.happened() == std::vector<std::string>{"enter j 2", "decide j/offer 2 note",
                                                       "send j/offer.note.other 2", "send j/last 2",
                                                       "end j/last 2 completed"});
}

TEST_CASE("what was learned decides from its publication on, and is named in the decision",
          "[decide]") {
    Story story{{journey}, {}, actions};
    // `gift` never brought anything; `note` always did.
    journeys::models::DecisionContext context{.cart_value = 30};
    const auto features = journeys::models::features_of(context);
    journeys::models::LearnedRewards learned;
    learned.version = 0xabcdef0011223344;
    for (int i = 0; i < 1000; ++i) {
        learned.evidence[{"gift", "Order Completed"}].add(features, 0);
        learned.evidence[{"note", "Order Completed"}].add(features, 1);
        learned.evidence[{"nothing-else", "Product Viewed"}].add(features, 1); // Another reward.
        learned.evidence[{"gone", "Order Completed"}].add(features, 1);
    }
    fill_cart(story, monday, "1", "bob");
    story.until(monday + 1h);
    CHECK(data_of(story, EntryKind::decide).string_at("action") == "gift");
    CHECK(data_of(story, EntryKind::decide).string_at("learned").empty());
    story.use_rewards(learned);
    fill_cart(story, monday + 1h);
    story.until(monday + 2h);
    CHECK(data_of(story, EntryKind::decide).string_at("action") == "note");
    CHECK(data_of(story, EntryKind::decide).string_at("learned") == "abcdef00");
}

TEST_CASE("expressions of an action's steps are told by the action's own file", "[decide]") {
    Story story{{journey},
                {},
                R"(
actions:
  - id: gift
    channel: email
    value: 1
    steps:
      - name: mail
        send:
          channel: email
          template: gift
          topic: cart
          data:
            total: cart.value
  - { id: note, channel: email, value: 1 }
  - { id: nothing-else, channel: email, value: 1 }
)"};
    const auto uses = journeys::expressions_of(*story.catalog().journey("j"));
    const auto found = std::find_if(uses.begin(), uses.end(), [](const auto& use) {
        return use.role == "offer.gift.mail send.data.total";
    });
    REQUIRE(found != uses.end());
    CHECK(found->place == "actions.yaml:13");
    CHECK(uses.front().place == "test.yaml:4");
}

TEST_CASE("exploring draws the same in every replay, and says with which chance", "[decide]") {
    auto text = std::string{journey};
    text.replace(text.find("nothing-else] }"), 15, "nothing-else], policy: explore }");
    const auto told = [&] {
        Story story{{text}, {}, actions};
        std::vector<std::string> lines;
        for (int i = 0; i < 60; ++i)
            fill_cart(story, monday + i * 1s, "r", "user:" + std::to_string(i));
        story.until(monday + 2h);
        double sum = 0;
        for (const auto& entry : story.entries())
            if (entry.kind == EntryKind::decide) {
                const auto chance = PackedView{entry.data}.find("propensity").as_double();
                CHECK(chance >= .05);
                sum += 1 / chance;
                lines.push_back(entry.reason + ' ' + std::to_string(chance));
            }
        CHECK(lines.size() == 60);
        // Inverse chances add up to as many as were decided times the actions, about.
        CHECK(sum > 60);
        return lines;
    };
    const auto first = told();
    CHECK(first == told());
    CHECK(std::set<std::string>(first.begin(), first.end()).size() > 1);
}

TEST_CASE("only so many decisions are waited for", "[decide]") {
    Story story{{R"(
id: j
enter: { on: Product Viewed, reentry: always }
steps: [{ name: d, decide: { actions: nothing-else } }]
)"},
                {},
                actions};
    const auto view = [&](std::size_t i) {
        story.track("ada", "Product Viewed", monday + 1s * i, R"({"product_id":"p"})");
    };
    using Lines = std::vector<std::string>;
    for (std::size_t i = 0; i < journeys::bounds::decisions; ++i) view(i);
    CHECK(story.happened(EntryKind::take_back).empty());
    for (std::size_t i = 0; i < 5; ++i) view(journeys::bounds::decisions + i);
    CHECK(story.customer("ada").decisions.size() == journeys::bounds::decisions);
    CHECK(story.customer("ada").decisions.front().from == monday + 5s);
    // Of the others it is said that nobody knows what came of them: they did not fail.
    CHECK(story.happened(EntryKind::take_back) == Lines(5, "take_back  forgotten"));
    story.track("ada", "Order Completed", monday + 1h, R"({"order_id":"o","total":5})");
    CHECK(rewards(story).size() == journeys::bounds::decisions);
    CHECK(story.customer("ada").decisions.empty());
    SECTION("and those whose time is over make room in silence") {
        for (std::size_t i = 0; i < journeys::bounds::decisions; ++i) view(8'000 + i);
        story.happened();
        story.track("ada", "Product Viewed", monday + 24h * 5, R"({"product_id":"p"})");
        CHECK(story.happened(EntryKind::take_back).empty());
        CHECK(story.customer("ada").decisions.size() == 1);
    }
}
