#include "tests/journeys/person.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tests;

namespace {

Event of(std::vector<CustomerId> ids, EventType type = EventType::track) {
    auto event = track("Product Viewed", noon);
    event.ids = std::move(ids);
    event.type = type;
    return event;
}
Event alias(CustomerId previous, CustomerId id) {
    auto event = of({std::move(id)}, EventType::alias);
    event.previous = std::move(previous);
    return event;
}
Record at(Timestamp accepted_at, std::uint64_t offset = 1) {
    Record record;
    record.offset = offset;
    record.accepted_at = accepted_at;
    return record;
}
/// Links `loser` to `winner` and unites what comes of it.
std::vector<RunId> move(Customer& loser, Person& winner, bool by_alias = false) {
    Effects effects;
    journeys::link(loser, at(noon + 1h), {winner.customer.id, by_alias}, effects);
    for (const auto& effect : effects)
        if (const auto* out = std::get_if<TransferOut>(&effect))
            return unite(winner.customer, out->transfer, *unpack(out->transfer.state), catalog(),
                         winner.effects);
    return {};
}
Run run(std::uint64_t id, std::string key, Timestamp entered_at) {
    Run run;
    run.id = {1, id};
    run.journey = "cart";
    run.key = std::move(key);
    run.entered_at = entered_at;
    return run;
}

} // namespace

TEST_CASE("nobody's ids are junk", "[identity]") {
    for (const auto* id : {"", "null", " NULL ", "undefined", "0", "-1", "(not set)",
                           "[object Object]", "00000000-0000-0000-0000-000000000000"})
        CHECK(is_junk(user(id)));
    for (const auto* id :
         {"42", "null-1", "nullable", "10000000-0000-0000-0000-000000000000", "zoë"})
        CHECK_FALSE(is_junk(user(id)));
    CHECK_FALSE(is_junk(user(std::string(512, 'x'))));
    CHECK(is_junk(user(std::string(513, 'x'))));
    CHECK(is_junk({IdNamespace::email, "ada"}));
    CHECK_FALSE(is_junk({IdNamespace::email, "ada@example.com"}));
}

TEST_CASE("the strongest id names the customer, and the first message with two ids links",
          "[identity]") {
    IdentityCache cache;
    CHECK(cache.route(of({anonymous("a")}), noon).customer == anonymous("a"));
    auto routing = cache.route(of({user("u"), anonymous("a")}), noon);
    CHECK(routing.customer == user("u"));
    REQUIRE(routing.links.size() == 1);
    CHECK(routing.links[0].loser == anonymous("a"));
    CHECK(routing.links[0].link.winner == user("u"));
    CHECK(cache.route(of({user("u"), anonymous("a")}), noon).links.empty());
    CHECK(cache.route(of({anonymous("a")}), noon).customer == user("u"));

    SECTION("a second user on the same device re-points it") {
        routing = cache.route(of({user("v"), anonymous("a")}), noon);
        CHECK(routing.customer == user("v"));
        CHECK(routing.links.size() == 1);
        CHECK(cache.route(of({anonymous("a")}), noon).customer == user("v"));
    }
    SECTION("an alias links two user ids, once, and never in a circle") {
        routing = cache.route(alias(user("old"), user("u")), noon);
        REQUIRE(routing.links.size() == 1);
        CHECK(routing.links[0].loser == user("old"));
        CHECK(routing.links[0].link.by_alias);
        CHECK(cache.route(alias(user("old"), user("u")), noon).links.empty());
        CHECK(cache.route(alias(user("u"), user("old")), noon).links.empty());
        CHECK(cache.route(of({user("old")}), noon).customer == user("u"));
    }
    SECTION("junk neither names nor links") {
        routing = cache.route(of({user("null"), anonymous("b")}), noon);
        CHECK(routing.customer == anonymous("b"));
        CHECK(routing.links.empty());
        CHECK(cache.route(of({user("undefined")}), noon).customer.value.empty());
        CHECK(cache.route(of({user("w"), anonymous("0")}), noon).links.empty());
        CHECK(cache.route(alias(user("null"), user("w")), noon).links.empty());
    }
    SECTION("an alias written the wrong way round links the weaker id") {
        routing = cache.route(alias(user("u"), anonymous("z")), noon);
        CHECK(routing.customer == user("u"));
        REQUIRE(routing.links.size() == 1);
        CHECK(routing.links[0].loser == anonymous("z"));
    }
}

TEST_CASE("what an operator knows to be nobody neither names nor links", "[identity]") {
    IdentityCache cache{{.junk = {"Kasse-1", "info@shop.example"}}};
    CHECK(cache.route(of({user(" kasse-1 ")}), noon).customer.value.empty());
    const auto routing =
        cache.route(of({user("u"), {IdNamespace::email, "info@shop.example"}}), noon);
    CHECK(routing.customer == user("u"));
    CHECK(routing.links.empty());
}

TEST_CASE("kinds of ids that must not link name a customer only where no other does",
          "[identity]") {
    IdentityCache cache{{.never_link = {IdNamespace::email}}};
    const CustomerId address{IdNamespace::email, "ada@example.com"};
    const auto routing = cache.route(of({address, anonymous("a")}), noon);
    CHECK(routing.customer == anonymous("a"));
    CHECK(routing.links.empty());
    CHECK(cache.route(of({address}), noon).customer == address);
}

TEST_CASE("an id has so many new links a day and no more", "[identity]") {
    IdentityCache cache{{.links_per_id = 3}};
    const auto device = [](int i) { return anonymous("d" + std::to_string(i)); };
    for (int i = 0; i < 3; ++i)
        CHECK(cache.route(of({user("till"), device(i)}), noon).links.size() == 1);
    auto routing = cache.route(of({user("till"), device(3)}), noon + 23h);
    CHECK(routing.customer == user("till")); // The message is the user's all the same.
    CHECK(routing.links.empty());
    CHECK(routing.refused_links == 1);
    CHECK(cache.route(of({device(3)}), noon).customer == device(3));
    CHECK(cache.route(of({user("ada"), device(3)}), noon + 23h).links.size() == 1);

    SECTION("one device of many users, too") {
        for (int i = 0; i < 3; ++i)
            CHECK(cache.route(of({user("u" + std::to_string(i)), anonymous("tablet")}), noon)
                      .links.size() == 1);
        CHECK(cache.route(of({user("u3"), anonymous("tablet")}), noon).refused_links == 1);
    }
    SECTION("what is known costs nothing") {
        for (int i = 0; i < 10; ++i)
            CHECK(cache.route(of({user("till"), device(0)}), noon).refused_links == 0);
    }
    SECTION("a failed append forgets the links, and not their count") {
        cache.forget();
        CHECK(cache.route(of({user("till"), device(4)}), noon).refused_links == 1);
    }
    SECTION("the next day begins anew") {
        CHECK(cache.route(of({user("till"), device(3)}), noon + 24h).links.size() == 1);
    }
}

TEST_CASE("who shares a cart shares the device, in the same append", "[identity]") {
    IdentityCache cache;
    const CustomerId cart{IdNamespace::token, "c"}, address{IdNamespace::email, "ada@example.com"};
    cache.route(of({anonymous("a"), cart}), noon);
    auto routing = cache.route(of({address, cart}), noon);
    CHECK(routing.customer == address);
    REQUIRE(routing.links.size() == 2);
    CHECK(routing.links[0].loser == cart);
    CHECK(routing.links[1].loser == anonymous("a"));
    CHECK(routing.links[1].link.winner == address);

    SECTION("and a known address is of the user who has it") {
        cache.route(of({user("u"), address}), noon);
        routing = cache.route(of({{IdNamespace::shopify, "7"}, address}), noon);
        CHECK(routing.customer == user("u"));
        REQUIRE(routing.links.size() == 1);
        CHECK(routing.links[0].loser == CustomerId{IdNamespace::shopify, "7"});
    }
    SECTION("a device that was a user's is not: it passes from hand to hand") {
        cache.route(of({user("u"), anonymous("b")}), noon);
        routing = cache.route(of({address, anonymous("b")}), noon);
        CHECK(routing.customer == address);
        REQUIRE(routing.links.size() == 1);
        CHECK(routing.links[0].loser == anonymous("b"));
    }
}

TEST_CASE("a tombstone passes on what a link says of the one that it stands for", "[identity]") {
    const CustomerId address{IdNamespace::email, "ada@example.com"};
    Customer cart{.id = {IdNamespace::token, "c"}};
    Effects effects;
    const auto passed_on = [&]() -> const Record* {
        for (const auto& effect : effects)
            if (const auto* out = std::get_if<ForwardOut>(&effect)) return &out->record;
        return nullptr;
    };
    journeys::link(cart, at(noon, 1), {anonymous("a")}, effects);
    CHECK(passed_on() == nullptr);

    journeys::link(cart, at(noon + 1h, 2), {address}, effects);
    REQUIRE(passed_on() != nullptr);
    CHECK(passed_on()->customer == anonymous("a")); // The device is the address's owner's, too.
    CHECK(std::get<Link>(passed_on()->body).winner == address);
    CHECK(passed_on()->forwarded_from != 0);
    CHECK(cart.forward_to == address);

    SECTION("a weaker one later is told where it belongs") {
        effects.clear();
        journeys::link(cart, at(noon + 2h, 3), {user("u")}, effects);
        CHECK(passed_on()->customer == address);
        effects.clear();
        const CustomerId other{IdNamespace::email, "eve@example.com"};
        journeys::link(cart, at(noon + 3h, 4), {other}, effects);
        REQUIRE(passed_on() != nullptr);
        CHECK(passed_on()->customer == other);
        CHECK(std::get<Link>(passed_on()->body).winner == user("u"));
        CHECK(cart.forward_to == user("u"));
    }
    SECTION("what was passed on takes nobody away from another") {
        Customer eve{.id = {IdNamespace::email, "eve@example.com"}};
        effects.clear();
        journeys::link(eve, at(noon, 1), {user("v")}, effects);
        effects.clear();
        auto record = at(noon + 1h, 2);
        record.forwarded_from = 77;
        journeys::link(eve, record, {user("u")}, effects);
        CHECK(effects.empty());
        CHECK(eve.forward_to == user("v"));
    }
}

TEST_CASE("the cache forgets what was not seen for long", "[identity]") {
    IdentityCache cache{{}, 4};
    cache.route(of({user("u"), anonymous("a")}), noon);
    for (int i = 0; i < 10; ++i) {
        cache.route(of({user("u"), anonymous("x" + std::to_string(i))}), noon);
        CHECK(cache.route(of({anonymous("a")}), noon).customer ==
              user("u")); // Is in use, so it stays.
    }
    CHECK(cache.route(of({anonymous("x0")}), noon).customer == anonymous("x0"));
}

TEST_CASE("a link makes a tombstone and sends the state on", "[identity]") {
    Person guest;
    guest.customer.id = anonymous("a");
    guest.meets(track("Product Added", noon, R"({"cart_id":"c","product_id":"p"})"));
    guest.customer.applied = 7;
    Effects effects;
    journeys::link(guest.customer, at(noon + 1h), {user("u")}, effects);
    REQUIRE(effects.size() == 2);
    const auto& out = std::get<TransferOut>(effects[0]);
    CHECK(out.to == user("u"));
    CHECK(out.transfer.loser == anonymous("a"));
    CHECK(out.transfer.id != 0);
    CHECK(unpack(out.transfer.state)->carts.size() == 1);
    CHECK(std::get<TimelineEntry>(effects[1]).kind == EntryKind::moved);
    CHECK(guest.customer.forward_to == user("u"));
    CHECK(guest.customer.carts.empty());
    CHECK(guest.customer.applied == 7);

    effects.clear();
    SECTION("again: nothing") {
        journeys::link(guest.customer, at(noon + 2h), {user("u")}, effects);
        CHECK(effects.empty());
    }
    SECTION("to another: future events go there, the history stays") {
        journeys::link(guest.customer, at(noon + 2h), {user("v")}, effects);
        REQUIRE(effects.size() == 1);
        CHECK(std::get<TimelineEntry>(effects[0]).kind == EntryKind::linked);
        CHECK(guest.customer.forward_to == user("v"));
    }
}

TEST_CASE("links that must not unite anything have no effect", "[identity]") {
    Person ada;
    ada.customer.id = user("u");
    ada.customer.known_ids = {user("old")};
    const auto before = pack(ada.customer);
    for (const auto& link : {Link{user("u"), true}, Link{user("v"), false}, Link{user("old"), true},
                             Link{anonymous("a"), true}, Link{user("null"), true}}) {
        journeys::link(ada.customer, at(noon), link, ada.effects);
        CHECK(ada.effects.empty());
        CHECK(pack(ada.customer) == before);
    }
    journeys::link(ada.customer, at(noon), {user("v"), true}, ada.effects);
    CHECK(ada.customer.forward_to == user("v"));
}

TEST_CASE("whoever a guest becomes between cart and order, nothing bought stays in a cart",
          "[identity]") {
    const auto cart = track("Product Added", noon, R"({"cart_id":"c","product_id":"p"})");
    const auto order =
        track("Order Completed", noon + 5min,
              R"({"order_id":"o","total":9,"currency":"EUR","products":[{"product_id":"p"}]})");
    const bool cart_is_guests = GENERATE(true, false);
    const bool order_is_guests = GENERATE(true, false);
    const int moved = GENERATE(0, 1, 2); // Before both, between, after both.
    const bool order_first = GENERATE(true, false);
    CAPTURE(cart_is_guests, order_is_guests, moved, order_first);
    Person guest, ada;
    guest.customer.id = anonymous("a");
    for (int turn = 0; turn < 3; ++turn) {
        if (turn == moved) ::move(guest.customer, ada);
        if (turn == 2) break;
        const bool is_order = (turn == 0) == order_first;
        const bool is_guests = is_order ? order_is_guests : cart_is_guests;
        (is_guests && !guest.customer.forward_to ? guest : ada).meets(is_order ? order : cart);
    }
    CHECK(ada.cart() == "");
    CHECK(current_cart(ada.customer)->ordered);
    CHECK(ada.customer.order_count == 1);
    CHECK(ada.customer.revenue == Money::of(9));
}

TEST_CASE("uniting twice is uniting once", "[identity]") {
    Person guest, ada;
    guest.customer.id = anonymous("a");
    guest.meets(track("Product Viewed", noon, R"({"product_id":"p"})"));
    guest.meets(track("Order Completed", noon + 1min, R"({"order_id":"o","total":9})"));
    ada.meets(track("Order Completed", noon + 1min, R"({"order_id":"o","total":9,"webhook":1})"));
    ada.meets(track("Product Viewed", noon + 1h));
    Effects effects;
    journeys::link(guest.customer, at(noon + 2h), {user("ada")}, effects);
    const auto& transfer = std::get<TransferOut>(effects[0]).transfer;
    unite(ada.customer, transfer, *unpack(transfer.state), catalog(), ada.effects);
    CHECK(ada.customer.order_count == 1);
    CHECK(ada.customer.revenue == Money::of(9));
    CHECK(count(ada.customer, "Product Viewed", noon - 1h) == 2);
    CHECK(ada.customer.known_ids == std::vector{anonymous("a")});
    CHECK(ada.customer.first_seen == noon);
    CHECK(ada.customer.dedup.size() == 4);
    const auto once = pack(ada.customer);
    const auto told = ada.effects.size();
    CHECK(unite(ada.customer, transfer, *unpack(transfer.state), catalog(), ada.effects).empty());
    CHECK(pack(ada.customer) == once);
    CHECK(ada.effects.size() == told);
}

TEST_CASE("the stricter consent wins", "[identity]") {
    Person guest, ada;
    guest.customer.id = anonymous("a");
    ada.customer.consents = {{"email", "", ConsentState::subscribed, noon, "x"},
                             {"sms", "", ConsentState::unsubscribed, noon, "x"}};
    guest.customer.consents = {{"email", "", ConsentState::unsubscribed, noon - 1h, "y"},
                               {"sms", "", ConsentState::subscribed, noon + 1h, "y"},
                               {"push", "", ConsentState::subscribed, noon, "y"}};
    ::move(guest.customer, ada);
    REQUIRE(ada.customer.consents.size() == 3);
    CHECK(ada.customer.consents[0].state == ConsentState::unsubscribed);
    CHECK(ada.customer.consents[1].state == ConsentState::unsubscribed);
    CHECK(ada.customer.consents[2].state == ConsentState::subscribed);
}

TEST_CASE("of two runs of one key the older stays", "[identity]") {
    Person guest, ada;
    guest.customer.id = anonymous("a");
    ada.customer.runs = {run(1, "x", noon), run(2, "y", noon + 1min)};
    ada.customer.runs[1].sending = Sending::pending;
    ada.customer.runs[1].intent = {5, 5};
    guest.customer.runs = {run(3, "x", noon + 1min), run(4, "y", noon), run(5, "z", noon)};
    const auto came_in = ::move(guest.customer, ada);
    CHECK(came_in == std::vector<RunId>{{1, 4}, {1, 5}});
    std::vector<RunId> left;
    for (const auto& open : ada.customer.runs) left.push_back(open.id);
    CHECK(left == std::vector<RunId>{{1, 1}, {1, 4}, {1, 5}});
    CHECK(ada.customer.ended.size() == 2);
    int ends = 0, recalls = 0;
    for (const auto& effect : ada.effects) {
        if (const auto* entry = std::get_if<TimelineEntry>(&effect))
            ends += entry->kind == EntryKind::end && entry->reason == "merged";
        if (const auto* recalled = std::get_if<IntentRecalled>(&effect))
            recalls += recalled->id == IntentId{5, 5};
    }
    CHECK(ends == 2);
    CHECK(recalls == 1);
}

TEST_CASE("what two customers remember stays within its bounds", "[identity]") {
    Person guest, ada;
    guest.customer.id = anonymous("a");
    for (int i = 0; i < 120; ++i) {
        for (auto* person : {&guest, &ada}) {
            const auto when = noon + i * 1min + (person == &ada ? 1s : 0s);
            const auto tag = std::to_string(i) + (person == &ada ? "a" : "g");
            person->meets(track("Product Viewed", when, R"({"product_id":")" + tag + "\"}"));
            person->meets(
                track("Product Added", when, R"({"product_id":"p","cart_id":")" + tag + "\"}"));
            spend(
                person->customer,
                {.at = when, .channel = "email", .intent = {person == &ada, std::uint64_t(i) + 1}});
            auto& customer = person->customer;
            for (const auto key : {2 * i, 2 * i + 1})
                customer.ended.push_back({"j", std::uint64_t(key), when, when});
            if (i < 50)
                customer.runs.push_back(run(std::uint64_t(i) * 2 + (person == &ada), tag, when));
        }
    }
    ::move(guest.customer, ada);
    const auto& customer = ada.customer;
    CHECK(customer.carts.size() == bounds::carts);
    CHECK(customer.sends.size() == bounds::sends);
    CHECK(customer.runs.size() == bounds::runs);
    CHECK(std::ranges::count(customer.ended, "j", &EndedRun::journey) == bounds::ended_keys);
    CHECK(customer.dedup.size() >= bounds::dedup_ring);
    CHECK(customer.dedup.size() <= 4 * 120); // Two hours of both.
    CHECK(customer.dedup_written.size() == customer.dedup.size());
    CHECK(customer.dedup_written.front() > noon + 119min - 2h);
    CHECK(std::ranges::is_sorted(customer.dedup_written));
    CHECK(customer.dedup_evicted == Timestamp{}); // All of the last two hours stay.
    CHECK(customer.counters[0].newest.size() == bounds::counter_exact);
    CHECK(count(customer, "Product Viewed", noon - 1h) == 240);
    CHECK(customer.session.products.size() == bounds::session_products);
}

TEST_CASE("an erased customer is empty, and a transfer that comes again brings nothing back",
          "[identity]") {
    Person guest, ada;
    guest.customer.id = anonymous("a");
    guest.meets(identify(noon, R"({"email":"a@example.com"})"));
    Effects effects;
    journeys::link(guest.customer, at(noon + 2h), {user("ada")}, effects);
    const auto& transfer = std::get<TransferOut>(effects[0]).transfer;
    unite(ada.customer, transfer, *unpack(transfer.state), catalog(), ada.effects);
    CHECK_FALSE(ada.customer.traits.empty());
    ada.effects.clear();
    erase(ada.customer, ada.effects);
    CHECK(std::get<Erased>(ada.effects.back()).customer == user("ada"));
    CHECK(ada.customer.traits.empty());
    CHECK(ada.customer.known_ids.empty());
    unite(ada.customer, transfer, *unpack(transfer.state), catalog(), ada.effects);
    CHECK(ada.customer.traits.empty());
}
