#include "journeys/customer.hpp"
#include "journeys/local_time.hpp"
#include "journeys/packed.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

std::string packed_map(std::string_view key, std::string_view value) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key(key);
    writer.string(value);
    writer.end_map(mark, 1);
    return writer.take();
}

/// A customer in the middle of a cart reminder: what most of those in memory look like.
Customer typical() {
    const auto now = *parse_timestamp("2026-06-01T12:00:00.250Z");
    Customer customer;
    customer.id = {IdNamespace::user, "u-1042"};
    customer.known_ids.push_back({IdNamespace::anonymous, "7f0c2a4e-91b3-4a57"});
    customer.applied = 81'234;
    customer.revision = 17;
    customer.publication = 0x9f2c11d0aabbccdd;
    customer.now = now;
    customer.accepted_at = now + 180ms;
    customer.first_seen = now - 24h * 80;
    customer.last_seen = now;
    customer.traits = packed_map("email", "ada@example.com");
    customer.traits_at = now - 24h * 80;
    customer.timezone = "Europe/Berlin";
    customer.locale = "de-DE";
    customer.country = "DE";
    customer.consents.push_back(
        {"email", "", ConsentState::subscribed, now - 24h * 80, "identify"});
    Cart cart;
    cart.id = "c-7";
    cart.currency = "EUR";
    cart.updated_at = now - 5min;
    for (const auto* product : {"p-100", "p-200"}) {
        CartLine line;
        line.product_id = product;
        line.name = "A chair made of oak";
        line.category = "Chairs";
        line.url = std::string{"https://shop.example/"} + product;
        line.price = Money::of(19.99);
        line.quantity = 2;
        line.changed_at = now - 5min;
        cart.lines.push_back(line);
    }
    customer.carts.push_back(cart);
    customer.carts_made = 1;
    customer.session.id = "s-1";
    customer.session.started_at = now - 20min;
    customer.session.last_at = now;
    customer.session.views = 6;
    customer.session.events = 9;
    customer.session.products = {"p-200", "p-100"};
    Run run;
    run.id = {0x1122334455667788, 0x99aabbccddeeff00};
    run.journey = "cart-abandon";
    run.version = 0x9f2c11d0aabbccdd;
    run.key = "c-7";
    run.cart_id = "c-7";
    run.customer_at_entry = customer.id;
    run.entered_at = now - 6min;
    run.entry_message = 0x0102030405060708;
    run.event = packed_map("name", "Product Added");
    run.step = 1;
    run.base = now - 6min;
    run.due = now + 39min;
    run.step_reached = now - 6min;
    customer.runs.push_back(run);
    for (std::uint64_t i = 1; i <= 5; ++i) {
        customer.dedup.push_back(i * 0x9e3779b97f4a7c15);
        customer.dedup_written.push_back(now - 6min + 1min * static_cast<int>(i));
    }
    return customer;
}

/// A customer with something in every field, each value drawn anew.
class Anybody {
public:
    explicit Anybody(std::uint64_t seed) : random_(seed) {}

    Customer operator()() {
        Customer c;
        c.now = time();
        c.id = id();
        fill(c.known_ids, [&] { return id(); });
        if (flag()) c.forward_to = id();
        fill(c.transfers, [&] { return random_(); });
        c.applied = number();
        c.revision = number();
        c.publication = random_();
        c.accepted_at = time();
        c.first_seen = time();
        c.last_seen = time();
        c.last_order_at = time();
        c.traits = packed();
        c.traits_at = time();
        c.timezone = text();
        c.locale = text();
        c.country = text();
        fill(c.consents, [&] {
            return Consent{text(), text(), static_cast<ConsentState>(below(4)),
                           time(), text(), text()};
        });
        fill(c.suppressions, [&] { return Suppression{text(), random_(), text(), time()}; });
        fill(c.active_hours, [&] { return static_cast<std::uint16_t>(random_()); });
        fill(c.carts, [&] { return cart(); });
        c.carts_made = static_cast<std::uint32_t>(random_());
        fill(c.orders, [&] { return order(); });
        fill(c.older_orders, [&] { return random_(); });
        c.order_count = signed_number();
        c.revenue = money();
        c.currency = text();
        std::int32_t day = static_cast<std::int32_t>(below(20'000));
        fill(c.purchases.days, [&] {
            day += 1 + static_cast<std::int32_t>(below(1'000));
            return models::PurchaseDay{day, static_cast<std::int32_t>(below(9)), money()};
        });
        if (!c.purchases.days.empty()) c.purchases.folded_days = signed_number();
        c.purchases.folded_until = static_cast<std::int32_t>(random_());
        c.purchases.folded_spend = money();
        c.lifecycle = {static_cast<Stage>(below(6)),         flag(), time(), time(),
                       static_cast<std::int32_t>(random_()), {}};
        fill(c.lifecycle.entered_by_risk, [&] { return random_(); });
        c.session = session();
        fill(c.counters, [&] {
            Counter counter;
            counter.name = text();
            fill(counter.newest, [&] { return Counter::Occurrence{time(), packed()}; });
            fill(counter.hours, [&] {
                return Counter::Hour{signed_number(), static_cast<std::uint32_t>(random_())};
            });
            return counter;
        });
        fill(c.newest_events, [&] { return NewestEvent{text(), time(), packed()}; });
        fill(c.runs, [&] { return run(); });
        fill(c.ended, [&] { return EndedRun{text(), random_(), time(), time()}; });
        fill(c.goals, [&] {
            return GoalWatch{text(), random_(), {random_(), random_()}, text(), step(), flag(),
                             time(), time()};
        });
        fill(c.sends, [&] {
            return SendMark{time(), text(), text(), {random_(), random_()}, flag()};
        });
        fill(c.refusals, [&] {
            return Refusal{text(),
                           random_(),
                           static_cast<NoEntry>(below(11)),
                           static_cast<std::uint32_t>(below(1 << 20)),
                           time(),
                           static_cast<std::uint32_t>(below(1 << 12))};
        });
        fill(c.dates, [&] {
            return DateTimer{text(), static_cast<std::int32_t>(random_()),
                             static_cast<std::int32_t>(random_()), time()};
        });
        fill(c.decisions, [&] {
            return DecisionWatch{{random_(), random_()}, text(), text(), time(), time()};
        });
        fill(c.rewarded, [&] {
            return RewardedDecision{{{random_(), random_()}, text(), text(), time(), time()},
                                    random_(),
                                    money(),
                                    time()};
        });
        fill(c.dedup, [&] { return random_(); });
        for (std::size_t i = 0; i < c.dedup.size(); ++i) c.dedup_written.push_back(time());
        c.dedup_evicted = time();
        return c;
    }

private:
    std::uint64_t below(std::uint64_t end) { return random_() % end; }
    bool flag() { return below(2) == 1; }
    std::uint64_t number() { return random_() >> below(64); }
    std::int64_t signed_number() { return static_cast<std::int64_t>(random_()) >> below(64); }
    Money money() { return Money::of_ten_thousandths(signed_number()); }
    std::uint16_t step() { return static_cast<std::uint16_t>(random_()); }
    Timestamp time() {
        switch (below(5)) {
        case 0: return {};
        case 1: return no_time;
        case 2: return timestamp_min;
        case 3: return from_millis(1'800'000'000'000 + static_cast<std::int64_t>(below(1'000'000)));
        default:
            return from_millis(std::uniform_int_distribution<std::int64_t>{
                to_millis(timestamp_min), to_millis(timestamp_max)}(random_));
        }
    }
    std::string text() {
        std::string text(below(30), ' ');
        for (char& c : text) c = static_cast<char>(random_());
        return text;
    }
    std::string packed() { return flag() ? packed_map(text(), text()) : std::string{}; }
    CustomerId id() { return {static_cast<IdNamespace>(below(5)), text()}; }
    Cart cart() {
        Cart cart;
        cart.id = text();
        cart.made_here = flag();
        fill(cart.lines, [&] {
            CartLine line;
            line.product_id = text();
            line.sku = text();
            line.name = text();
            line.category = text();
            line.url = text();
            line.image_url = text();
            line.price = money();
            line.quantity = signed_number();
            line.changed_at = time();
            return line;
        });
        cart.currency = text();
        cart.mixed_currencies = flag();
        cart.updated_at = time();
        cart.emptied_at = time();
        cart.ordered = flag();
        cart.checkout_id = text();
        cart.order_id = text();
        cart.joined_by_guess = flag();
        return cart;
    }
    Order order() {
        Order order;
        order.id = text();
        fill(order.items, [&] {
            OrderLine line;
            line.product_id = text();
            line.sku = text();
            line.name = text();
            line.category = text();
            line.price = money();
            line.quantity = signed_number();
            return line;
        });
        order.total = money();
        order.refunded = money();
        order.currency = text();
        order.placed_at = time();
        order.status = static_cast<OrderStatus>(below(3));
        order.coupon = text();
        order.cart_id = text();
        order.changed_at = time();
        order.confirmed = flag();
        return order;
    }
    Session session() {
        Session session;
        session.id = text();
        session.started_at = time();
        session.last_at = time();
        session.views = signed_number();
        session.events = signed_number();
        fill(session.products, [&] { return text(); });
        fill(session.categories, [&] { return text(); });
        session.referrer = text();
        session.campaign = text();
        session.end_announced = flag();
        return session;
    }
    Run run() {
        Run run;
        run.id = {random_(), random_()};
        run.journey = text();
        run.version = random_();
        run.key = text();
        run.cart_id = text();
        run.customer_at_entry = id();
        run.entered_at = time();
        run.entry_message = random_();
        run.event = packed();
        run.last_event = packed();
        run.held_out = flag();
        run.step = step();
        run.base = time();
        run.due = time();
        run.wait_limit = time();
        run.step_reached = time();
        run.sending = static_cast<Sending>(below(5));
        if (flag()) run.intent = {random_(), random_()};
        run.expires_at = time();
        run.last_hand_over = time();
        run.frozen_data = packed();
        fill(run.events, [&] { return packed(); });
        fill(run.coupons, [&] { return RunCoupon{text(), text(), time()}; });
        fill(run.sent, [&] {
            return SentStep{text(), time(), time(), static_cast<IntentState>(below(6)),
                            time(), time(), time()};
        });
        return run;
    }
    template <class Item, class Make> void fill(std::vector<Item>& items, Make make) {
        for (auto left = below(4); left > 0; --left) items.push_back(make());
    }

    std::mt19937_64 random_;
};

/// What every block must do, whatever its bytes: be refused as invalid, or read and be written the
/// same.
bool is_read_and_written_the_same(const std::string& block) {
    const std::string exact{block.data(),
                            block.size()}; // So that ASan sees each byte read past its end.
    const auto customer = unpack(exact);
    if (!customer) {
        REQUIRE(customer.error().code == ErrorCode::invalid_state);
        return false;
    }
    REQUIRE(pack(*customer) == exact);
    return true;
}

std::string to_hex_text(const std::string& bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        text += digits[byte >> 4];
        text += digits[byte & 0xf];
        if (i % 32 == 31 || i + 1 == bytes.size()) text += '\n';
    }
    return text;
}

std::string from_hex_text(std::istream& in) {
    std::string bytes;
    for (char high = 0, low = 0; in >> high >> low;)
        bytes += static_cast<char>(std::stoi(std::string{high, low}, nullptr, 16));
    return bytes;
}

} // namespace

TEST_CASE("an empty customer comes back as it was", "[codec]") {
    const auto block = pack(Customer{});
    CHECK(is_read_and_written_the_same(block));
    CHECK(block.size() < 100);
}

TEST_CASE("a typical customer comes back as it was, within its size", "[codec]") {
    const auto block = pack(typical());
    CHECK(block.size() <= 600);
    REQUIRE(is_read_and_written_the_same(block));
    const auto customer = *unpack(block);
    CHECK(customer.id == typical().id);
    CHECK(customer.now == typical().now);
    REQUIRE(customer.carts.size() == 1);
    CHECK(customer.carts[0].value() == Money::of(79.96));
    REQUIRE(customer.runs.size() == 1);
    CHECK(customer.runs[0].due == typical().runs[0].due);
    CHECK(customer.runs[0].wait_limit == no_time);
    CHECK(customer.runs[0].last_hand_over == Timestamp{});
    CHECK(customer.dedup_written == typical().dedup_written);
}

TEST_CASE("any customer comes back as it was", "[codec]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    Anybody anybody{seed};
    for (int i = 0; i < 500; ++i) REQUIRE(is_read_and_written_the_same(pack(anybody())));
}

TEST_CASE("a customer is read into what another one has left", "[codec]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    Anybody anybody{seed};
    Customer used;
    for (int i = 0; i < 500; ++i) {
        const auto block = pack(i % 7 == 0 ? typical() : i % 11 == 0 ? Customer{} : anybody());
        if (i % 13 == 0) (void)unpack(block.substr(0, block.size() / 2), used); // Half of it.
        REQUIRE((i % 2 == 0 ? unpack_own(block, used) : unpack(block, used)).has_value());
        REQUIRE(pack(used) == block);
    }
}

TEST_CASE("a block cut short at any byte is refused", "[codec]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    for (const auto& customer : {typical(), Anybody{seed}()}) {
        const auto block = pack(customer);
        for (std::size_t size = 0; size < block.size(); ++size) {
            CAPTURE(size);
            REQUIRE_FALSE(is_read_and_written_the_same(block.substr(0, size)));
        }
        CHECK_FALSE(is_read_and_written_the_same(block + '\0'));
    }
}

TEST_CASE("a block with a flipped bit is refused, or is another customer's", "[codec]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    for (const auto& customer : {typical(), Anybody{seed}()}) {
        auto block = pack(customer);
        for (std::size_t i = 0; i < block.size(); ++i) {
            for (int bit = 0; bit < 8; ++bit) {
                block[i] = static_cast<char>(block[i] ^ (1 << bit));
                is_read_and_written_the_same(block);
                block[i] = static_cast<char>(block[i] ^ (1 << bit));
            }
        }
    }
}

TEST_CASE("hostile bytes are survived", "[codec]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto good = pack(typical());
    for (int i = 0; i < 20'000; ++i) {
        auto block = good;
        for (auto edits = 1 + random() % 8; edits > 0; --edits) {
            // Often bytes that make sizes huge.
            const auto byte = random() % 2 ? '\xff' : static_cast<char>(random());
            block[1 + random() % (block.size() - 1)] = byte;
        }
        is_read_and_written_the_same(block);
    }
    CHECK_FALSE(unpack(std::string(17 * 1024 * 1024, '\1')).has_value());
    CHECK_FALSE(unpack(std::string(1024 * 1024, '\1')).has_value());
}

TEST_CASE("a block of another schema version is refused by name", "[codec]") {
    auto block = pack(typical());
    for (const char version : {'\0', '\7', '\xff'}) {
        block[0] = version;
        const auto customer = unpack(block);
        REQUIRE_FALSE(customer.has_value());
        CHECK(customer.error().detail == "the customer's state has schema version " +
                                             std::to_string(static_cast<unsigned char>(version)) +
                                             "; this program reads versions up to 6");
    }
}

TEST_CASE("a customer as version 1 wrote it is read for ever", "[codec][golden]") {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v1.bin.hex"};
    const auto customer = unpack(from_hex_text(file));
    REQUIRE(customer.has_value());
    CHECK(customer->carts.at(0).lines.at(1).product_id == "p-200");
    CHECK(customer->runs.at(0).journey == "cart-abandon");
    CHECK(pack(*customer) == pack(typical()));
}

TEST_CASE("a customer as version 2 wrote it is read for ever", "[codec][golden]") {
    auto customer = typical();
    customer.consents[0].text_version = "2026-05";
    customer.consents.push_back({"sms", "", ConsentState::pending, customer.now - 1h, "form"});
    customer.suppressions.push_back({"email", 0x1122334455667788, "bounce", customer.now - 2h});
    customer.active_hours.resize(24);
    customer.active_hours[20] = 7;
    customer.runs[0].sent.push_back({.step = "touch",
                                     .scheduled = customer.now - 3h,
                                     .at = customer.now - 2h,
                                     .state = IntentState::accepted,
                                     .delivered_at = customer.now - 2h + 1s,
                                     .opened_at = customer.now - 1h});
    customer.runs[0].sending = Sending::revoked;
    customer.refusals.push_back(
        {"win-back", 0x1122334455667788, NoEntry::reentry, 0, customer.now});
    customer.refusals.push_back(
        {"browse-abandon", 0x99aabbccddeeff00, NoEntry::when, 14, customer.now});
    for (const int day : {20'000, 20'031, 20'040})
        models::add_order(customer.purchases, day, Money::of(19.99 + day));
    customer.purchases.folded_days = 2;
    customer.purchases.folded_until = 20'010;
    customer.purchases.folded_spend = Money::of(12.5);
    customer.lifecycle = {Stage::at_risk, true, customer.now, customer.now + 24h, 20'040, {7, 8}};
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v2.bin.hex"};
    const auto block = from_hex_text(file);
    REQUIRE(unpack(block).has_value());
    CHECK(pack(*unpack(block)) == pack(customer));
}

TEST_CASE("a customer as version 3 wrote it is read for ever", "[codec][golden]") {
    auto customer = typical();
    customer.dates.push_back({"birthday", 20'590, DateTimer::no_day, customer.now + 24h * 9});
    customer.dates.push_back({"renewal", DateTimer::no_day, 20'600, no_time});
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v3.bin.hex"};
    const auto block = from_hex_text(file);
    REQUIRE(unpack(block).has_value());
    CHECK(pack(*unpack(block)) == pack(customer));
}

TEST_CASE("a customer as version 4 wrote it is read for ever", "[codec][golden]") {
    auto customer = typical();
    customer.runs.at(0).events = {packed_map("name", "Product Added"),
                                  packed_map("name", "Cart Updated")};
    customer.refusals.push_back({"trial", 7, NoEntry::testers, 0, customer.now});
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v4.bin.hex"};
    const auto block = from_hex_text(file);
    REQUIRE(unpack(block).has_value());
    CHECK(pack(*unpack(block)) == pack(customer));
}

TEST_CASE("a refusal keeps its line and its condition in one number", "[codec]") {
    Customer customer = typical();
    const auto kept = [&](std::uint32_t line, std::uint32_t condition) {
        customer.refusals = {{"j", 1, NoEntry::when, line, customer.now, condition}};
        const auto read = unpack(pack(customer));
        REQUIRE(read.has_value());
        return std::pair{read->refusals.at(0).line, read->refusals.at(0).condition};
    };
    CHECK(kept(0, 0) == std::pair{0u, 0u});
    CHECK(kept(14, 0) == std::pair{14u, 0u}); // As they were written before conditions were kept.
    CHECK(kept(14, 1) == std::pair{14u, 1u});
    CHECK(kept((1 << 20) - 1, (1 << 12) - 1) == std::pair{(1u << 20) - 1, (1u << 12) - 1});
    CHECK(kept(1 << 20, 2) == std::pair{(1u << 20) - 1, 2u});
    CHECK(kept(14, 1 << 12) == std::pair{14u, 0u}); // Beyond what is kept, it is unknown.
}

TEST_CASE("the release before reads what is written for it", "[codec][golden]") {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v5.bin.hex"};
    const auto as_it_wrote = from_hex_text(file);
    REQUIRE(static_cast<std::uint8_t>(as_it_wrote[0]) == customer_schema_version_before);
    auto customer = unpack(as_it_wrote);
    REQUIRE(customer.has_value());
    CHECK(pack_for_release_before(*customer) == as_it_wrote);
    // What it has no field for is left out, and nothing else.
    customer->rewarded.push_back({});
    CHECK(pack_for_release_before(*customer) == as_it_wrote);
}

TEST_CASE("a customer as version 5 wrote it is read for ever", "[codec][golden]") {
    auto customer = typical();
    customer.decisions.push_back({{0x1122334455667788, 0x99aabbccddeeff00},
                                  "free-shipping",
                                  "Order Completed",
                                  customer.now - 1h,
                                  customer.now + 24h * 7});
    customer.decisions.push_back({{1, 2}, "", "Product Viewed", customer.now, customer.now + 1h});
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/golden/customer_v5.bin.hex"};
    const auto block = from_hex_text(file);
    REQUIRE(unpack(block).has_value());
    CHECK(pack(*unpack(block)) == pack(customer));
}

TEST_CASE("a customer as version 6 wrote it is read for ever", "[codec][golden]") {
    auto customer = typical();
    customer.rewarded.push_back({{{0x1122334455667788, 0x99aabbccddeeff00},
                                  "free-shipping",
                                  "Order Completed",
                                  customer.now - 24h,
                                  customer.now + 24h * 7},
                                 0x0123456789abcdef,
                                 Money::of(19.99),
                                 customer.now});
    customer.runs.at(0).coupons = {{"spring", "SPRING-1A2B", customer.now + 24h * 30},
                                   {"thanks", "T-1", no_time}};
    const auto* path = SOJOURN_SOURCE_DIR "/tests/golden/customer_v6.bin.hex";
    if (std::getenv("UPDATE_GOLDEN")) std::ofstream{path} << to_hex_text(pack(customer));
    std::ifstream file{path};
    const auto block = from_hex_text(file);
    REQUIRE(unpack(block).has_value());
    CHECK(pack(*unpack(block)) == pack(customer));
    CHECK(pack(*unpack(block)) == block);
}

TEST_CASE("of a block from before purchases were kept, they are those of its orders", "[codec]") {
    auto customer = typical();
    customer.currency = "EUR";
    const auto add = [&](const char* id, int day, double total, OrderStatus status) {
        Order order;
        order.id = id;
        order.currency = "EUR";
        order.total = Money::of(total);
        order.placed_at = Timestamp{std::chrono::hours{24 * day + 7}};
        order.status = status;
        order.confirmed = true;
        customer.orders.push_back(order);
    };
    add("o-1", 20'000, 10, OrderStatus::placed);
    add("o-2", 20'007, 20, OrderStatus::cancelled);
    add("o-3", 20'014, 30, OrderStatus::placed);
    customer.orders.back().refunded = Money::of(5);
    add("o-4", 20'014, 40, OrderStatus::placed);
    customer.consents.clear();
    customer.runs.clear(); // Version 4 added to them.
    customer.locale = "de-DE";
    customer.country = "DE";
    auto block = pack(customer);
    // What version 2 added: hours behind the consents and suppressions, of which there are none;
    // at the end refusals, purchases and a lifecycle that has not begun.
    const std::string before_hours{"\5de-DE\2DE\0\0", 11};
    const auto at = block.find(before_hours);
    REQUIRE(at != std::string::npos);
    REQUIRE(block.at(at + before_hours.size()) == 0);
    block.erase(at + before_hours.size(), 1);
    // And versions 3, 5 and 6: no date, no decision, no reward.
    constexpr std::size_t newer_fields = 11 + 1 + 1 + 1;
    block.resize(block.size() - newer_fields);
    block[0] = 1;
    const auto read = unpack(block);
    REQUIRE(read.has_value());
    models::Purchases expected;
    models::add_order(expected, 20'000, Money::of(10));
    models::add_order(expected, 20'014, Money::of(25));
    models::add_order(expected, 20'014, Money::of(40));
    CHECK(read->purchases == expected);
    CHECK(read->lifecycle.since == Timestamp{});
}

TEST_CASE("packing and unpacking a typical customer, timed", "[codec][.bench]") {
    const auto customer = typical();
    const auto start = std::chrono::steady_clock::now();
    constexpr int rounds = 200'000;
    std::size_t bytes = 0;
    for (int i = 0; i < rounds; ++i) bytes += unpack(pack(customer))->id.value.size();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    WARN(spent.count() / rounds << " ns for both, " << pack(customer).size() << " bytes");
    CHECK(bytes == rounds * customer.id.value.size());
}
