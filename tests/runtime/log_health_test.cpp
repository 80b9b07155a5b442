#include "runtime/postgres/log_health.hpp"

#include <catch2/catch.hpp>

namespace runtime::test {

TEST_CASE("a log's health is what its commits have come to", "[log_health]") {
    LogHealth health;
    CHECK_FALSE(health.is_good()); // Nobody has seen it yet.
    health.committed();
    CHECK(health.is_good());
    health.commit_failed();
    CHECK_FALSE(health.is_good());
    health.commit_failed();
    health.committed();
    CHECK(health.is_good());
    health.append_expired();
    CHECK_FALSE(health.is_good());
    health.committed();
    CHECK(health.is_good());
}

TEST_CASE("where nothing is written a question tells", "[log_health]") {
    LogHealth health;
    health.answered(health.ask(), true);
    CHECK(health.is_good());
    health.answered(health.ask(), false);
    CHECK_FALSE(health.is_good());
    health.answered(health.ask(), true);
    CHECK(health.is_good());
}

TEST_CASE("a question's answer is older than what was written since it was asked", "[log_health]") {
    LogHealth health;
    const auto before = health.ask();
    SECTION("a failure") {
        health.commit_failed();
        health.commit_given_up();
        health.answered(before, true);
        CHECK_FALSE(health.is_good());
    }
    SECTION("an append that nobody took") {
        health.append_expired();
        health.answered(before, true);
        CHECK_FALSE(health.is_good());
    }
    SECTION("a commit: a question that is slow or cut off takes nothing back") {
        health.committed();
        health.answered(before, false);
        CHECK(health.is_good());
    }
}

TEST_CASE("while a batch is tried again no question heals, and behind it one does",
          "[log_health]") {
    LogHealth health;
    health.committed();
    health.commit_failed();
    health.answered(health.ask(), true); // As of a disk that is full.
    CHECK_FALSE(health.is_good());
    const auto meanwhile = health.ask();
    health.commit_given_up();
    CHECK_FALSE(health.is_good());
    SECTION("asked before or behind that") {
        health.answered(GENERATE(true, false) ? meanwhile : health.ask(), true);
        CHECK(health.is_good()); // Nothing else would: who is not ready gets nothing to write.
    }
    SECTION("a later append that expires is seen for itself") {
        health.append_expired();
        health.answered(meanwhile, true);
        CHECK_FALSE(health.is_good());
        health.answered(health.ask(), true);
        CHECK(health.is_good());
    }
}

} // namespace runtime::test
