#include "schema/journey_yaml.hpp"

#include <catch2/catch.hpp>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

JourneyPtr load(const std::string& text) {
    auto result = schema::load_journey("j.yaml", text, {});
    for (const auto& mistake : result.mistakes)
        if (!mistake.is_warning) FAIL(schema::to_text(mistake));
    REQUIRE(result.journey);
    return result.journey;
}

std::string head(const std::string& rest = "") {
    return "id: j\nenter: { on: Product Added, reentry: always }\n" + rest;
}

StepIndex at(const Journey& journey, std::string_view path) {
    const auto* step = journey.find_step(path);
    if (step == nullptr) FAIL("no step " << path);
    return static_cast<StepIndex>(step - journey.steps.data());
}

} // namespace

TEST_CASE("a journey is read whole", "[schema]") {
    const auto journey = load(R"(
id: cart-abandon
title: Cart reminder
owner: lifecycle
tags: [a, b]
status: live
priority: 60
from: 2026-01-01
rollout: 25%
enter:
  on: [Product Added, Cart Updated]
  when:
    - cart.value >= 20
    - size(cart.items) > 0
  key: cart.id
  reentry: { after: 7d, per: customer }
exit:
  - { on: Order Completed, reason: purchased }
  - { when: size(cart.items) == 0 }
goal: { on: Order Completed, within: 5d }
holdout: 10%
steps:
  - name: first-wait
    wait: { for: 1h30m, restart_on: [Product Viewed], at_most: 6h }
  - name: touch
    send:
      channel: email
      template: t
      topic: cart
      expires: 12h
      data:
        items: cart.items
        seen: run.event.properties.url
)");
    CHECK(journey->id == "cart-abandon");
    CHECK(journey->status == Status::live);
    CHECK(journey->priority == 60);
    CHECK(journey->holdout == Approx(0.1));
    CHECK(journey->enter.on == std::vector<std::string>{"Product Added", "Cart Updated"});
    CHECK(journey->enter.when.size() == 2);
    CHECK(journey->enter.when[1].line == 14);
    CHECK(journey->enter.key_is_cart);
    CHECK(journey->enter.rollout == Approx(0.25));
    CHECK(journey->enter.from.has_value());
    CHECK(journey->enter.reentry.per_customer);
    CHECK(journey->enter.reentry.after == 7 * 24h);
    REQUIRE(journey->exits.size() == 2);
    CHECK(journey->exits[0].reason == "purchased");
    CHECK(journey->exits[1].reason == "exit");
    REQUIRE(journey->goals.size() == 1);
    CHECK(journey->goals[0].within == 5 * 24h);
    REQUIRE(journey->steps.size() == 2);
    const auto& wait = std::get<WaitFor>(journey->steps[0].action);
    CHECK(wait.duration == 90min);
    CHECK(wait.at_most == 6h);
    const auto& send = std::get<Send>(journey->steps[1].action);
    CHECK(send.data.size() == 2);
    CHECK(send.expires == 12h);
    CHECK(journey->properties_read == std::vector<std::string>{"url"});
    CHECK(journey->first == 0);
    CHECK(journey->steps[0].next == 1);
    CHECK(journey->steps[1].next == end_of_run);
}

TEST_CASE("blocks lie flat, and each leads on to what follows it", "[schema]") {
    const auto journey = load(head(R"(
steps:
  - split:
      variants:
        A: { weight: 50, steps: [ { wait: { for: 1h } }, { wait: { for: 2h } } ] }
        B: { weight: 50, steps: [] }
  - wait:
      for_event: Product Viewed
      at_most: 1d
      then:
        - wait: { for: 1m }
  - branch:
      - when: cart.value > 10.0
        steps:
          - name: inner
            branch:
              - when: cart.value > 20.0
                steps: [ { wait: { for: 3m } } ]
      - otherwise:
          - exit: { reason: small }
  - wait: { for: 4m }
)"));
    const auto& steps = journey->steps;
    const auto& split = std::get<Split>(steps[at(*journey, "1")].action);
    CHECK(split.variants[0].first == at(*journey, "1.A.1"));
    CHECK(split.variants[1].first == at(*journey, "2"));
    CHECK(steps[at(*journey, "1.A.1")].next == at(*journey, "1.A.2"));
    CHECK(steps[at(*journey, "1.A.2")].next == at(*journey, "2"));
    const auto& wait = std::get<WaitForEvent>(steps[at(*journey, "2")].action);
    CHECK(wait.then == at(*journey, "2.then.1"));
    CHECK(wait.timeout == at(*journey, "3"));
    CHECK(steps[at(*journey, "2.then.1")].next == at(*journey, "3"));
    const auto& branch = std::get<Branch>(steps[at(*journey, "3")].action);
    CHECK(branch.arms[0].first == at(*journey, "inner"));
    CHECK(branch.arms[1].first == at(*journey, "3.otherwise.1"));
    CHECK_FALSE(branch.arms[1].when.has_value());
    CHECK(steps[at(*journey, "inner")].next == at(*journey, "4"));
    CHECK(steps[at(*journey, "3.when0.1.when0.1")].next == at(*journey, "4"));
}

TEST_CASE("skipping a past date skips the steps up to the next wait", "[schema]") {
    const auto journey = load(head(R"(
steps:
  - wait: { until: { date: 'timestamp("2026-12-24T00:00:00Z")', offset: -3d, past: skip } }
  - update: { set: { seen: now } }
  - wait: { until: { time: "09:00", weekdays: [mon, tue], timezone: Europe/Berlin } }
)"));
    const auto& date = std::get<WaitUntilDate>(journey->steps[0].action);
    CHECK(date.offset == -72h);
    CHECK(date.after_skip == 2);
    const auto& time = std::get<WaitUntilTime>(journey->steps[2].action);
    CHECK(time.time == 9h);
    CHECK(time.weekdays == 0b110);
    CHECK_FALSE(time.zone.of_customer);
}

TEST_CASE("a version is what the file means, not how it looks", "[schema]") {
    const auto base = load(head("steps:\n  - wait: { for: 1h }\n"))->version;
    CHECK(load("# hello\n" +
               head("title: x\nnotes: y\nowner: z\ntags: [t]\nsteps:\n- wait:\n    for: '1h'\n"))
              ->version == base);
    CHECK(load(head("steps:\n  - wait: { for: 2h }\n"))->version != base);
    CHECK(load(head("priority: 51\nsteps:\n  - wait: { for: 1h }\n"))->version != base);
}

TEST_CASE("what events carry is kept only as far as the file reads it", "[schema]") {
    const auto journey = load(R"(
id: j
enter: { on: Product Added, when: event.properties.price > 3.0, reentry: always }
exit: [ { on: Order Completed, when: 'run.event.properties["cart"] == event.properties.cart_id' } ]
steps:
  - update: { set: { last: run.last_event.properties.url } }
)");
    CHECK(journey->properties_read == std::vector<std::string>{"cart", "cart_id", "price", "url"});
    const auto all = load(head(
        "steps:\n  - call:\n      channel: crm\n      data:\n        all: run.event.properties\n"));
    CHECK(all->properties_read == std::vector<std::string>{"*"});
}

TEST_CASE("two files with one id are a mistake", "[schema]") {
    const auto journey = load(head("steps:\n  - wait: { for: 1h }\n"));
    const std::vector<JourneyPtr> both{journey, journey};
    CHECK(schema::check_together(both).size() == 1);
    CHECK(schema::check_together(std::span{both}.first(1)).empty());
}
