#include "journeys/customer.hpp"
#include "journeys/definition.hpp"
#include "journeys/effect.hpp"
#include "journeys/lower_case.hpp"
#include "journeys/record.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace journeys;

TEST_CASE("a version is shown by the first eight digits of its hash", "[names]") {
    CHECK(version_text(0x9f2c11d0aabbccdd) == "9f2c11d0");
    CHECK(version_text(0x00000001aabbccdd) == "00000001");
    CHECK(version_text(0) == "00000000");
}

TEST_CASE("the lower case is that of ASCII's letters, and nothing else changes", "[names]") {
    CHECK(to_lower("@AZ[`az{ 09 É\xC9\xFF") == "@az[`az{ 09 É\xC9\xFF");
    CHECK(to_lower(std::string_view{"A\0B", 3}) == std::string_view{"a\0b", 3});
    CHECK(to_lower(std::string_view{}).empty());
}

TEST_CASE("every kind of timeline entry has a name of its own", "[names]") {
    std::set<std::string_view> names;
    for (const auto kind : all_entry_kinds) names.insert(to_text(kind));
    CHECK(names.size() == all_entry_kinds.size());
    CHECK(all_entry_kinds.back() == EntryKind::moved);
    CHECK(names.count("") == 0);
    CHECK(to_text(EntryKind::no_entry) == "no_entry");
}

TEST_CASE("a record's kind is that of its body, and a forwarded event says so", "[names]") {
    Record record;
    CHECK(record.kind() == RecordKind::event);
    record.forwarded_from = 7;
    CHECK(record.kind() == RecordKind::forward);
    record.body = Publish{};
    CHECK(record.kind() == RecordKind::publish);
    record.body = Link{};
    CHECK(record.kind() == RecordKind::link);
    record.body = Transfer{};
    CHECK(record.kind() == RecordKind::transfer);
    record.body = Settled{};
    CHECK(record.kind() == RecordKind::settled);
    record.body = Erasure{};
    CHECK(record.kind() == RecordKind::erasure);
}

TEST_CASE("the next date is the earliest of the timers", "[names]") {
    Customer customer;
    CHECK(next_date(customer) == no_time);
    customer.dates.resize(3);
    CHECK(next_date(customer) == no_time);
    customer.dates[1].due = from_millis(2000);
    customer.dates[2].due = from_millis(1000);
    CHECK(next_date(customer) == from_millis(1000));
}
