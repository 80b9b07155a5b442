#include "journeys/customer.hpp"
#include "journeys/money.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace journeys;

namespace {

constexpr auto largest = Money::of_ten_thousandths(std::numeric_limits<std::int64_t>::max());
constexpr auto smallest = Money::of_ten_thousandths(std::numeric_limits<std::int64_t>::min());

std::int64_t amount(double value) { return Money::of(value).ten_thousandths(); }

} // namespace

TEST_CASE("money of a double is the decimal that people meant", "[money]") {
    CHECK(amount(19.99) == 199'900);
    CHECK(amount(0.1 + 0.2) == 3'000);
    CHECK(amount(20) == 200'000);
    CHECK(amount(-19.99) == -199'900);
    CHECK(amount(1.005) == 10'050);
    CHECK(amount(0.00005) == 1);
    CHECK(amount(0.000049999) == 0);
    CHECK(amount(0.00015) == 2);
    CHECK(amount(-0.00015) == -2);
    CHECK(amount(1.00015) == 10'002);
    CHECK(amount(-0.0) == 0);
    CHECK(amount(1e-300) == 0);
    CHECK(amount(std::nan("")) == 0);
    CHECK(Money::of(1e15) == largest);
    CHECK(Money::of(-1e15) == smallest);
    CHECK(Money::of(std::numeric_limits<double>::infinity()) == largest);
    CHECK(Money::of(-std::numeric_limits<double>::infinity()) == smallest);
}

TEST_CASE("every amount in cents survives the way through a double", "[money]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int i = 0; i < 100'000; ++i) {
        const auto cents = static_cast<std::int64_t>(random() % 100'000'000'000) - 50'000'000'000;
        const auto money = Money::of_ten_thousandths(cents * 100);
        REQUIRE(Money::of(static_cast<double>(cents) / 100.0) == money);
        REQUIRE(Money::of(money.to_double()) == money);
        REQUIRE(Money::parse(money.to_text()) == money);
    }
}

TEST_CASE("money is read from decimal text", "[money]") {
    const auto [text, expected] = GENERATE(table<std::string, std::int64_t>({
        {"0", 0},
        {"-0", 0},
        {"-12", -120'000},
        {"19.99", 199'900},
        {"1e2", 1'000'000},
        {"1E+2", 1'000'000},
        {"1.5e-1", 1'500},
        {"12345e-4", 12'345},
        {"0.00005", 1},
        {"0.00004999999", 0},
        {"-0.00005", -1},
        {"5e-5", 1},
        {"49e-6", 0},
        {"5e-6", 0},
        {"0.12345", 1'235},
        {"1e-999999999999999999999", 0},
        {"0e999999999999999999999", 0},
        {"00019.9900", 199'900},
        {"922337203685477.5807", std::numeric_limits<std::int64_t>::max()},
        {"922337203685477.5808", std::numeric_limits<std::int64_t>::max()},
        {"-922337203685477.5808", std::numeric_limits<std::int64_t>::min()},
        {"-1e99", std::numeric_limits<std::int64_t>::min()},
        {"1e999999999999999999999", std::numeric_limits<std::int64_t>::max()},
        {"99999999999999999999999999999999999", std::numeric_limits<std::int64_t>::max()},
    }));
    CAPTURE(text);
    REQUIRE(Money::parse(text));
    CHECK(Money::parse(text)->ten_thousandths() == expected);
}

TEST_CASE("what is no decimal is no money", "[money]") {
    const auto* text = GENERATE("", "-", "+1", ".5", "5.", "1,5", " 1", "1 ", "1e", "1e+", "e5",
                                "--1", "0x10", "1.2.3", "NaN", "inf", "1.e5", "20 EUR", "1'000");
    CAPTURE(text);
    CHECK_FALSE(Money::parse(text));
}

TEST_CASE("money is written with two digits, or four where it needs them", "[money]") {
    CHECK(Money::of(19.99).to_text() == "19.99");
    CHECK(Money::of(20).to_text() == "20.00");
    CHECK(Money::of(0.0625).to_text() == "0.0625");
    CHECK(Money::of(0.125).to_text() == "0.1250");
    CHECK(Money::of(-0.05).to_text() == "-0.05");
    CHECK(smallest.to_text() == "-922337203685477.5808");
    CHECK(largest.to_text() == "922337203685477.5807");
}

TEST_CASE("sums of money saturate at their ends", "[money]") {
    const auto coin = Money::of_ten_thousandths(1);
    CHECK(largest + coin == largest);
    CHECK(smallest - coin == smallest);
    CHECK(largest - coin + coin == largest);
    CHECK(coin - smallest == largest);
    CHECK(largest * 2 == largest);
    CHECK(largest * -2 == smallest);
    CHECK(smallest * -1 == largest);
    CHECK(smallest * 2 == smallest);
    CHECK(Money::of(19.99) * 3 == Money::of(59.97));
}

TEST_CASE("a cart is worth the lines that are still in it", "[money]") {
    Cart cart;
    CHECK(cart.is_empty());
    CHECK(cart.value() == Money{});
    CartLine line;
    line.price = Money::of(0.1);
    line.quantity = 3;
    cart.lines.push_back(line);
    line.price = Money::of(99);
    line.quantity = 0; // Removed.
    cart.lines.push_back(line);
    CHECK_FALSE(cart.is_empty());
    CHECK(cart.value() == Money::of(0.3));
    cart.lines[0].quantity = 0;
    CHECK(cart.is_empty());
}
