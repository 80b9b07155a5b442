#include "runtime/failpoint.hpp"

#include "actors/failpoint.hpp"
#include "journeys/mutant.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

namespace runtime::test {
namespace {

#ifdef SOJOURN_FAILPOINTS

struct Disarm {
    ~Disarm() {
        (void)arm_failpoints("");
        journeys::become(journeys::Mutant::none);
    }
};

} // namespace

TEST_CASE("a failpoint acts at every passage, or at the one that is named") {
    const Disarm at_the_end;
    CHECK_FALSE(actors::failpoint("apply.before"));
    REQUIRE(arm_failpoints("apply.before:error,settle.after:error@2").has_value());
    CHECK(actors::failpoint("apply.before"));
    CHECK(actors::failpoint("apply.before"));
    CHECK_FALSE(actors::failpoint("apply.after"));
    CHECK_FALSE(actors::failpoint("settle.after"));
    CHECK(actors::failpoint("settle.after"));
    CHECK_FALSE(actors::failpoint("settle.after"));
}

TEST_CASE("a failpoint counts from another one's passage on") {
    const Disarm at_the_end;
    REQUIRE(arm_failpoints("walk.before@2>apply.after:error@2").has_value());
    for (int i = 0; i < 3; ++i) CHECK_FALSE(actors::failpoint("apply.after"));
    CHECK_FALSE(actors::failpoint("walk.before"));
    for (int i = 0; i < 3; ++i) CHECK_FALSE(actors::failpoint("apply.after"));
    CHECK_FALSE(actors::failpoint("walk.before"));
    CHECK_FALSE(actors::failpoint("apply.after"));
    CHECK(actors::failpoint("apply.after"));
    CHECK_FALSE(actors::failpoint("apply.after"));
    REQUIRE(arm_failpoints("walk.before@1>walk.before:error").has_value());
    CHECK(actors::failpoint("walk.before")); // From the passage that counts.
}

TEST_CASE("what is no failpoint is refused") {
    const Disarm at_the_end;
    for (const char* text :
         {"apply:kill", "apply.during:kill", "aply.before:kill", "apply.before", "apply.before:die",
          "apply.before:kill@0", "apply.before:kill@x", "apply.before:delay",
          "apply.before:delay:x", "apply.before:kill,apply.after", "apply.before>walk.before:kill",
          "apply.before@0>walk.before:kill", "apply@1>walk.before:kill", ">walk.before:kill",
          "walk.before@1>", "apply.before@1>walk.before"}) {
        INFO(text);
        CHECK_FALSE(arm_failpoints(text).has_value());
    }
    for (const char* text : {"", "apply.before:kill", "apply.after:delay:10", "claim.before:hang@7",
                             "apply.before@3>walk.before:delay:10@7"}) {
        INFO(text);
        CHECK(arm_failpoints(text).has_value());
    }
}

TEST_CASE("the environment names one mutant, and an unknown one is refused") {
    const Disarm at_the_end;
    ::setenv("SOJOURN_MUTANT", "no-dedup", 1);
    CHECK(arm_faults_by_environment().has_value());
    CHECK(journeys::is_mutant(journeys::Mutant::no_dedup));
    CHECK_FALSE(journeys::is_mutant(journeys::Mutant::recall_ignored));
    ::setenv("SOJOURN_MUTANT", "no-dedupe", 1);
    CHECK_FALSE(arm_faults_by_environment().has_value());
    ::unsetenv("SOJOURN_MUTANT");
}

#else

} // namespace

TEST_CASE("a build without failpoints refuses to pretend") {
    CHECK(arm_faults_by_environment().has_value());
    ::setenv("SOJOURN_MUTANT", "no-dedup", 1);
    CHECK_FALSE(arm_faults_by_environment().has_value());
    ::unsetenv("SOJOURN_MUTANT");
    ::setenv("SOJOURN_FAILPOINT", "apply.before:kill", 1);
    CHECK_FALSE(arm_faults_by_environment().has_value());
    ::unsetenv("SOJOURN_FAILPOINT");
}

#endif

} // namespace runtime::test
