#include "runtime/publications.hpp"

#include <catch2/catch.hpp>

using namespace runtime;

TEST_CASE("a publication that was let go of is found no more, but for the newest") {
    Publications publications{"."};
    const auto publish = [&](const char* event) {
        Files files;
        files.journeys["j.yaml"] = std::string{"id: j\nenter: { on: "} + event +
                                   ", reentry: never }\nsteps:\n  - wait: { for: 1h }\n";
        return publications.add(files).catalog;
    };
    const auto before = publish("Product Viewed"), after = publish("Product Added");
    REQUIRE(before);
    REQUIRE(after);
    publications.forget({before->publication(), after->publication()});
    CHECK_FALSE(publications.find(before->publication()));
    CHECK(publications.find(after->publication()) == after);
}
