// The fit that a service makes of its own customers.

#include "runtime/service_fit.hpp"

#include "journeys/models/purchases.hpp"
#include "runtime/event_files.hpp"
#include "runtime/postgres/flush_transaction.hpp"
#include "schema/model_json.hpp"
#include "tests/runtime/log_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace runtime::test {
namespace {

const Timestamp today{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26}};

/// `count` people who order every few weeks, for about `spend`, until some of them stop.
std::vector<journeys::Customer> people(const std::string& currency, int count, double spend,
                                       std::mt19937& chance) {
    std::vector<journeys::Customer> all;
    for (int i = 0; i < count; ++i) {
        auto& customer = all.emplace_back();
        customer.id = {journeys::IdNamespace::user, currency + std::to_string(i)};
        customer.currency = currency;
        auto day = journeys::models::day_of(today) - 400 + static_cast<int>(chance() % 100);
        while (day < journeys::models::day_of(today) && chance() % 6 != 0) {
            journeys::models::add_order(
                customer.purchases, day,
                journeys::Money::of(spend * (0.5 + static_cast<double>(chance() % 100) / 100)));
            day += 10 + static_cast<int>(chance() % 60);
        }
    }
    return all;
}

struct Shop {
    void have(const std::vector<journeys::Customer>& customers) {
        for (const auto& customer : customers) {
            if (customer.purchases.empty()) continue;
            writes.push_back({.customer = customer.id,
                              .revision = 1,
                              .block = actors::Block{journeys::pack(customer)}});
        }
    }
    Result<Fitted> fit(const std::string& currency) {
        if (!writes.empty()) {
            Process process{database, clock, 1};
            const auto epoch = process.take_over(0).epoch;
            must(process.flush({.partition = 0,
                                .epoch = epoch,
                                .sequence = 1,
                                .customers = std::exchange(writes, {})}));
        }
        return fit_service(database.settings().conninfo, file(), std::nullopt, currency, today);
    }
    std::filesystem::path file() const { return folder.path() / "models.json"; }
    journeys::models::ModelSet models() const {
        return must(schema::parse_models(read_file(file()).value()));
    }

    Database database;
    TestClock clock;
    TemporaryFolder folder;
    std::vector<actors::CustomerWrite> writes;
};

} // namespace

TEST_CASE("a service fits its own customers, and what else the file holds stays", "[.postgres]") {
    std::mt19937 chance{7};
    Shop shop;
    shop.have(people("EUR", 400, 40, chance));
    const auto said = must(shop.fit("")).said;
    CHECK(said.find(" customers") != std::string::npos);
    auto first = shop.models();
    CHECK(first.currency == "EUR");
    CHECK(first.fitted_until == "2026-11-26");
    CHECK(first.cuts.vip_clv > 0);

    first.intent.emplace();
    std::ofstream{shop.file()} << schema::to_json(first);
    must(shop.fit(""));
    CHECK(shop.models().intent.has_value());

    // A file that cannot be read is put aside, not lost.
    std::ofstream{shop.file()} << "{";
    CHECK(must(shop.fit("")).said.find("models.json.unreadable") != std::string::npos);
    CHECK(read_file(shop.file().string() + ".unreadable").value() == "{");
    CHECK(shop.models().currency == "EUR");
}

TEST_CASE("too few customers leave the models as they are", "[.postgres]") {
    std::mt19937 chance{7};
    Shop shop;
    shop.have(people("EUR", 30, 40, chance));
    const auto refused = shop.fit("");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("50 are asked for") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(shop.file()));
}

TEST_CASE("a fit of several currencies asks for the workspace's, and takes it alone",
          "[.postgres]") {
    std::mt19937 chance{7};
    Shop shop;
    shop.have(people("EUR", 400, 40, chance));
    shop.have(people("JPY", 400, 6'000, chance));
    shop.have(people("", 20, 40, chance)); // Counts as whatever is asked for.
    const auto refused = shop.fit("");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("several currencies") != std::string::npos);
    must(shop.fit("EUR"));
    CHECK(shop.models().currency == "EUR");
    CHECK(*shop.models().cuts.vip_clv < 2'000);
    must(shop.fit("JPY"));
    CHECK(shop.models().currency == "JPY");
    CHECK(*shop.models().cuts.vip_clv > 2'000);
}

} // namespace runtime::test
